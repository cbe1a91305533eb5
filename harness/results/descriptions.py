"""What is a task, and what is a method, in the science of a record: whatever the seed."""

from typing import Any, NamedTuple

from harness.config import identity
from harness.config.schema import ATTENTION

AXES = ("encoding", "positions", "extension", "logit", "architecture", "mixer")
"""The groups whose choices have a column of their own in the tables."""

GROUPS = ("encoding", "positions", "logit", "architecture", "model", "train", "identity")
"""What every training says that is not its task."""


class Description(NamedTuple):
    """A task, or a method: its id, what it is in the form that :func:`harness.results.labels.labels` takes, and of a
    method the names chosen of the axes.
    """

    id: str
    node: dict[str, Any]
    axes: dict[str, str]


def task(science: dict[str, Any]) -> Description:
    """The task of a record, with the lengths trained and tested."""
    training = science["training"]
    node = {
        "task": training["task"],
        "lengths": training["lengths"],
        "tested": science["tested"],
        "evaluation": science["evaluation"],
    }
    return Description(identity.digest(node), {"task": _flat(node)}, {})


def methods(science: dict[str, Any]) -> dict[str, Description]:
    """The method that each extension of a record is."""
    training: dict[str, Any] = science["training"]
    others = {key: training.get(key, usual) for key, usual in identity.DEFAULTS.items()}
    origin = _origin(training, others.pop("train_extension"))
    found = {}
    for extension, own in identities(science).items():
        method = {group: own[group] for group in (*GROUPS, "extension")}
        shown = method | {"mixer": _mixer(training), "callbacks": _callbacks(training), "weights_from": origin} | others
        axes = {axis: shown[axis]["name"] for axis in AXES}
        found[extension] = Description(identity.digest(own), shown, axes)
    return found


def identities(science: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All that the id of the method that each extension of a record is is a digest of."""
    training: dict[str, Any] = science["training"]
    named = (*GROUPS, "mixer", "pattern", "callbacks", *identity.DEFAULTS)
    own = {key: training[key] for key in named if key in training}
    if "weights_from" in training:
        extension = training.get("train_extension", identity.DEFAULTS["train_extension"])
        own["weights_from"] = _origin(training, extension)
    return {name: {**own, "extension": component} for name, component in science["extension"].items()}


def _mixer(training: dict[str, Any]) -> dict[str, Any]:
    """The mixers of a run's layers as one choice: named after the pattern that the layers repeat."""
    if "mixer" not in training:
        return {"name": ATTENTION.name, "options": {}}
    pattern: list[str] = training["pattern"]
    period = next(
        n for n in range(1, len(pattern) + 1) if all(a == b for a, b in zip(pattern, pattern[n:], strict=False))
    )
    options = {
        f"{name}.{key}": value for name, node in training["mixer"].items() for key, value in node["options"].items()
    }
    return {"name": "+".join(pattern[:period]), "options": options}


def _callbacks(training: dict[str, Any]) -> dict[str, Any]:
    """The callbacks of a run as one choice."""
    called: list[dict[str, Any]] = training.get("callbacks", [])
    options = {f"{node['name']}.{key}": value for node in called for key, value in node["options"].items()}
    return {"name": "+".join(node["name"] for node in called) or "no callbacks", "options": options}


def _origin(training: dict[str, Any], extension: dict[str, Any]) -> dict[str, Any]:
    """Where a run's initial weights come from, whatever the seed, and how they were extended, as a choice with
    options.
    """
    if (said := training.get("weights_from")) is None:
        return {"name": "from scratch", "options": {}}
    how = "" if extension == identity.DEFAULTS["train_extension"] else f" with {extension['name']}"
    facts = {"original_tokens": said["tokens"], "weights": said.get("method", "")}
    return {"name": f"fine-tuned{how}", "options": {**extension["options"], **facts}}


def _flat(task: dict[str, Any]) -> dict[str, Any]:
    """A task with its lengths and evaluation settings merged into its options."""
    options = task["task"]["options"]
    settings = {**task["lengths"], "tested": task["tested"], **task["evaluation"]}
    return task["task"] | {"options": options | {key: settings[key] for key in settings if key not in options}}
