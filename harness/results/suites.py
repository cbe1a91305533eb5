"""Suites: named lists of tasks with a version, one file of ``conf/suite`` each.

A suite names its tasks by their ids, which say everything that decides what is asked (options, version of the data,
lengths trained and tested, number of examples), so that a score in it means the same wherever it was made. A suite
whose tasks change has another version. Records know nothing of suites.
"""

from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import Field, ValidationError

from harness.config import catalogue, choice_files
from harness.config.schema import Frozen, Name
from harness.errors import Refused, counted, one_line, unknown
from harness.results import frames
from harness.results.frames import Frames

FOLDER = catalogue.CONF / "suite"


class Suite(Frozen):
    """What the file of a suite says."""

    version: Annotated[int, Field(ge=1)]
    tasks: Annotated[dict[Name, Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]], Field(min_length=1)]


class Chosen(NamedTuple):
    """The runs of a suite, its title, the number of its tasks, those of which there is no finished run, and how many
    runs of each of them ask something else.
    """

    found: Frames
    title: str
    tasks: int
    missing: list[str]
    others: dict[str, int]


def names() -> list[str]:
    """The names of all suites, in alphabetical order."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read(name: str) -> Suite:
    """The suite of this name, or in this file, whose name ends in ``.yaml``. Raises :class:`Refused`."""
    own = name.endswith(".yaml")
    if not own and name not in names():
        raise unknown("suite", name, names(), "suites")
    path = Path(name) if own else FOLDER / f"{name}.yaml"
    try:
        return Suite.model_validate(choice_files.content(path))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise Refused(f"{path}: {'.'.join(map(str, first['loc']))}: {one_line(first['msg'])}") from error


def chosen(found: Frames, name: str) -> Chosen:
    """The runs of the suite's tasks. Raises :class:`Refused` where none has finished."""
    suite = read(name)
    runs = found.runs
    ids, tasks = runs.task_id.astype(object), runs.task_name.astype(object)
    inside = ids.isin(suite.tasks.values()).to_numpy()
    done = set(ids[inside & (runs.status == "finished").to_numpy()])
    others = {task: int(((tasks == task) & ~inside).sum()) for task in suite.tasks}
    others = {task: count for task, count in others.items() if count}
    if not done:
        asked = f"; runs of {', '.join(others)} have other lengths, options or numbers of examples" if others else ""
        raise Refused(f"--suite {name}: no finished run of its tasks{asked}. Its tasks: {', '.join(suite.tasks)}")
    missing = [task for task, key in suite.tasks.items() if key not in done]
    title = f"suite {Path(name).stem}, version {suite.version}"
    return Chosen(frames.take(found, np.flatnonzero(inside)), title, len(suite.tasks), missing, others)


def remarks(chosen: Chosen) -> list[str]:
    """What speaks of the suite's coverage."""
    lines = [f"{chosen.title}: no run of {', '.join(chosen.missing)}"] if chosen.missing else []
    return lines + [
        f"{chosen.title}: left out for other lengths, options or numbers of examples: {counted(count, 'run')} of {task}"
        for task, count in chosen.others.items()
    ]
