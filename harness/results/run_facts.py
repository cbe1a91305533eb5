"""What was run, a row for each run: what filters ask, and what tables say of a method besides its scores."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from harness.results.columns import SELECTION
from harness.results.descriptions import AXES
from harness.results.families import OWN, family
from harness.results.frames import Frames

LENGTHS = {"shortest": "lengths.shortest", "train": "lengths.train", "examples": "evaluation.examples"}
"""Where the command line has what a task's description holds among its options."""

PLAIN = (
    "task_id",
    "metric",
    *AXES,
    "seed",
    "origin",
    "train_length",
    "longest_tested",
    "task_version",
    "parameters",
    *SELECTION,
)
"""Columns of the runs that are facts as they are."""

SETTINGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "dimension": lambda node: node["model"].get("dimension"),
    "heads": lambda node: node["model"].get("heads"),
    "layers": lambda node: node["model"].get("layers"),
    "batch": lambda node: node["train"].get("batch"),
    "learning_rate": lambda node: node["train"].get("learning_rate"),
    "optimizer": lambda node: node["optimizer"]["name"],
    "schedule": lambda node: node["schedule"]["name"],
    "encoding_options": lambda node: json.dumps(node["encoding"]["options"], sort_keys=True, ensure_ascii=False),
}
"""What a method says of its size and training, by column."""


def facts(found: Frames) -> pd.DataFrame:
    """For each row of ``runs`` what was run: the columns of :data:`PLAIN` and :data:`SETTINGS`; ``task``, its name on
    the command line, and its ``family``; ``record``, ``sealed``, ``version``, ``commit`` and ``device``.
    """
    runs = found.runs
    table = pd.DataFrame(
        {
            "task": runs.task_name.astype(object),
            "family": runs.task_id.astype(object).map(families(found)),
            **{name: _plain(runs[name]) for name in (*PLAIN, "record", "sealed", "commit", "device")},
            "version": runs.harness.astype(object),
        }
    )
    return table.join(settings(found).reindex(runs.method_id.astype(object)).set_axis(runs.index))


def families(found: Frames) -> dict[str, str]:
    """The family of each task, by its id."""
    return {
        key: OWN if "target" in node["task"] else family(str(node["task"]["name"])) for key, node in found.tasks.items()
    }


def of_methods(found: Frames) -> pd.DataFrame:
    """By task id and method id: what scoring took (``evaluation_seconds``, the mean over seeds; ``peak_memory_bytes``,
    the most of any), the columns of :data:`SETTINGS`, how many ``trials`` of a search stand behind them with how many
    ``learning_rates_tried`` (the most of any run; unknown where no record says it), and of all its runs
    ``seed_values``, ``version``, ``commit`` and ``device``, each value once.
    """
    known = ["seed", "harness", "commit", "device"]
    runs = found.runs[["task_id", "method_id", "evaluation_seconds", "peak_memory_bytes", *SELECTION, *known]]
    runs = runs.astype(dict.fromkeys(("task_id", "method_id", *known), object))
    groups = runs.groupby(["task_id", "method_id"])
    table = groups.agg(
        evaluation_seconds=("evaluation_seconds", "mean"), peak_memory_bytes=("peak_memory_bytes", "max")
    )
    table = table.join(settings(found), on="method_id").join(groups[list(SELECTION)].max().astype("Int64"))
    table["seed_values"] = _each_once(runs, "seed").map(json.dumps)
    for name, column in {"version": "harness", "commit": "commit", "device": "device"}.items():
        table[name] = _each_once(runs, column).map("; ".join)
    return table


def _each_once(runs: pd.DataFrame, column: str) -> pd.Series:
    """By task id and method id the different values of a column in their order, as a list."""
    ids = ["task_id", "method_id"]
    different = runs[[*ids, column]].drop_duplicates().sort_values(column).sort_values(ids, kind="stable")
    first = np.flatnonzero(~different.duplicated(ids))
    values = different[column].tolist()
    lists = [values[begin:end] for begin, end in zip(first, [*first[1:], len(values)], strict=True)]
    return pd.Series(lists, index=pd.MultiIndex.from_frame(different[ids].iloc[first]), dtype=object)


def settings(found: Frames) -> pd.DataFrame:
    """The columns of :data:`SETTINGS` by method id."""
    return pd.DataFrame(
        {name: [value(node) for node in found.methods.values()] for name, value in SETTINGS.items()},
        index=[*found.methods],
    )


def keys(found: Frames) -> pd.DataFrame:
    """For each row of ``runs`` the values that its task and method were given, under the keys that they have on the
    command line, such as ``train.steps`` and ``encoding.base``. Options at their default are not in a record's science,
    and empty here.
    """
    tasks = _table({key: _task(node["task"]) for key, node in found.tasks.items()})
    methods = _table({key: method_keys(node) for key, node in found.methods.items()})
    index = found.runs.index
    return pd.concat(
        [
            tasks.reindex(found.runs.task_id.astype(object)).set_axis(index),
            methods.reindex(found.runs.method_id.astype(object)).set_axis(index),
        ],
        axis=1,
    )


def method_keys(node: dict[str, Any]) -> dict[str, Any]:
    """The single values of a method, by key."""
    return {
        f"{group}.{key}": value
        for group, own in node.items()
        if isinstance(own, dict)
        for key, value in own.get("options", own).items()
        if _single(value)
    }


def telling(found: Frames, methods: Iterable[str]) -> list[str]:
    """Filters of one key that tell these methods apart: ``train.steps == 2000`` and ``train.steps == 5000``."""
    nodes = [found.methods[key] for key in methods]
    named = [
        {group: own["name"] for group, own in node.items() if isinstance(own, dict) and "name" in own} for node in nodes
    ]
    known = [method_keys(node) | names for node, names in zip(nodes, named, strict=True)]
    for key in dict.fromkeys(key for each in known for key in each):
        values = [each.get(key) for each in known]
        if None not in values and len({json.dumps(value) for value in values}) > 1:
            different = sorted(dict.fromkeys(values), key=lambda value: (str(type(value)), value))
            return [f"{key} == {_written(value)}" for value in different]
    return []


def _written(value: Any) -> str:
    """A single value as a filter has it."""
    return repr(value) if isinstance(value, bool) else json.dumps(value, ensure_ascii=False)


def _task(node: dict[str, Any]) -> dict[str, Any]:
    return {LENGTHS.get(key, f"task.{key}"): value for key, value in node["options"].items() if _single(value)}


def _table(rows: dict[str, dict[str, Any]]) -> pd.DataFrame:
    names = dict.fromkeys(name for row in rows.values() for name in row)
    return pd.DataFrame({name: [row.get(name) for row in rows.values()] for name in names}, index=[*rows])


def _single(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _plain(column: pd.Series) -> pd.Series:
    return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column
