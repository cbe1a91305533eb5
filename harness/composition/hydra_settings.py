"""Settings of Hydra itself: this program replaces what they control, so most would have no effect."""

from typing import Any

from harness.errors import Refused, echoed

USED = ("hydra.mode", "hydra.sweeper.params")
"""Settings that a study may have: that it is a sweep, and its values."""

INSTEAD = {
    "run": "results=folder says where a run writes",
    "sweep": "results=folder says where the runs of a sweep write",
    "output_subdir": "the config of a run is part of its record; results=folder says where that is written",
    "job": "runs work in the folder that they are started in, and results=folder says where they write",
    "launcher": "launcher=local or launcher=slurm says where a sweep runs",
    "sweeper": "a sweep is every combination of the values that -m lists",
    "searchpath": "--config-dir folder adds choices of your own",
    "mode": "-m asks for a sweep",
    "verbose": "HYDRA_FULL_ERROR=1 in the environment shows where an error comes from",
    "job_logging": "launcher=local writes the log of each run of a sweep beside its weights",
    "hydra_logging": "launcher=local writes the log of each run of a sweep beside its weights",
    "callbacks": "callbacks=[mine] adds callbacks of your own, and logger=wandb watches a run",
    "help": "python -m harness ls shows the choices",
    "hydra_help": "python -m harness ls shows the choices",
}
"""What to use instead, by the first part of a setting's name."""


def is_setting(key: str) -> bool:
    """Whether a key such as ``hydra/launcher`` or ``hydra.run.dir`` is one of Hydra's."""
    return key.replace("/", ".").partition(".")[0] == "hydra"


def check_key(key: str, said: str) -> None:
    """Raise :class:`Refused` unless a key of Hydra's has an effect here. ``said`` is the user's text."""
    if key in USED or key.startswith("hydra.sweeper.params."):
        return
    part = [*key.replace("/", ".").split("."), ""][1]
    instead = INSTEAD.get(part, "python -m harness ls shows what can be set")
    raise Refused(f"{echoed(said)}: this setting of Hydra's has no effect here; {instead}")


def check_node(node: Any) -> None:
    """Raise :class:`Refused` unless the settings of a file under ``hydra:`` have an effect here and the right type."""
    if not isinstance(node, dict):
        raise Refused("hydra: it holds mode and sweeper.params, as the studies in conf/study/ show")
    for key, value in node.items():
        if key == "sweeper" and isinstance(value, dict):
            for inner, params in value.items():
                check_key(f"hydra.sweeper.{inner}", f"hydra.sweeper.{inner}")
                _check_params(params)
        else:
            check_key(f"hydra.{key}", f"hydra.{key}")
            if value not in ("RUN", "MULTIRUN"):
                raise Refused(f"hydra.mode: {echoed(value)}: it is MULTIRUN, for a sweep, or RUN")


def _check_params(params: Any) -> None:
    if not isinstance(params, dict):
        raise Refused("hydra.sweeper.params: it holds keys with the values of a sweep, such as 'seed: 0,1,2'")
    for key, value in params.items():
        if isinstance(value, (dict, list)):
            raise Refused(
                f"hydra.sweeper.params.{echoed(key)}: several values are written with commas, as 1,2,3, and a list as "
                "text, as '[1,2,3]'"
            )
