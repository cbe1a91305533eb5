"""The network of a run, from its config."""

import copy
import itertools
from collections.abc import Callable, Iterator
from functools import partial

from harness.config import instantiation, layer_pattern
from harness.config.instantiation import make
from harness.config.schema import Run
from harness.encodings.base import Encoding
from harness.errors import Refused
from harness.layouts.base import Layout
from harness.mixers.base import Layer, Mixer
from harness.models.base import Layers, Model
from tasks.base import Task


def model(run: Run, task: Task, layout: Layout) -> Model:
    """The network with freshly drawn weights."""
    dimensions = instantiation.dimensions_of(run, task, layout)
    own: Encoding = make("encoding", run.encoding, run, dimensions)
    stacks = itertools.count()

    def another(number: int) -> Encoding:
        return make("encoding", run.encoding, run, layer_pattern.dimensions_of(run, dimensions, number))

    def encodings() -> Iterator[Encoding]:
        return (copy.deepcopy(own) if next(stacks) else own).for_layers(another, dimensions.n_layers)

    layers = Layers(dimensions, encodings, lambda here: make("logit", run.logit, run, here), _mixers(run))
    made = make("architecture", run.architecture, run, dimensions, len(layout.vocabulary), layers)
    try:
        made.name_tokens(layout.vocabulary)
    except ValueError as error:
        raise Refused(f"{run.architecture.name}: {error}") from error
    return made


def _mixers(run: Run) -> list[Callable[[Layer], Mixer]]:
    """The maker of each layer's mixer."""
    return [partial(_mixer, run, name) for name in run.mixers()]


def _mixer(run: Run, name: str, layer: Layer) -> Mixer:
    return make("mixer", run.mixer[name], run, layer)
