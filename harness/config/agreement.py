"""Whether the config and the science of a record agree, as far as can be checked without building or importing."""

from typing import Any

from harness import declarations
from harness.config import catalogue, classes, identity
from harness.config.schema import ATTENTION, COMPONENT_GROUPS, Component, Run, Train

ENDS = {name: Train.model_fields[name].default for name in ("until", "until_examples")}
"""What ends a training of which a science does not say it."""


def disagreement(run: Run, science: dict[str, Any]) -> str:
    """Where the config of a record differs from its science; empty if nowhere.

    A science omits options with default values. The defaults are known for the current classes of conf/ only, so older
    versions of a task are compared by the options they name.
    """
    training = science["training"]
    known = {**identity.DEFAULTS, **training}
    chosen = [(group, getattr(run, group), known[group]) for group in COMPONENT_GROUPS]
    if run.extension.keys() != science["extension"].keys():
        return "its config has other extensions than its science"
    chosen += [("extension", run.extension[name], recorded) for name, recorded in science["extension"].items()]
    plain = [ATTENTION.name] * run.model.layers
    if run.mixers() != training.get("pattern", plain):
        return "its config has other mixers than its science"
    attention = {ATTENTION.name: {"name": ATTENTION.name, "options": {}}}
    chosen += [("mixer", run.mixer[name], recorded) for name, recorded in training.get("mixer", attention).items()]
    called = training.get("callbacks", [])
    if list(run.callbacks) != [recorded["name"] for recorded in called]:
        return "its config has other callbacks than its science"
    chosen += [
        ("callbacks", component, recorded) for component, recorded in zip(run.callbacks.values(), called, strict=True)
    ]
    for group, component, recorded in chosen:
        target = recorded.get("target") or component.target
        if (component.name, component.target) != (recorded["name"], target):
            return f"its config has another {group} than its science"
        if objection := classes.misnamed(group, component.name, target):
            return objection
        shipped = component.target == catalogue.target(group, component.name)
        if not _same_options(component, recorded, shipped and training["identity"] == identity.VERSION):
            return f"its config has other options of {group} than its science"
    if objection := _other_origin(run, training):
        return objection
    parts = {
        "model": (run.model.model_dump(), training["model"]),
        "train": (ENDS | identity.budget(run), ENDS | training["train"]),
        "evaluation": (run.evaluation.model_dump(), science["evaluation"]),
        "lengths": (run.lengths.model_dump(), training["lengths"]),
        "seed": ({"seed": run.seed}, {"seed": training["seed"]}),
    }
    for name, (own, recorded) in parts.items():
        if any(key not in own or own[key] != value for key, value in recorded.items()):
            return f"its config has another {name} than its science"
    if set(science["tested"]) - set(run.lengths.requested()):
        return "its config tests other lengths than its science"
    return ""


def _other_origin(run: Run, training: dict[str, Any]) -> str:
    """What the config says otherwise on where the weights come from."""
    recorded, origin = training.get("weights_from") or {}, run.weights_from
    own = ("", "") if origin is None else (origin.training, origin.method)
    if own != (recorded.get("training", ""), recorded.get("method", "")):
        return "its config takes its initial weights from elsewhere than its science"
    shipped = origin is not None and all(
        link.extension.target == catalogue.target("train_extension", link.extension.name) for link in origin.extended
    )
    if origin is not None and shipped and identity.inherited(origin) != recorded.get("inherited"):
        return "its config has other extensions of earlier trainings than its science"
    if origin is not None and run.lengths.original is None and origin.tokens != recorded["tokens"]:
        return "its config has weights trained on another length than its science"
    return ""


def _same_options(component: Component, recorded: dict[str, Any], known: bool) -> bool:
    """``known``: the class is one of conf/ and its defaults have not changed since."""
    options = recorded["options"]
    if any(key not in component.options or component.options[key] != value for key, value in options.items()):
        return False
    if not known:  # the source of a class from elsewhere is not looked for because a file names it
        return True
    declared = declarations.lookup(component.target)
    if recorded.get("version", declared.attributes.get("version")) != declared.attributes.get("version"):
        return True
    where = (*declared.attributes.get("data_options", ()), *declared.attributes.get("reads", ()))
    changed = identity.changed(component)
    return all(key in options or key in where or key not in declared.options for key in changed)
