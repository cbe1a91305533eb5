"""What the page shows, as one JSON value: tasks, methods, cells (a method on a task), runs, and what they share."""

import json
import math
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import Refused
from harness.figures.colours import COLOURS, MARKERS, looks
from harness.files.escaping import escape
from harness.page import cautions, columns, sources
from harness.progress import shown
from harness.results import measures, metrics, summaries, tables
from harness.results.descriptions import AXES
from harness.results.frames import Frames

NUMBERS = (
    *("rank", "rank_best", "rank_worst", "score", "score_low", "score_high", "score_median", "score_iqm"),
    *("score_min", "score_max", "score_converged", "in_distribution", "seeds", "converged", "converged_low"),
    *("converged_high", "above_guess", "area", "reach", "reach_multiple", "reach_half", "exact_match"),
    *("token_accuracy", "bits", "farther", "farther_share", "parameters", "steps", "examples", "training_seconds"),
)
"""The columns of the leaderboard that the page has, as numbers."""


_CELL_COLUMNS = ("task", "method", "id", "ranked", "censored", "half_censored", "by_chance", "guess", "note")


class Table:
    """Values that many rows share, each once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, value: Any) -> int:
        """The number of a JSON value in the table."""
        key = json.dumps(value, sort_keys=True)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(value)
        return self._numbers[key]


def page_data(found: Frames, folders: Sequence[Path]) -> dict[str, Any]:
    """The JSON value of the page. Raises :class:`Refused` if no run finished."""
    found = tables.once(found)
    if not (found.runs.status == "finished").any():
        raise Refused("no finished record: there is nothing to show")
    runs = measures.beside(tables.named(found), found)
    names = columns.named(found, runs)
    runs = runs.assign(
        method=[names[key] for key in zip(runs.task_id, runs.method_id, strict=True)],
        solved=runs.summary_in_distribution >= metrics.CONVERGED,
    )
    board = tables.leaderboard(found)
    tasks = board.drop_duplicates("task_id").task_id.tolist()
    methods = sorted(set(runs.method))
    own = board[board.kind == "method"]
    shared = {name: Table() for name in ("notes", "guesses", "lengths", "configs", "texts")}
    return {
        "folders": [escape(folder.as_posix()) for folder in folders],
        "harness": sorted(set(runs.harness)),
        "axes": list(AXES),
        "quantiles": _quantiles(int(own.seeds.max())),
        "tasks": [_task(found, runs, board[board.task_id == task], shared["guesses"]) for task in tasks],
        "methods": _methods(runs, methods),
        "cell_columns": [*_CELL_COLUMNS, *NUMBERS],
        "cells": [
            [
                tasks.index(row["task_id"]),
                methods.index(names[row["task_id"], row["method_id"]]),
                row["method_id"],
                _converged(row),
                _flag(row["reach_censored"]),
                _flag(row["reach_half_censored"]),
                _flag(row["learned_by_chance"]),
                shared["guesses"].number(row["guess"] if isinstance(row["guess"], str) else ""),
                shared["notes"].number(row["note"]),
                *[_number(row[name]) for name in NUMBERS],
            ]
            for row in own.to_dict("records")
        ],
        "run_columns": _RUN_COLUMNS,
        "runs": _runs(found, runs, own, folders, shared),
        "cautions": cautions.lines(found, runs),
        **{name: table.values for name, table in shared.items()},
    }


def _task(found: Frames, runs: pd.DataFrame, board: pd.DataFrame, guesses: Table) -> dict[str, Any]:
    """A task with its baselines; the curve of blind, and of the strongest baseline where that is another."""
    first = board.iloc[0]
    finished = runs[(runs.task_id == first.task_id) & (runs.status == "finished")]
    strongest = board.guess.dropna().iloc[0] if board.guess.notna().any() else "blind"
    curves = []
    if len(finished):
        known = found.baselines[found.baselines.baseline == finished.baseline.max()]
        for name in dict.fromkeys(("blind", str(strongest))):
            rows = known[known.name == name].sort_values("length")
            rates = summaries.rates(rows)
            curves.append(
                {
                    "name": name,
                    "exact_match": _numbers(rates.exact_match.fillna(rows.exact_share)),
                    "token_accuracy": _numbers(rates.token_accuracy.fillna(rows.tokens_share)),
                    "bits_per_byte": _numbers(rates.bits),
                }
            )
    lengths = sorted({int(n) for n in found.scores.length[found.scores.run.isin(finished.index)]})
    return {
        "id": first.task_id,
        "label": first.task,
        "name": runs.task_name[runs.task_id == first.task_id].iloc[0],
        "metric": first.metric,
        "train": int(first.train_length),
        "longest": int(first.longest_tested),
        "lengths": lengths,
        "curves": curves,
        "baselines": [
            {
                "name": row["method"].strip("()"),
                "score": _number(row["score"]),
                "in_distribution": _number(row["in_distribution"]),
                "exact_match": _number(row["exact_match"]),
                "token_accuracy": _number(row["token_accuracy"]),
            }
            for row in board[board.kind == "baseline"].to_dict("records")
        ],
    }


def _methods(runs: pd.DataFrame, methods: list[str]) -> list[dict[str, Any]]:
    """The methods with their colours, which are those of the figures; ``line`` says which pattern of dashes stands for
    the marker there.
    """
    first = runs.drop_duplicates("method").set_index("method")
    drawn = looks(runs)
    return [
        {
            "label": name,
            "axes": [first[axis][name] for axis in AXES],
            "colour": COLOURS.index(drawn[name].colour),
            "line": MARKERS.index(drawn[name].marker),
        }
        for name in methods
    ]


_RUN_COLUMNS = [
    *("cell", "seed", "record", "path", "status", "reason", "finished", "device", "harness", "commit", "modified"),
    *("score", "in_distribution", "reach", "loss", "parameters", "steps", "seconds", "config", "command", "refusal"),
    *("lengths", "exact", "correct", "bits"),
]


def _runs(
    found: Frames, runs: pd.DataFrame, own: pd.DataFrame, folders: Sequence[Path], shared: dict[str, Table]
) -> list[list[Any]]:
    """A row for each run and extension. What many have in common is a number in one of the shared tables; counts are
    lists over the tested lengths.
    """
    place = {key: n for n, key in enumerate(zip(own.task_id, own.method_id, strict=True))}
    counts = found.scores.assign(bits=summaries.rates(found.scores).bits)
    per_run = dict(iter(counts.groupby("run", sort=False)))
    reader, text = sources.Sources(folders), shared["texts"].number
    rows = []
    with shown("page", len(runs)) as step:
        for number, run in zip(runs.index, runs.to_dict("records"), strict=True):
            source = reader.of(run["record"], run["status"])
            scores = per_run.get(number)
            command, _, _ = source.command.rpartition(" seed=")
            path, _, _ = source.path.rpartition("/")
            rows.append(
                [
                    place[run["task_id"], run["method_id"]],
                    run["seed"],
                    run["record"],
                    text(path),
                    run["status"],
                    text(run["reason"]),
                    source.finished,
                    text(source.device),
                    text(run["harness"]),
                    text(run["commit"]),
                    int(source.modified),
                    _number(run["summary_score"]),
                    _number(run["summary_in_distribution"]),
                    _number(run["summary_reach"]),
                    _number(run["final_loss"]),
                    _number(run["parameters"]),
                    _number(run["steps"]),
                    _number(run["training_seconds"]),
                    [shared["configs"].number({key: value}) for key, value in source.config.items()],
                    text(command),
                    text(source.refusal),
                    *_counts(scores, run["metric"] == "bits_per_byte", shared["lengths"]),
                ]
            )
            step(number + 1)
    return rows


def _counts(scores: pd.DataFrame | None, bits: bool, lengths: Table) -> list[Any]:
    if scores is None:
        return [-1, [], [], []]
    of = lengths.number({name: scores[name].tolist() for name in ("length", "examples", "tokens")})
    return [of, scores.exact.tolist(), scores.correct.tolist(), _numbers(scores.bits) if bits else []]


def _quantiles(seeds: int) -> list[float]:
    """Student's t at 97.5 % for 1 to ``seeds`` - 1 degrees of freedom, after a 0."""
    from scipy.stats import t

    return [0.0, *(round(float(t.ppf(0.975, freedom)), 5) for freedom in range(1, max(2, seeds)))]


def _converged(row: dict[Hashable, Any]) -> int:
    """Whether a method may be ranked: half of its seeds or more converged. For text nothing is asked."""
    return int(row["seeds"] > 0 and (row["metric"] == "bits_per_byte" or row["converged"] * 2 >= row["seeds"]))


def _flag(value: Any) -> int:
    return int(value is True or value == 1.0)


def _number(value: Any) -> float | int | None:
    """A number with four digits, which JSON can hold; ``None`` for an unknown one."""
    if value is None or value is pd.NA or not math.isfinite(value):
        return None
    short = float(value) if abs(value) >= 1e4 else float(f"{value:.4g}")
    return int(short) if short.is_integer() else short


def _numbers(values: pd.Series) -> list[float | int | None]:
    return [_number(value) for value in values]
