"""Records as tables: what all tables and figures are made from.

:class:`Frames` has the counts of any number of records in a few columns of numbers and of text that repeats, so that
100,000 records are summarized by pandas rather than by a loop over objects. :func:`of` makes it of records;
:mod:`harness.results.collection` reads it from folders.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from harness.results import columns
from harness.results.records import Record


class Frames(NamedTuple):
    """Five tables, and what the tasks and methods in them are. ``run`` in a table is the row number of the run in
    ``runs``; unknown numbers are NaN, and text is categorical.
    """

    runs: pd.DataFrame
    """A row for each record and extension, in the order of the records: ``record``, ``training_name``, ``extension``,
    ``task_name``, ``task_id``, ``method_id``, ``metric``, ``status`` (finished or failed), ``reason``, ``sealed``,
    ``seed``, ``origin`` (the training whose weights it went on from, or empty), ``shortest_trained``,
    ``train_length``, ``longest_tested``, ``task_version``, the names chosen of the axes (``encoding``,
    ``positions``, ``logit``, ``architecture``, ``mixer``), ``harness`` and ``commit`` (the program's version),
    ``device``, ``training_compared``, and where the run finished ``final_loss``, ``parameters``, ``steps``,
    ``examples``, ``training_tokens``, ``training_positions``, ``training_flops``, ``training_seconds``,
    ``evaluation_seconds``, ``peak_memory_bytes`` and ``baseline``, the number of its set of baselines (-1 where it
    failed).
    """
    scores: pd.DataFrame
    """A row for each finished run and tested length, those of a run together: ``run``, ``length``, the counts of
    :class:`harness.results.records.ScoreRow` (``examples``, ``exact``, ``exact_given_length``, ``tokens``, ``correct``,
    ``ends``, ``ends_correct``, ``nats``, ``bytes``), ``in_training`` (how many of the examples occur in the training
    data), and ``place``: its place among the tested lengths, by which :func:`blind` finds the baseline.
    """
    slices: pd.DataFrame
    """A row for each part of a run's scores along the axes of its task: ``run``, ``length``, the same counts, and
    ``axis_<name>`` for each axis of any task, empty (``pd.NA``) where a row is not of that axis.
    """
    looks: pd.DataFrame
    """The learning curves, a row for each look during training: ``run`` (the first extension's, with which longer
    lengths are read), ``step``, and the shares that were right, ``in_distribution`` and ``out_of_distribution``.
    """
    baselines: pd.DataFrame
    """The baselines of the tasks. Records of a task nearly always have the same, so each different set is here once,
    under the number ``baseline``: a row for each ``name`` (``chance``, ``blind``, ``shortcut <name>``) and ``length``
    with the counts, or for chance with shares in place of counts: ``exact_share``, ``tokens_share``,
    ``without_ends_share``.
    """
    tasks: dict[str, dict[str, Any]]
    """By task id what a task is, in the form that :func:`harness.results.labels.labels` takes."""
    methods: dict[str, dict[str, Any]]
    """The same by method id."""


def of(records: Sequence[Record]) -> Frames:
    """The tables of these records."""
    rows = columns.Columns()
    for record in records:
        rows.add(record)
    return made(rows.packed())


def made(packed: columns.Packed) -> Frames:
    """The tables of what was collected from records."""
    tables = {
        name: pd.DataFrame({column: _column(name, column, values) for column, values in table.items()})
        for name, table in packed.tables.items()
    }
    for axis, values in packed.axes.items():
        tables["slices"][f"axis_{axis}"] = pd.array(pd.Series(values, dtype="Int64").mask(values < 0))
    for name in ("scores", "slices", "looks"):
        if not tables[name].run.is_monotonic_increasing:
            tables[name] = tables[name].sort_values("run", kind="stable", ignore_index=True)
    return Frames(**tables, tasks=packed.tasks, methods=packed.methods)


def _column(table: str, column: str, values: Any) -> Any:
    if column in columns.TEXTS[table]:
        return pd.Categorical(pd.Series(values, dtype=str))  # of no values too, which alone say nothing of their kind
    return values.astype(bool) if column == "sealed" else values


def blind(frames: Frames) -> pd.DataFrame:
    """For each row of ``scores``, in their order, the row of ``baselines`` of its task's blind baseline."""
    return frames.baselines.take(blind_rows(frames))


def blind_rows(frames: Frames) -> np.ndarray:
    """The numbers of these rows of ``baselines``."""
    rows = np.flatnonzero(frames.baselines.name == "blind")
    numbers = frames.baselines.baseline.to_numpy()[rows]
    first = np.zeros(numbers.max(initial=-1) + 1, np.int64)
    first[numbers[::-1]] = rows[::-1]
    sets = frames.runs.baseline.to_numpy()[frames.scores.run.to_numpy()]
    return first[sets] + frames.scores.place.to_numpy()


def take(frames: Frames, order: np.ndarray) -> Frames:
    """The runs with these numbers, in this order, with their scores and slices; each number at most once."""
    new = np.full(len(frames.runs), -1)
    new[order] = np.arange(len(order))

    def chosen(table: pd.DataFrame) -> pd.DataFrame:
        run = new[table.run.to_numpy()]
        kept = np.flatnonzero(run >= 0)
        kept = kept[np.argsort(run[kept], kind="stable")]
        return table.take(kept).reset_index(drop=True).assign(run=run[kept])

    runs = frames.runs.take(order).reset_index(drop=True)
    return frames._replace(
        runs=runs, scores=chosen(frames.scores), slices=chosen(frames.slices), looks=chosen(frames.looks)
    )


def in_order(frames: Frames, records: Sequence[str]) -> tuple[Frames, np.ndarray]:
    """The runs in the order of the records that are named, and for each run the place of its record among them."""
    places = pd.Index(records).get_indexer(pd.Index(frames.runs.record.astype(object)))
    order = np.argsort(places, kind="stable")
    return take(frames, order), places[order]


def joined(parts: Sequence[Frames]) -> Frames:
    """The runs of several frames, one after the other."""
    parts = [part for part in parts if len(part.runs)] or parts[:1]  # where there is nothing, text has another dtype
    if len(parts) == 1:
        return parts[0]
    sets: dict[str, int] = {}
    runs, scores, slices, looks, baselines = [], [], [], [], []
    first = 0
    for part in parts:
        known = part.baselines.drop_duplicates("baseline")
        numbers = {}
        for number, digest in zip(known.baseline, known.digest.astype(object), strict=True):
            if digest not in sets:
                sets[digest] = len(sets)
                own = part.baselines[part.baselines.baseline == number]
                baselines.append(own.assign(baseline=sets[digest]))
            numbers[number] = sets[digest]
        renumbered = np.full(max(numbers, default=-1) + 2, -1)  # the last one stands for -1, that of a failed run
        renumbered[list(numbers)] = list(numbers.values())
        runs.append(part.runs.assign(baseline=renumbered[part.runs.baseline]))
        scores.append(part.scores.assign(run=part.scores.run + first))
        slices.append(part.slices.assign(run=part.slices.run + first))
        looks.append(part.looks.assign(run=part.looks.run + first))
        first += len(part.runs)
    return Frames(
        runs=_stacked(runs),
        scores=_stacked(scores),
        slices=_stacked(slices),
        looks=_stacked(looks),
        baselines=_stacked(baselines or [parts[0].baselines]),
        tasks={key: node for part in parts for key, node in part.tasks.items()},
        methods={key: node for part in parts for key, node in part.methods.items()},
    )


def _stacked(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The rows of several tables, whose columns of text remain categorical."""
    names = dict.fromkeys(column for table in tables for column in table.columns)
    stacked = {}
    for name in names:
        values = [
            table[name] if name in table else pd.Series(pd.NA, index=table.index, dtype="Int64") for table in tables
        ]
        categorical = isinstance(values[0].dtype, pd.CategoricalDtype)
        if categorical:  # those of an empty table have no text, which is another dtype
            values = [column for column in values if len(column)] or values[:1]
        stacked[name] = union_categoricals(values) if categorical else pd.concat(values, ignore_index=True)
    return pd.DataFrame(stacked)
