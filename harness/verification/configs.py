"""From a record to the objects that its config names, without running anything that the record brought along.

A record is somebody's file. Only classes of this repository are made from it, with options that name no file of this
machine, so that whoever sends a record neither runs code here nor has anything read here.
"""

from typing import NamedTuple

from harness import declarations
from harness.config import catalogue, instantiation
from harness.config.options import typed
from harness.config.schema import COMPONENT_GROUPS, Component, Run
from harness.errors import Refused
from harness.files import sealed_json
from harness.layouts.base import Layout
from harness.results.records import Record
from tasks.base import Task


class Known(NamedTuple):
    """The run of a record, with its task and its layout."""

    run: Run
    task: Task
    layout: Layout


class Unknown(Exception):
    """What a record says cannot be computed again here; the message says why."""


class Configs:
    """Makes the tasks of records, each once."""

    def __init__(self) -> None:
        self._tasks: dict[str, Task] = {}

    def known(self, record: Record) -> Known:
        """The objects of a record. Raises :class:`Unknown`."""
        run = Run.model_validate({**record.config, "results": "results", "packages": [], "logger": {}})
        _check_classes(run)
        try:
            run = typed(run)
        except Refused as refusal:
            raise Unknown(f"its options are not those of today's classes: {refusal}") from refusal
        options = declarations.lookup(run.task.target)
        for key in options.attributes["data_options"]:
            if run.task.options.get(key, options.options[key].default) not in (options.options[key].default, []):
                raise Unknown(f"its task reads data that is named by task.{key}, which is not opened here")
        for key in declarations.lookup(run.architecture.target).attributes["reads"]:
            raise Unknown(f"its network is a saved one, named by architecture.{key}, which is not opened here")
        task = self._task(run)
        if objection := instantiation.layout_of(run).objection(task):
            raise Unknown(f"its architecture cannot read its task: {objection}")
        said = (record.task.version, record.task.fingerprint)
        if said[0] != task.version:
            raise Unknown(f"it is of version {said[0]} of {run.task.name}, which is version {task.version} today")
        if said[1] != task.fingerprint():
            raise Unknown("its text is another than that of this machine")
        return Known(run, task, instantiation.layout(run, task))

    def _task(self, run: Run) -> Task:
        key = sealed_json.canonical(run.task.model_dump(mode="json"))
        if key not in self._tasks:
            try:
                self._tasks[key] = instantiation.task(run)
            except Refused as refusal:
                raise Unknown(f"its task cannot be made: {refusal}") from refusal
        return self._tasks[key]


def _check_classes(run: Run) -> None:
    """Raise :class:`Unknown` for a class that no choice of conf/ has: its source is not looked for."""
    chosen: list[tuple[str, Component]] = [(group, getattr(run, group)) for group in COMPONENT_GROUPS]
    for group in ("mixer", "extension", "callbacks"):
        chosen += [(group, component) for component in getattr(run, group).values()]
    if run.weights_from is not None:
        chosen += [("train_extension", link.extension) for link in run.weights_from.extended]
    for group, component in chosen:
        if component.target != catalogue.target(group, component.name):
            raise Unknown(f"{group}={component.name} is a class that this repository does not have")
