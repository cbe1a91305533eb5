"""From a config to objects: the only place where a name in a config becomes a class.

Classes come from harness, from tasks and from packages that the user has named, never from anywhere else: a config that
somebody else wrote cannot make this program call what it likes. PyTorch is imported only when a model is built.
"""

from __future__ import annotations

import dataclasses
import importlib
import itertools
from typing import TYPE_CHECKING, Any

from harness import declarations, layouts
from harness.config import Component, Run
from harness.extensions.base import Extension
from harness.positions.base import PositionRule
from harness.shape import Shape
from harness.suggest import Refused
from tasks.base import Task

if TYPE_CHECKING:
    from harness.encodings.base import Encoding
    from harness.logits.base import LogitScale
    from harness.models.base import Model

OWN_PACKAGES = ("harness", "tasks")


def allowed(component: Component, run: Run) -> None:
    """Raise :class:`Refused` unless the class comes from a package that may provide classes."""
    package = component.target.partition(".")[0]
    if package not in (*OWN_PACKAGES, *run.packages):
        raise Refused(
            f"{component.name}: {component.target} is not from harness or tasks; "
            "other packages provide classes only if packages=[...] names them"
        )


def make(component: Component, run: Run, *arguments: Any) -> Any:
    """Call the component's class with its options. What its constructor objects to is :class:`Refused` in its words."""
    allowed(component, run)
    module, _, name = component.target.rpartition(".")
    try:
        made = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise Refused(f"{component.name}: cannot load {component.target}: {error}") from error
    try:
        return made(*arguments, **component.options)
    except (ValueError, OverflowError, MemoryError, RuntimeError) as error:  # the last from PyTorch, for lack of memory
        raise Refused(f"{component.name}: {str(error).splitlines()[0] if str(error) else 'too large'}") from error


def task(run: Run) -> Task:
    """The task."""
    return make(run.task, run)


def rule(run: Run) -> PositionRule:
    """The rule that tells tokens their positions."""
    return make(run.positions, run)


def extensions(run: Run) -> dict[str, Extension]:
    """The test-time extensions by name."""
    return {name: make(component, run) for name, component in run.extension.items()}


def layout(run: Run, task: Task) -> layouts.Layout:
    """The layout that the architecture reads, for a task."""
    return layout_of(run)(task)


def layout_of(run: Run) -> type[layouts.Layout]:
    """The layout that the architecture reads."""
    return getattr(layouts, declarations.of(run.architecture.target).attributes["layout"])


def shape_of(run: Run, task: Task, layout: layouts.Layout) -> Shape:
    """The sizes that the network is built for."""
    return Shape(run.model.dimension, run.model.heads, run.model.layers, layout.span(task, run.lengths.train))


def model(run: Run, task: Task, layout: layouts.Layout) -> Model:
    """The network with freshly drawn weights."""
    shape = shape_of(run, task, layout)
    shared = make(run.encoding, run, shape)

    numbers = itertools.count()

    def layer() -> tuple[Encoding, LogitScale]:
        here = dataclasses.replace(shape, layer=next(numbers))
        encoding = make(run.encoding, run, here) if shared.per_layer else shared
        return encoding, make(run.logit, run, here)

    made = make(run.architecture, run, shape, len(layout.vocabulary), layer)
    try:
        made.name_tokens(layout.vocabulary)
    except ValueError as error:
        raise Refused(f"{run.architecture.name}: {error}") from error
    return made
