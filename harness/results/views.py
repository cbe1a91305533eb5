"""What of a leaderboard is shown, and how it is arranged: columns, order, groups, or one axis against another."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from harness.errors import Refused, unknown
from harness.results import overall

MIXED = "‡"
"""Marks a range over seeds that stands in place of an interval."""

BASELINES = ("(chance)", "(blind)", "(shortcut)", "(oracle)")
"""The columns of a task's baselines beside its methods; of several shortcuts the best."""


class Key(NamedTuple):
    """A column to sort by."""

    column: str
    descending: bool


class View(NamedTuple):
    """What was asked for; empty where nothing was."""

    columns: list[str]
    sort: list[Key]
    groups: list[str]
    pivot: list[str]
    value: str

    @property
    def plain(self) -> bool:
        """Whether the whole leaderboard is shown, as it is."""
        return not (self.columns or self.sort or self.groups or self.pivot)


PLAIN = View([], [], [], [], "score")
"""The whole leaderboard."""


class Pivot(NamedTuple):
    """One axis against another."""

    values: pd.DataFrame
    """A row for each value of the first axis, a column for each of the second."""
    covered: pd.DataFrame
    """Over how many tasks each value is a mean."""
    tasks: pd.Series
    """How many tasks each row has, in any of its cells."""
    best: pd.DataFrame
    """Where the best of a row is."""
    near: pd.DataFrame
    """Where a method is whose rank may be the first too."""
    intervals: dict[tuple[str, str], tuple[float, float, str]]
    """Of scores on one task, by row and column, the ends of their intervals over seeds, where there are such."""


def words(text: str | None) -> list[str]:
    """The parts of an option that lists columns."""
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def sort_keys(text: str | None) -> list[Key]:
    """What ``--sort`` says: columns, each with ``desc`` behind it or not. Raises :class:`Refused`."""
    keys = []
    for part in words(text):
        column, *order = part.split()
        if order not in ([], ["asc"], ["desc"]):
            raise Refused(f"--sort {part}: a column, then asc or desc or nothing, as in --sort 'score desc, method'")
        keys.append(Key(column, order == ["desc"]))
    return keys


def check(view: View, board: pd.DataFrame) -> None:
    """Raise :class:`Refused` for a column that a leaderboard does not have, or a view that means nothing."""
    named = {"--columns": view.columns, "--sort": [key.column for key in view.sort], "--group": view.groups}
    for option, names in {**named, "--pivot": view.pivot, "--value": [view.value]}.items():
        for name in names:
            if name not in board:
                raise Refused(f"{option}: {unknown('column', name, map(str, board.columns), 'columns')}")
    if view.pivot and (len(view.pivot) != 2 or len(set(view.pivot)) != 2):
        raise Refused(f"--pivot {','.join(view.pivot)}: two columns, of rows and of columns, as in --pivot task,method")
    if view.pivot and (view.columns or view.sort or view.groups):
        raise Refused("--pivot has rows and columns of its own: leave out --columns, --sort and --group")
    if view.pivot and not pd.api.types.is_numeric_dtype(board[view.value]):
        raise Refused(f"--value {view.value}: this column holds no numbers")


ENDS = ("learned_by_chance", "score_min", "score_max", "score_low", "score_high")
"""The columns of a leaderboard that :func:`ends` looks at."""


def ends(row: Mapping[Hashable, Any]) -> tuple[float, float, str]:
    """What is shown as the interval of a score: its t interval over seeds, or their range and a mark where that would
    be too narrow (:func:`harness.results.statistics.seeds.learned_by_chance`).
    """
    if row["learned_by_chance"] is True:
        return row["score_min"], row["score_max"], MIXED
    return row["score_low"], row["score_high"], ""


def rows(view: View, board: pd.DataFrame) -> pd.DataFrame:
    """The rows of the leaderboard in the order of a view, with all columns. Rows of one group stand together."""
    if view.groups:
        board = board.sort_values(view.groups, kind="stable")
    if view.sort:
        keys = [Key(name, False) for name in view.groups] + view.sort
        board = board.sort_values(
            [key.column for key in keys], ascending=[not key.descending for key in keys], kind="stable"
        )
    return board.reset_index(drop=True)


def columns(view: View, board: pd.DataFrame) -> list[str]:
    """The columns of a view in a file of data: those of its groups come first."""
    chosen = view.columns or list(board.columns)
    return list(dict.fromkeys([*view.groups, *chosen])) if view.groups else chosen


def pivot(view: View, board: pd.DataFrame, ways: Sequence[str] = ()) -> Pivot:
    """One axis against another, in the cells the mean over the tasks that there are. Where ``method`` is an axis it is
    what was chosen on the axes on which the methods differ. ``ways`` are filters that may tell methods apart.

    Raises :class:`Refused` where a cell has several methods of one task.
    """
    methods = board[board.kind == "method"]
    methods = methods.assign(method=overall.names_over_tasks(methods)).astype(dict.fromkeys(view.pivot, object))
    if "task" not in view.pivot:
        methods = methods[methods.metric != "bits_per_byte"]
    if methods.empty:
        raise Refused("--pivot: no method here is scored by right answers or tokens")
    overall.check_one_each(methods.assign(name=board.method), view.pivot, ways)
    table = pd.concat([methods, _baselines(board)]) if set(view.pivot) == {"task", "method"} else methods
    table = table.assign(best=table["rank"] == 1, near=(table["rank"] > 1) & (table.rank_best == 1))
    cells = table.groupby(view.pivot, sort=True)
    values, covered = (made.unstack() for made in (cells[view.value].mean(), cells[view.value].count()))
    rows, order = (_order(list(labels)) for labels in (values.index, values.columns))
    best, near = (
        cells[mark].any().unstack().reindex(index=rows, columns=order).astype("boolean").fillna(False).astype(bool)
        for mark in ("best", "near")
    )
    intervals: dict[tuple[str, str], tuple[float, float, str]] = {}
    if view.value == "score" and "task" in view.pivot:
        known = table[table.score_low.notna()].set_index(view.pivot)
        intervals = dict(zip(known.index, map(ends, known[list(ENDS)].to_dict("records")), strict=True))
    else:
        best, near = best & False, near & False
    values, covered = (made.reindex(index=rows, columns=order) for made in (values, covered.fillna(0)))
    totals = methods.groupby(view.pivot[0]).task_id.nunique()
    return Pivot(values, covered.astype(int), totals, best, near, intervals)


def _order(labels: list[Any]) -> list[Any]:
    """The values of an axis in their order, baselines last."""
    return [label for label in labels if label not in BASELINES] + [name for name in BASELINES if name in labels]


def _baselines(board: pd.DataFrame) -> pd.DataFrame:
    """The rows of the tasks' baselines, with one name for all shortcuts: the best of a task stands for them."""
    known = board[board.kind == "baseline"]
    known = known.assign(method=known.method.where(~known.method.str.startswith("(shortcut"), "(shortcut)"))
    better = known.score.where(known.metric != "bits_per_byte", -known.score).fillna(-math.inf)
    return known.loc[better.groupby([known.task_id, known.method]).idxmax()]
