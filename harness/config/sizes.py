"""Whether the classes of a run fit its sizes: the width of the network, its heads, the number of tokens.

Classes define this in static methods (``Encoding.objection``, ``frequency_count`` and ``widest_span``,
``Model.objection``, ``Extension.objection_to``), which are called without loading PyTorch.
"""

from types import SimpleNamespace
from typing import Any

from harness import declarations
from harness.config import identity, instantiation, layer_pattern
from harness.config.schema import Component, Run
from harness.dimensions import Dimensions
from harness.errors import Refused
from harness.layouts.base import Layout
from harness.rng import generator
from tasks.base import Split, Task

MOST_KNOWN = 1_000
"""Tasks and lengths of which it is remembered that they can be sampled."""
_sampled: dict[tuple[str, tuple[tuple[int, Split], ...]], None] = {}
"""Those."""
MOST_TRIED = 10_000
"""Tokens of an example that is sampled as a check: sampling longer ones takes seconds."""


def check(run: Run, task: Task) -> None:
    """Raise :class:`Refused` if a class objects to the sizes of the run."""
    layout = instantiation.layout(run, task)
    dimensions = instantiation.dimensions_of(run, task, layout)
    for group, component in (
        ("architecture", run.architecture),
        ("encoding", run.encoding),
        ("logit", run.logit),
        *(("mixer", mixer) for mixer in run.mixer.values()),
    ):
        if objection := call_static(component, "objection", dimensions):
            raise Refused(f"{group}={component.name}: {objection}{_sizes(run)}")
    _check_layers(run, dimensions)
    if not declarations.lookup(run.architecture.target).attributes["reads"]:  # there it depends on what was saved
        check_extensions(run, task, layout, call_static(run.encoding, "frequency_count", dimensions))


def _check_layers(run: Run, dimensions: Dimensions) -> None:
    """An encoding whose layers are of several kinds needs layers of each: without them it is a different encoding."""
    kinds = declarations.lookup(run.encoding.target).attributes["layer_kinds"]
    found = {
        call_static(run.encoding, "layer_kind", layer_pattern.dimensions_of(run, dimensions, number))
        for number in layer_pattern.attention_layers(run)
    }
    missing = [kind for kind in kinds if kind not in found]
    if not missing:
        return
    if declarations.lookup(run.architecture.target).attributes["one_block"]:
        reason = "which passes through one block many times"
        remedy = f"choose an architecture of several blocks: {layer_pattern.multi_block_architectures()}"
    else:
        reason = f"model.layers={dimensions.n_layers}"
        remedy = "change model.layers, pattern or the options of the encoding so that one is"
    needs = f"has layers of several kinds, {' and '.join(kinds)}" if len(kinds) > 1 else f"needs a layer {kinds[0]}"
    raise Refused(
        f"encoding={run.encoding.name} {needs}, but in "
        f"{layer_pattern.architecture_label(run)}, {reason}, no layer with attention would be {missing[0]}: "
        f"{remedy}, or choose another encoding"
    )


def check_extensions(run: Run, task: Task, layout: Layout, pairs: int | None) -> None:
    """Raise :class:`Refused` if an extension cannot extend an encoding of so many frequencies to the tested lengths."""
    train_tokens = layout.span(task, run.lengths.train)
    longer = [layout.span(task, length) for length in identity.tested_lengths(run, task)]
    longer = [tokens for tokens in longer if tokens > train_tokens]
    for name, extension in instantiation.extensions(run).items():
        for tokens in longer:
            if objection := extension.objection_to(pairs, train_tokens, tokens):
                raise Refused(f"extension={name}: {objection}")


def check_sample(run: Run, task: Task) -> None:
    """Raise :class:`Refused` if the task cannot sample an example of the longest lengths. Some read a corpus for it.
    Runs of a sweep have few tasks and lengths between them, and each is tried once.
    """
    tried: tuple[tuple[int, Split], ...] = (
        (run.lengths.train, "train"),
        (max(identity.tested_lengths(run, task)), "test"),
    )
    key = (run.task.model_dump_json(), tried)
    if key in _sampled:
        return
    for length, split in tried:
        if task.prompt_length(length) + task.answer_length(length) > MOST_TRIED:
            continue
        try:
            task.sample(generator("check"), length, 1, split)
        except (ValueError, MemoryError) as error:
            raise Refused(f"task={run.task.name}: {error}") from error
    _sampled[key] = None
    if len(_sampled) > MOST_KNOWN:
        del _sampled[next(iter(_sampled))]


def call_static(component: Component, question: str, dimensions: Dimensions) -> Any:
    """The result of a static method of the component's class for its options; ``None`` if it has no such method."""
    function = declarations.lookup(component.target).functions.get(question)
    return function(dimensions, SimpleNamespace(**component.options)) if function else None


def _sizes(run: Run) -> str:
    return f" (model.dimension={run.model.dimension}, model.heads={run.model.heads}, model.layers={run.model.layers})"
