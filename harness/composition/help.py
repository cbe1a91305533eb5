"""The page that ``--help`` prints."""

from collections.abc import Iterable, Mapping

from harness.composition import folders
from harness.config import catalogue

HEAD = """Train a sequence model on short inputs, measure how it does on longer ones.

  python -m harness encoding=rope task=copy                        one run
  python -m harness encoding=alibi model.layers=4 train.steps=2000  any value can be set
  python -m harness -m 'encoding=glob(*)' task=copy,reverse 'seed=range(3)'  a sweep, one process per run
"""

FOOT = """
Every choice is a file of conf/ with values of its own: --cfg job shows all of a run, with -m of every run. --info,
--hydra-help and tab completion (eval "$(harness -sc install=bash)") are Hydra's; --config-dir DIR adds choices of your
own."""


def page(commands: Mapping[str, str], folder: str | None = None) -> str:
    """The ``commands`` with what each does, and every group with its choices, a line of meaning each."""
    lines = [HEAD, "Commands"]
    lines += [f"  {name:<16} {meaning}" for name, meaning in commands.items()]
    found = folders.folders([] if folder is None else [folder])
    for group, meaning in catalogue.GROUPS.items():
        lines += ["", f"{group}: {meaning}"]
        for family, choices in _families(catalogue.choices(group, found)):
            lines += [f" {family}"] if family else []
            lines += [f"  {group + '=' + choice.name:<27} {choice.meaning}" for choice in choices]
    lines += [
        "",
        "Values outside the groups: lengths.train, lengths.test, lengths.step, lengths.original, weights_from, seed, "
        "results, force, retry, packages",
    ]
    return "\n".join([*lines, FOOT])


def _families(choices: Iterable[catalogue.Choice]) -> list[tuple[str, list[catalogue.Choice]]]:
    """Tasks by the folder their class lies in, everything else together."""
    families: dict[str, list[catalogue.Choice]] = {}
    for choice in choices:
        parts = (choice.target or "").split(".")
        families.setdefault(parts[1] if parts[0] == "tasks" and len(parts) > 3 else "", []).append(choice)
    return sorted(families.items())
