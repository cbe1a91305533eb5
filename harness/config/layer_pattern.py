"""The mixers of a run's layers, and the kinds of attention that follow from them. Nothing here needs PyTorch."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from harness import declarations
from harness.config import identity
from harness.config.alternatives import choices_where
from harness.config.schema import ATTENTION, Run
from harness.dimensions import Dimensions
from harness.errors import Refused


def modes(run: Run) -> tuple[str, ...]:
    """The kinds of attention in the network, for which encodings, logit scales and extensions must be defined:
    ``attention-free`` alone where no layer attends.
    """
    architecture = _declared(run.architecture.target)
    if architecture["uses_mixers"] and not any(_declared(run.mixer[name].target)["attends"] for name in run.mixers()):
        return ("attention-free",)
    return (architecture["mode"], *architecture["further_modes"])


def check(run: Run) -> None:
    """Raise :class:`Refused` if the architecture cannot have these mixers, or the pattern names others."""
    for name in run.pattern:
        if name not in run.mixer:
            raise Refused(f"pattern={_list(run.pattern)}: mixer={_list(run.mixer)} has no {name}: list it there")
    if len(run.pattern) > run.model.layers:
        raise Refused(f"pattern={_list(run.pattern)}: these are more than model.layers={run.model.layers}")
    if unused := [name for name in run.mixer if name not in run.mixers()]:
        raise Refused(
            f"mixer={_list(run.mixer)}: no layer of model.layers={run.model.layers} has {unused[0]}: leave it out, or "
            "name it in pattern=[...]"
        )
    architecture = _declared(run.architecture.target)
    if not architecture["uses_mixers"]:
        attention = run.mixer.get(ATTENTION.name)
        changed = [f"mixer.{ATTENTION.name}.{key}" for key in identity.changed(attention)] if attention else []
        if changed or run.mixers() != [ATTENTION.name] * run.model.layers:
            other = changed[0] if changed else f"mixer={_list(run.mixer)}"
            raise Refused(
                f"architecture={run.architecture.name} has layers of its own: {other} is not for it. "
                f"Architectures with mixers: {choices_where('architecture', lambda a: a['uses_mixers'])}"
            )
        return
    if architecture["one_block"] and len({*run.mixers()}) > 1:
        raise Refused(
            f"architecture={run.architecture.name} passes through one block many times, and has no place for "
            f"mixer={_list(run.mixer)}: name one. Architectures of several blocks: {multi_block_architectures()}"
        )
    own = {architecture["mode"], *architecture["further_modes"]}
    for name in run.mixers():
        if not own <= set(_declared(run.mixer[name].target)["modes"]):
            able = choices_where("mixer", lambda a: own <= set(a["modes"]))
            raise Refused(
                f"mixer={name} is not defined for architecture={run.architecture.name}, which is "
                f"{' and '.join(sorted(own))}. Possible: {able}"
            )
    _check_softmax(run)


def _check_softmax(run: Run) -> None:
    """Raise :class:`Refused` where a mixer needs attention weights to be a softmax and the encoding makes others."""
    if _declared(run.encoding.target)["softmax"]:
        return
    for name in dict.fromkeys(run.mixers()):
        option = _declared(run.mixer[name].target)["softmax_option"]
        if option and run.mixer[name].options[option]:
            raise Refused(
                f"mixer.{name}.{option} is for attention weights that are a softmax, and those of "
                f"encoding={run.encoding.name} are none. Possible: {choices_where('encoding', lambda a: a['softmax'])}"
            )


def attention_layers(run: Run) -> list[int]:
    """The indices of the layers with attention."""
    architecture = _declared(run.architecture.target)
    layers = list(enumerate(run.mixers()))[: 1 if architecture["one_block"] else None]
    return [
        number
        for number, name in layers
        if not architecture["uses_mixers"] or _declared(run.mixer[name].target)["attends"]
    ]


def dimensions_of(run: Run, dimensions: Dimensions, number: int) -> Dimensions:
    """Those of a layer, of which an encoding is made. One block that is passed through many times follows itself."""
    if _declared(run.architecture.target)["one_block"]:
        return replace(dimensions, layer=number)
    return replace(dimensions, layer=number, attending_later=sum(other > number for other in attention_layers(run)))


def architecture_label(run: Run) -> str:
    """The architecture for a message, with its mixers unless all are attention."""
    name = f"architecture={run.architecture.name}"
    return name if list(run.mixer) == [ATTENTION.name] else f"{name} with mixer={_list(run.mixer)}"


def multi_block_architectures() -> str:
    """The architectures that use mixers and have more than one block."""
    return choices_where("architecture", lambda a: a["uses_mixers"] and not a["one_block"])


def _list(names: Iterable[str]) -> str:
    return f"[{','.join(names)}]"


def _declared(target: str) -> Any:
    return declarations.lookup(target).attributes
