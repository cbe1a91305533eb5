"""What a run is, as opposed to how and where it is computed: the ids under which weights and results are found again.

Two ids, because weights can be tested in more than one way: the training id names the weights, the run id names weights
together with the lengths, extensions and number of examples they are tested with.

Options of classes enter where they differ from the class's default, so that a new option with a default that changes
nothing leaves all ids as they were.
"""

import hashlib
import json
from typing import Any, cast

from harness import declarations, layouts
from harness.config import catalogue, origins
from harness.config.schema import OPTIMIZER, SCHEDULE, TRAIN_EXTENSION, Component, Origin, Run, Train
from harness.data import blocks
from harness.declarations import Option
from harness.models import huggingface_folder
from tasks.base import Task

VERSION = 1
"""Rises when the same config would train differently: results from before are then no longer taken for those of the
same run.
"""

DEFAULTS: dict[str, dict[str, Any]] = {
    group: {"name": component.name, "options": {}}
    for group, component in (
        ("optimizer", OPTIMIZER),
        ("schedule", SCHEDULE),
        ("train_extension", TRAIN_EXTENSION),
    )
}
"""What a science that does not name these groups has of them."""


def training(run: Run, task: Task) -> dict[str, Any]:
    """All that decides the weights."""
    return {
        "identity": VERSION,
        "task": _task(run, task),
        "lengths": {"shortest": run.lengths.shortest, "train": run.lengths.train},
        **{group: _component(group, getattr(run, group)) for group in ("encoding", "positions", "logit")},
        "architecture": _architecture(run),
        **_mixers(run),
        "model": run.model.model_dump(),
        "train": budget(run),
        **_others(run),
        **_weights_from(run, task),
        **_blocks(run, task),
        **_callbacks(run),
        "seed": run.seed,
    }


def science(run: Run, task: Task) -> dict[str, Any]:
    """All that decides the scores."""
    return {
        "training": training(run, task),
        "tested": tested_lengths(run, task),
        "extension": {name: _component("extension", extension) for name, extension in run.extension.items()},
        "evaluation": run.evaluation.model_dump(exclude={"every"}),
    }


def digest(values: dict[str, Any]) -> str:
    """A short name for values, the same for the same values."""
    canonical = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def training_name(run: Run, task: Task) -> str:
    """The name of the folder that holds the weights."""
    return f"{_prefix(run)}-{digest(training(run, task))}"


def run_name(run: Run, task: Task) -> str:
    """The name of the record."""
    return f"{_prefix(run)}-{digest(science(run, task))}"


def tested_lengths(run: Run, task: Task) -> list[int]:
    """The lengths that are tested: those wanted that the task can produce."""
    return [length for length in run.lengths.requested() if task.produces(length)]


def training_lengths(run: Run, task: Task) -> list[int]:
    """The lengths that are trained on."""
    return [length for length in range(run.lengths.shortest, run.lengths.train + 1) if task.produces(length)]


def budget(run: Run) -> dict[str, Any]:
    """The settings of the training. How often training looks at held-out examples decides when it ends, if a score
    there ends it, and otherwise nothing.
    """
    values = run.train.model_dump(exclude={"until", "until_examples"})
    if not run.train.until:
        return values
    asked = run.train.until_examples
    by = {} if asked == Train.model_fields["until_examples"].default else {"until_examples": asked}
    return values | {"until": run.train.until, "every": run.looked_every()} | by


def changed(component: Component) -> dict[str, Any]:
    """The options of a component that are not its class's defaults."""
    known = declarations.lookup(component.target).options
    return {k: v for k, v in component.options.items() if k not in known or v != _default(known[k])}


def _prefix(run: Run) -> str:
    return f"{run.task.name}-{run.encoding.name}-seed{run.seed}"


def _task(run: Run, task: Task) -> dict[str, Any]:
    values = _component("task", run.task)
    values["options"] = {key: value for key, value in values["options"].items() if key not in task.data_options}
    values["version"] = task.version
    if (fingerprint := task.fingerprint()) is not None:
        values["fingerprint"] = fingerprint
    return values


def _architecture(run: Run) -> dict[str, Any]:
    values = _component("architecture", run.architecture)
    if reads := declarations.lookup(run.architecture.target).attributes["reads"]:
        values["options"] = {key: value for key, value in values["options"].items() if key not in reads}
        values["fingerprint"] = huggingface_folder.fingerprint(
            huggingface_folder.folder(*(cast(Any, run.architecture.options[key]) for key in reads))
        )
    return values


def _mixers(run: Run) -> dict[str, Any]:
    """What the layers' mixers are, if any is another than plain attention."""
    names = run.mixers()
    chosen = {name: _component("mixer", run.mixer[name]) for name in dict.fromkeys(names)}
    if chosen == {"attention": {"name": "attention", "options": {}}}:
        return {}
    return {"mixer": chosen, "pattern": names}


def _others(run: Run) -> dict[str, Any]:
    """The optimizer, the schedule and the extension in training, where they are others than AdamW, a cosine and
    none.
    """
    chosen = {group: _component(group, getattr(run, group)) for group in DEFAULTS}
    return {group: node for group, node in chosen.items() if node != DEFAULTS[group]}


def _blocks(run: Run, task: Task) -> dict[str, Any]:
    """How many examples are made at once, where it is not the usual number: others are drawn then."""
    lengths = training_lengths(run, task)
    size = blocks.size(task, lengths) if lengths else blocks.FEWEST
    return {} if size == blocks.FEWEST else {"block": size}


def _callbacks(run: Run) -> dict[str, Any]:
    """The callbacks in the order in which they are called, if there are any: each may change what is trained."""
    chosen = [_component("callbacks", component) for component in run.callbacks.values()]
    return {"callbacks": chosen} if chosen else {}


def _weights_from(run: Run, task: Task) -> dict[str, Any]:
    """Where initial weights come from that are not drawn, and how many tokens they were trained on. Where the files lie
    does not enter it; the content of a saved network is part of the architecture.
    """
    layout = getattr(layouts, declarations.lookup(run.architecture.target).attributes["layout"])(task)
    tokens = origins.original_tokens(run, task, layout)
    if tokens is None:
        return {}
    origin = run.weights_from
    named = (
        {} if origin is None else {"training": origin.training, "method": origin.method, "inherited": inherited(origin)}
    )
    return {"weights_from": {**named, "tokens": tokens}}


def inherited(origin: Origin) -> str:
    """A digest of what earlier trainings made of the encoding. It follows from the training that is named beside it,
    and is there so that a config can be held to it where the records of those trainings are not.
    """
    links = [
        {"extension": _component("train_extension", link.extension), "trained": link.trained, "target": link.target}
        for link in origin.extended
    ]
    return digest({"built_for": origin.built_for, "extended": links})


def method(training: dict[str, Any]) -> str:
    """A digest of all that decides the weights but the seeds."""
    values = {key: value for key, value in training.items() if key != "seed"}
    if "weights_from" in values:
        values["weights_from"] = {k: v for k, v in values["weights_from"].items() if k != "training"}
    return digest(values)


def _component(group: str, component: Component) -> dict[str, Any]:
    values: dict[str, Any] = {"name": component.name, "options": changed(component)}
    if component.target != catalogue.target(group, component.name):
        values["target"] = component.target
    return values


def _default(option: Option) -> Any:
    return list(option.default) if isinstance(option.default, tuple) else option.default
