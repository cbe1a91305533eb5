"""From a config to objects: the only place where a name in a config becomes a class.

A class is that of a choice of conf/ or comes from a package that the user has named, and is a subclass of what its
group is made of (:mod:`harness.config.classes`): a config that somebody else wrote cannot make this program call what
it likes. PyTorch is imported only when a model is built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness import declarations, layouts
from harness.config import classes, origins
from harness.config.schema import Component, Run
from harness.dimensions import Dimensions
from harness.errors import Refused
from harness.extensions.base import Extension
from harness.layouts.base import Layout
from harness.positions.base import PositionRule
from tasks.base import Task

if TYPE_CHECKING:
    pass


def make(group: str, component: Component, run: Run, *arguments: Any) -> Any:
    """Instantiate the class of a component of this group with its options. An error of its constructor becomes
    :class:`Refused` with the same message.
    """
    made = classes.load(group, component, run.packages)
    try:
        return made(*arguments, **component.options)
    except Exception as error:
        expected = (ValueError, OverflowError, MemoryError, RuntimeError)  # the last from PyTorch, for lack of memory
        if component.target.partition(".")[0] in classes.OWN_PACKAGES and not isinstance(error, expected):
            raise  # a mistake of ours; a class of the user's may raise anything
        raise Refused(f"{component.name}: {str(error).splitlines()[0] if str(error) else 'too large'}") from error


def task(run: Run) -> Task:
    """The task."""
    return make("task", run.task, run)


def rule(run: Run) -> PositionRule:
    """The rule that gives tokens their positions."""
    return make("positions", run.positions, run)


def extensions(run: Run) -> dict[str, Extension]:
    """The test-time extensions by name."""
    return {name: make("extension", component, run) for name, component in run.extension.items()}


def train_extension(run: Run) -> Extension:
    """The extension with which weights are trained further."""
    return make("train_extension", run.train_extension, run)


def layout(run: Run, task: Task) -> Layout:
    """The layout that the architecture reads, for a task."""
    return layout_of(run)(task)


def layout_of(run: Run) -> type[Layout]:
    """The layout that the architecture reads."""
    return getattr(layouts, declarations.lookup(run.architecture.target).attributes["layout"])


def dimensions_of(run: Run, task: Task, layout: Layout) -> Dimensions:
    """The sizes that the network is built for."""
    return Dimensions(run.model.dimension, run.model.heads, run.model.layers, origins.built_for(run, task, layout))
