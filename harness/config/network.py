"""The network of a run, from its config."""

import copy
import itertools
from collections.abc import Callable, Iterator
from functools import partial

from harness.attention.module import Attending
from harness.config import instantiation, layer_pattern, origins
from harness.config.instantiation import make
from harness.config.schema import Extended, Run
from harness.encodings.base import Encoding
from harness.errors import Refused
from harness.extensions.base import Extension
from harness.layouts.base import Layout
from harness.mixers.base import Layer, Mixer
from harness.models.base import Layers, Model
from tasks.base import Task


def model(run: Run, task: Task, layout: Layout) -> Model:
    """The network with freshly drawn weights, its encoding as the extensions of training leave it."""
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
    for extended in origins.extended(run, task, layout):
        _extend(made, run, extended)
    return made


def _extend(model: Model, run: Run, extended: Extended) -> None:
    """Change the constants of the encodings, which go on being trained."""
    name = f"train_extension={extended.extension.name}"
    extension: Extension = make("train_extension", extended.extension, run)
    attending = [module for module in model.modules() if isinstance(module, Attending)]
    for encoding in {id(module.encoding): module.encoding for module in attending}.values():
        try:
            changed = extension.extend(encoding, extended.trained, extended.target)
        except Exception as error:  # one of the user's may do anything
            raise Refused(f"{name}: {error or type(error).__name__}") from error
        if changed is not encoding:
            raise Refused(
                f"{name}: it puts something in the place of the encoding, and weights can be trained only with "
                "extensions that change its constants"
            )


def _mixers(run: Run) -> list[Callable[[Layer], Mixer]]:
    """The maker of each layer's mixer."""
    return [partial(_mixer, run, name) for name in run.mixers()]


def _mixer(run: Run, name: str, layer: Layer) -> Mixer:
    return make("mixer", run.mixer[name], run, layer)
