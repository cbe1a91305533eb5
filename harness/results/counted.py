"""Counts from elsewhere, in a table of the user's, as the tables that leaderboards are made from."""

import math
from typing import Any

import numpy as np
import pandas as pd

from harness.errors import Refused, echoed
from harness.results import columns
from harness.results.descriptions import AXES
from harness.results.frames import Frames, made

NEEDED = ("method", "seed", "length", "train_length", "examples", "exact")
COUNTS = ("examples", "exact", "tokens", "correct", "bytes")
"""Columns of whole numbers from 0 up."""
SHARES = ("exact_given_length", "blind_exact_match", "blind_token_accuracy")
"""Columns of numbers from 0 to 1."""
KEYS = ["task", "method", "seed"]
METRICS = ("exact_match", "token_accuracy", "bits_per_byte")
UNKNOWN: dict[str, dict[str, Any]] = {"model": {}, "train": {}, "optimizer": {"name": ""}, "schedule": {"name": ""}}
"""What records say of a method and counts do not."""
LARGEST = 2.0**53
"""Whole numbers below are exact."""


def frames_of(table: pd.DataFrame) -> Frames:
    """The tables of a user's counts, whose columns :func:`harness.leaderboard` describes. A method or task is what has
    its name. Raises :class:`Refused` for the first thing that is wrong.
    """
    counts = _checked(table)
    runs = counts.drop_duplicates(KEYS).reset_index(drop=True)
    number = {key: row for row, key in enumerate(zip(*(runs[key] for key in KEYS), strict=True))}
    counts = counts.assign(run=[number[key] for key in zip(*(counts[key] for key in KEYS), strict=True)])
    counts = counts.sort_values(["run", "length"], ignore_index=True).assign(
        place=lambda rows: rows.groupby("run").cumcount()
    )
    tasks = {task: row for row, task in enumerate(dict.fromkeys(runs.task))}
    empty = made(columns.Columns().packed())
    return Frames(
        runs=_runs(runs, counts, tasks),
        scores=_rates_as_counts(counts)[["run", "length", *columns.COUNTS, "in_training", "place"]],
        slices=empty.slices,
        looks=empty.looks,
        baselines=_baselines(counts, runs, tasks),
        tasks={task: {"task": {"name": task, "options": {}, "target": ""}} for task in tasks},
        methods={method: {"encoding": {"name": method, "options": {}}, **UNKNOWN} for method in runs.method},
    )


def _runs(runs: pd.DataFrame, counts: pd.DataFrame, tasks: dict[str, int]) -> pd.DataFrame:
    def text(values: Any) -> pd.Series:
        return pd.Series(values, index=runs.index, dtype=str).astype("category")

    names = [f"{task} {method} {seed}" for task, method, seed in zip(*(runs[key] for key in KEYS), strict=True)]
    fixed = {
        "status": "finished",
        "reason": "",
        "origin": "",
        "harness": "",
        "commit": "",
        "device": "",
        "extension": "",
    }
    return pd.DataFrame(
        {
            "record": text(names),
            "training_name": text(names),
            "task_name": text(runs.task),
            "task_id": text(runs.task),
            "method_id": text(runs.method),
            "metric": text(runs.metric),
            **{name: text([value] * len(runs)) for name, value in fixed.items()},
            **{axis: text(runs.method if axis == "encoding" else [""] * len(runs)) for axis in AXES},
            "sealed": True,
            "seed": runs.seed,
            "shortest_trained": 1,
            "train_length": runs.train_length,
            "longest_tested": runs.task.map(counts.groupby("task").length.max()),
            "task_version": 0,
            "training_compared": 0,
            "final_loss": math.nan,
            **dict.fromkeys((*columns.COSTS, *columns.SELECTION), math.nan),
            "baseline": runs.task.map(tasks),
        }
    )


def _rates_as_counts(counts: pd.DataFrame) -> pd.DataFrame:
    unknown = dict.fromkeys(("ends", "ends_correct", "in_training"), math.nan)
    return counts.assign(exact_given_length=counts.exact_given_length * counts.examples, **unknown)


def _baselines(counts: pd.DataFrame, runs: pd.DataFrame, tasks: dict[str, int]) -> pd.DataFrame:
    """The blind baseline of each task, as its first run has it."""
    first = counts[counts.run.isin(runs.drop_duplicates("task").index)]
    text = first.bytes.clip(lower=1).fillna(first.tokens)
    return pd.DataFrame(
        {
            "name": pd.Categorical(["blind"] * len(first)),
            "digest": pd.Categorical(first.task),
            "baseline": first.task.map(tasks).to_numpy(),
            **{name: first[name] for name in ("length", "examples", "tokens", "bytes")},
            "exact": first.blind_exact_match * first.examples,
            "correct": first.blind_token_accuracy * first.tokens,
            "nats": first.blind_bits * text * math.log(2),
            **dict.fromkeys(("exact_given_length", "ends", "ends_correct", *columns.SHARES), math.nan),
        }
    ).reset_index(drop=True)


def _checked(table: pd.DataFrame) -> pd.DataFrame:
    """The counts with every column there is, each of its kind. Raises :class:`Refused`."""
    if not isinstance(table, pd.DataFrame):
        raise Refused(f"counts are a pandas.DataFrame, and this is {type(table).__name__}")
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise Refused(f"the column {echoed(twice[0])} is there twice")
    missing = [name for name in NEEDED if name not in table]
    if missing:
        raise Refused(f"the column {missing[0]} is missing. Needed: {', '.join(NEEDED)}")
    if table.empty:
        raise Refused("the table of counts has no rows")
    table = table.reset_index(drop=True)
    usual: dict[str, Any] = {"task": "task", "metric": "exact_match"}
    known: dict[str, Any] = {name: _text(table, name) for name in ("task", "method", "metric") if name in table}
    counts = pd.DataFrame({**usual, **known}, index=table.index)
    for name in ("seed", "length", "train_length", *COUNTS):
        counts[name] = _whole(table, name) if name in table else math.nan
    for name in (*SHARES, "nats", "blind_bits"):
        counts[name] = _number(table, name, most=1.0 if name in SHARES else math.inf) if name in table else math.nan
    counts = counts.astype(dict.fromkeys(("seed", "length", "train_length"), np.int64))
    _refuse(
        ~counts.metric.isin(METRICS), counts, lambda row: f"metric {echoed(row.metric)} is none of {_list(METRICS)}"
    )
    _check_counts(counts)
    _check_lengths(counts)
    return counts


def _check_counts(counts: pd.DataFrame) -> None:
    _refuse(counts.examples < 1, counts, lambda row: "examples is 0: leave out what was not tested")
    for part, whole in (("exact", "examples"), ("correct", "tokens")):
        _refuse(
            counts[part] > counts[whole], counts, lambda row, part=part, whole=whole: f"{part} is more than {whole}"
        )
    _refuse(counts.correct.isna() != counts.tokens.isna(), counts, lambda row: "tokens and correct belong together")
    _refuse(counts.tokens < 1, counts, lambda row: "tokens is 0: leave it out where it is unknown")
    wanted = {"token_accuracy": ["correct"], "bits_per_byte": ["nats", "tokens"]}
    for metric, names in wanted.items():
        for name in names:
            lacking = (counts.metric == metric) & counts[name].isna()
            _refuse(lacking, counts, lambda row, name=name: f"metric {row.metric} needs the column {name}")
    again = counts.duplicated([*KEYS, "length"])
    _refuse(again, counts, lambda row: "this length is there twice; give each run another seed")


def _check_lengths(counts: pd.DataFrame) -> None:
    """Runs of a task can be compared: same metric, training length and tested lengths, on both sides of it."""
    for name in ("metric", "train_length"):
        first = counts.groupby("task")[name].transform("first")
        _refuse(counts[name] != first, counts, lambda row, name=name: f"another {name} than the task's first row has")
    for task, rows in counts.groupby("task", sort=False):
        tested = set(rows.length)
        for _, run in rows.groupby(["method", "seed"], sort=False):
            if lacking := tested - set(run.length):
                raise Refused(
                    f"{_where(run.iloc[0])}: length {min(lacking)} is missing, which other runs of {task} have"
                )
        trained = rows.train_length.iloc[0]
        if max(tested) <= trained:
            raise Refused(f"task {echoed(task)}: no length is beyond train_length, {trained}")
        if min(tested) > trained and rows.metric.iloc[0] != "bits_per_byte":
            raise Refused(
                f"task {echoed(task)}: no length up to train_length, {trained}, so nobody knows who learned the task"
            )
        blind = rows.groupby("length")[["blind_exact_match", "blind_token_accuracy", "blind_bits"]].nunique(
            dropna=False
        )
        if (blind > 1).to_numpy().any():
            raise Refused(f"task {echoed(task)}: runs differ in the blind baseline, which is a property of the task")


def _text(table: pd.DataFrame, name: str) -> pd.Series:
    values = table[name].astype(object)
    for row, value in enumerate(values):
        if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 200:
            raise Refused(f"row {row}: {name} is {echoed(repr(value))}, not a printable text of at most 200 characters")
    return values


def _whole(table: pd.DataFrame, name: str) -> pd.Series:
    values = _number(table, name, most=LARGEST)
    bad = values.notna() & (values % 1 != 0)
    if bad.any():
        raise Refused(f"row {bad.idxmax()}: {name} is {values[bad.idxmax()]}, not a whole number")
    return values


def _number(table: pd.DataFrame, name: str, *, most: float) -> pd.Series:
    """A column of numbers from 0 to ``most``; what is not needed may be unknown."""
    given = table[name]
    values = pd.Series(pd.to_numeric(given, errors="coerce"), dtype=float)
    bad = given.notna() & ~((values >= 0) & (values <= most) & np.isfinite(values))
    if name in NEEDED:
        bad |= given.isna()
    if bad.any():
        where = int(bad.idxmax())
        upper = "" if most in (math.inf, LARGEST) else f" to {most:g}"
        raise Refused(f"row {where}: {name} is {echoed(given.iloc[where])}, not a number from 0{upper or ' up'}")
    return values


def _refuse(bad: pd.Series, counts: pd.DataFrame, objection: Any) -> None:
    """Raise :class:`Refused` with what is objected to the first bad row."""
    if bad.any():
        row = counts.loc[bad.idxmax()]
        raise Refused(f"{_where(row)}, length {row.length}: {objection(row)}")


def _where(row: Any) -> str:
    return f"task {echoed(row.task)}, method {echoed(row.method)}, seed {row.seed}"


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
