"""Whether weights that were trained before can be trained further as a run says, decided before PyTorch is loaded."""

from typing import Any

from harness import declarations
from harness.config import identity, instantiation, layer_pattern, origins, sizes
from harness.config.alternatives import choices_where
from harness.config.schema import TRAIN_EXTENSION, Origin, Run
from harness.errors import Refused
from tasks.base import Task

NETWORK = ("encoding", "logit", "architecture", "mixer", "pattern", "model")
"""The parts of a training's identity that say which network it trains."""


def network(run: Run, task: Task) -> dict[str, Any]:
    """What a run has to agree with where it goes on from the weights of this one."""
    training = identity.training(run, task)
    vocabulary = list(instantiation.layout(run, task).vocabulary)
    kept = {key: training[key] for key in NETWORK if key in training}
    return {**kept, "tokens": {"count": len(vocabulary), "digest": identity.digest({"tokens": vocabulary})}}


def check(run: Run, task: Task) -> None:
    """Raise :class:`Refused` where weights and run do not fit each other."""
    if run.weights_from is not None:
        _check_network(run, run.weights_from, network(run, task))
    elif run.lengths.original is not None and not declarations.lookup(run.architecture.target).attributes["reads"]:
        raise Refused(
            f"lengths.original={run.lengths.original}: the weights of this run are drawn and were trained on nothing "
            "before: name the run that they come from, weights_from=results/records/....json"
        )
    if run.lengths.original is not None and not task.produces(run.lengths.original):
        raise Refused(f"lengths.original={run.lengths.original}: task={run.task.name} cannot produce that length")
    if run.train_extension.name != TRAIN_EXTENSION.name:
        _check_extension(run, task)


def _check_network(run: Run, origin: Origin, own: dict[str, Any]) -> None:
    if not origin.training:
        raise Refused(f"weights_from={origin.record}: the record has not been read")
    for group in dict.fromkeys([*origin.network, *own]):
        there, here = _flat(group, origin.network.get(group)), _flat(group, own.get(group))
        for key in dict.fromkeys([*there, *here]):
            if there.get(key) == here.get(key):
                continue
            if group == "tokens":
                raise Refused(
                    f"weights_from={origin.record}: those weights are for other tokens than task={run.task.name} has: "
                    "the alphabets of the two tasks have to be the same"
                )
            raise Refused(
                f"weights_from={origin.record}: the network of those weights has {key}={_said(there, key)}, and this "
                f"run has {key}={_said(here, key)}: they have to agree"
                + ("; train_extension=base_change changes the base" if key == "encoding.base" else "")
            )


def _flat(group: str, node: Any) -> dict[str, Any]:
    """A part of an identity as keys that can be typed."""
    if not isinstance(node, dict):
        return {group: node}
    values = {group: node.get("name")} if "name" in node else {}
    for key, value in node.items():
        if key == "options" and isinstance(value, dict):
            values |= {f"{group}.{option}": given for option, given in value.items()}
        elif isinstance(value, dict):
            values |= _flat(f"{group}.{key}", value)
        elif key != "name":
            values[f"{group}.{key}"] = value
    return values


def _said(values: dict[str, Any], key: str) -> Any:
    found = values.get(key)
    return "its default" if found is None else found


def _check_extension(run: Run, task: Task) -> None:
    component, offers = run.train_extension, declarations.lookup(run.encoding.target).attributes["offers"]
    attributes, name = declarations.lookup(component.target).attributes, f"train_extension={component.name}"
    if not attributes["trains"]:
        able = choices_where("train_extension", lambda a: a["trains"])
        raise Refused(
            f"{name} acts at test time only, as extension=[{component.name}]. Extensions that weights are trained "
            f"with: {able}"
        )
    if attributes["needs"] and attributes["needs"] not in offers:
        able = choices_where("train_extension", lambda a: a["trains"] and (not a["needs"] or a["needs"] in offers))
        raise Refused(
            f"{name} changes an encoding's {attributes['needs']}, and encoding={run.encoding.name} has none. "
            f"Extensions in training for {run.encoding.name}: {able}"
        )
    if not set(layer_pattern.modes(run)) <= set(attributes["modes"]):
        raise Refused(f"{name} is not defined for {layer_pattern.architecture_label(run)}")
    layout = instantiation.layout(run, task)
    trained = origins.original_tokens(run, task, layout)
    if trained is None:
        raise Refused(
            f"{name} extends what weights were trained on before: name the run that they come from, "
            "weights_from=results/records/....json, or a saved network with lengths.original"
        )
    target = layout.span(task, run.lengths.train)
    extension = instantiation.train_extension(run)
    if not extension.alters(trained, target):
        raise Refused(
            f"{name} would change nothing: the weights were trained on {trained} tokens, and lengths.train="
            f"{run.lengths.train} has {target}: raise lengths.train"
            + (", or set train_extension.factor" if "factor" in component.options else "")
        )
    if declarations.lookup(run.architecture.target).attributes["reads"]:
        return  # how many frequencies there are depends on what was saved
    pairs = sizes.call_static(run.encoding, "frequency_count", instantiation.dimensions_of(run, task, layout))
    if objection := extension.objection_to(pairs, trained, max(target, trained + 1)):
        raise Refused(f"{name}: {objection}")
