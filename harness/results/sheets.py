"""A leaderboard as tables to be read: what a terminal, Markdown and LaTeX show of it."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import pandas as pd

from harness.results import columns as collected
from harness.results import views
from harness.results.views import View

HEADS = {
    "ranks": "rank",
    "method": "method",
    "seeds": "seeds",
    "solved": "converged",
    "in_distribution": "in distribution",
    "score": "score",
    "interval": "95 % interval",
    "above_blind": "above blind",
    "above_guess": "above best guess",
    "farther": "farther",
    "exact_match": "exact match",
    "token_accuracy": "token accuracy",
    "reached": "reach",
    "reached_half": "reach at .5",
    "steps": "steps",
    "training_seconds": "seconds",
    "note": "note",
}
"""What is shown where no columns are chosen, and how it is headed."""

PRINTED = ("ranks", "method", "seeds", "solved", "in_distribution", "score", "above_guess", "reached", "parameters")
"""What is printed on a page, where the interval stands behind the score."""

ABOVE_BLIND = {"exact_match": "exact_above_blind", "token_accuracy": "tokens_above_blind"}
"""For metrics that can be compared with the blind baseline, the column of the score above it."""
WHOLE = ("seeds", *collected.COSTS)
EXACT = ("learning_rate", "reach", "reach_half", "reach_multiple", "reach_half_multiple")
"""Numbers that are shown with all their digits, up to six."""

NEAR = "†"
MEANING = (
    f"Bold: the best of a task. {NEAR}: seeds leave it possible that this one is the best too (Welch's t tests of all "
    "pairs of a task with Holm's correction, 5 % level). Without a rank nothing is marked."
)
INTERVALS = (
    f"Behind a score its 95 % t interval over seeds. {views.MIXED}: their range instead, as some seeds learned the "
    "task and others not, so that a t interval would be too narrow."
)
OVER_TASKS = "Behind interquartile means and probabilities of improvement their 95 % intervals for other seeds."


class Cell(NamedTuple):
    """One cell of a table."""

    text: str
    small: str = ""
    """What stands behind the text in small type: an interval."""
    best: bool = False
    near: bool = False
    """Whether it cannot be told from the best."""


class Sheet(NamedTuple):
    """One table."""

    title: str
    heads: list[str]
    numbers: list[bool]
    """Which columns hold numbers, or what is aligned like them."""
    rows: list[list[Cell]]
    note: str = ""
    """What the small type in it means."""
    remark: str = ""
    """What is said of this table alone, below it."""


def terminal(board: pd.DataFrame, view: View) -> Iterator[Sheet]:
    """The tables of a leaderboard for a terminal: one per task, or per value of the view's groups."""
    for title, part in _parts(board, view):
        shown = _shown(part)
        metric = part.metric.iloc[0]
        names = view.columns or [name for name in HEADS if name != metric and shown[name].notna().any()]
        yield _sheet(title, names, shown)


def page(board: pd.DataFrame, view: View) -> Iterator[Sheet]:
    """The tables of a leaderboard for a page: few columns, intervals behind the scores."""
    for title, part in _parts(board, view):
        shown = _shown(part)
        names = view.columns or [name for name in PRINTED if shown[name].notna().any()]
        yield _sheet(title, names, shown, intervals="interval" not in names)


def pivot(table: views.Pivot, view: View, *, intervals: bool) -> Sheet:
    """One axis against another. Means over fewer tasks than the row has, have their number behind them; scores of one
    task, with ``intervals``, those.
    """
    over = "task" not in view.pivot
    rows = []
    for name, values in table.values.iterrows():
        total = int(table.tasks[name]) if over else 1
        cells = [Cell(str(total))] if over else []
        for column, value in values.items():
            covered = int(table.covered.loc[name, column])
            small = f"{covered} of {total}" if over and 0 < covered < total else ""
            if intervals and (ends := table.intervals.get((name, column))):
                small = f"[{_text('score', ends[0])}, {_text('score', ends[1])}]{ends[2]}"
            best, near = bool(table.best.loc[name, column]), bool(table.near.loc[name, column])
            cells.append(Cell(_text(view.value, value), small, best, near))
        rows.append([Cell(str(name)), *cells])
    title = f"{view.value.replace('_', ' ')} by {view.pivot[0]} and {view.pivot[1]}"
    heads = [view.pivot[0], *(["tasks"] if over else []), *map(str, table.values)]
    if over:
        title += ": mean over the tasks of a row; behind it, over how many if not all"
    return Sheet(title, heads, [False] + [True] * (len(heads) - 1), rows, "" if over else INTERVALS)


def over_tasks(title: str, rows: pd.DataFrame, remark: str) -> Sheet:
    """The rows of :func:`harness.results.overall.overall` on a page, with intervals for other seeds and, in columns of
    their own, for other tasks.
    """
    better = f"better than {', '.join(rows.method[rows.improvement.isna()])}"
    other = "for other tasks"
    heads = [
        "method",
        "tasks",
        "converged",
        "interquartile mean",
        other,
        "of converged",
        "mean rank",
        better,
        other,
        "p",
    ]
    made = []
    for row in rows.to_dict("records"):
        iqm, iqm_tasks, improvement, improvement_tasks = (
            "" if pd.isna(row[f"{name}_low"]) else f"[{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]"
            for name in ("iqm", "iqm_tasks", "improvement", "improvement_tasks")
        )
        made.append(
            [
                Cell(row["method"]),
                Cell(f"{row['tasks']} of {row['of_tasks']}"),
                Cell(f"{row['solved']} of {row['runs']}"),
                Cell(_text("iqm", row["iqm"]), iqm),
                Cell(iqm_tasks),
                *(Cell(_text(name, row[name])) for name in ("iqm_solved", "mean_rank")),
                Cell(_text("improvement", row["improvement"]), improvement),
                Cell(improvement_tasks),
                Cell(_text("p_value", row["p_value"])),
            ]
        )
    return Sheet(title, heads, [False] + [True] * 9, made, OVER_TASKS, remark)


def notes(sheets: Sequence[Sheet]) -> list[str]:
    """What the marks and the small type mean, if there are any."""
    cells = [cell for sheet in sheets for row in sheet.rows for cell in row]
    lines = [MEANING] if any(cell.best or cell.near for cell in cells) else []
    return [*lines, *dict.fromkeys(sheet.note for sheet in sheets if sheet.note and _has_small(sheet))]


def _has_small(sheet: Sheet) -> bool:
    return any(cell.small for row in sheet.rows for cell in row)


def _parts(board: pd.DataFrame, view: View) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each table, with its title."""
    if view.groups:
        for values, part in board.groupby(view.groups, sort=False, dropna=False):
            yield ", ".join(f"{name} {value}" for name, value in zip(view.groups, values, strict=True)), part
        return
    for (task, metric), part in board.groupby(["task", "metric"], sort=False):
        yield f"{task}: {metric.replace('_', ' ')} beyond length {part.train_length.iloc[0]}", part


def _shown(part: pd.DataFrame) -> pd.DataFrame:
    """The columns of a leaderboard, and those made of several of them."""
    blind = pd.Series(math.nan, part.index)
    for metric, column in ABOVE_BLIND.items():
        blind = blind.mask(part.metric == metric, part[column].astype(float))
    solved = zip(part.converged, part.converged_low, part.converged_high, strict=True)
    return part.assign(
        interval=[f"{ends[0]:.3f} to {ends[1]:.3f}{ends[2]}" if pd.notna(ends[0]) else None for ends in _ends(part)],
        ranks=[_ranks(*found) for found in zip(part["rank"], part.rank_best, part.rank_worst, strict=True)],
        solved=[_solved(*found) for found in solved],
        reached=_reached(part, "reach"),
        reached_half=_reached(part, "reach_half"),
        above_blind=blind,
    )


def _sheet(title: str, names: Sequence[str], shown: pd.DataFrame, *, intervals: bool = False) -> Sheet:
    columns = [[Cell(_text(name, value)) for value in shown[name].tolist()] for name in names]
    if "score" in names:
        score = names.index("score")
        best = (shown["rank"] == 1).fillna(False).tolist()
        first = (shown["rank"].notna() & (shown.rank_best == 1)).fillna(False).tolist()
        small = [
            f"[{_text('score', low)}, {_text('score', high)}]{mark}" if intervals and pd.notna(low) else ""
            for low, high, mark in _ends(shown)
        ]
        columns[score] = [
            Cell(cell.text, behind, bool(top), bool(near and not top))
            for cell, behind, top, near in zip(columns[score], small, best, first, strict=True)
        ]
    rows = [list(row) for row in zip(*columns, strict=True)]
    numbers = [name not in ("method", "task", "note", "guess") and not _is_text(shown[name]) for name in names]
    numbers = [
        number or name in ("ranks", "reached", "reached_half", "solved")
        for number, name in zip(numbers, names, strict=True)
    ]
    return Sheet(title, [HEADS.get(name, name.replace("_", " ")) for name in names], numbers, rows, INTERVALS)


def _ends(part: pd.DataFrame) -> Iterator[tuple[float, float, str]]:
    """What is shown as the interval of each score."""
    return map(views.ends, part[list(views.ENDS)].to_dict("records"))


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column)


def _ranks(rank: Any, best: Any, worst: Any) -> str | None:
    """A rank, and where seeds leave others possible these."""
    if pd.isna(rank):
        return None
    return f"{rank}" if pd.isna(best) or best == worst else f"{rank} ({best} to {worst})"


def _solved(converged: float, low: float, high: float) -> str | None:
    return f"{converged:.0f} ({low:.2f} to {high:.2f})" if low == low else None


def _reached(part: pd.DataFrame, name: str) -> list[str | None]:
    """The median over seeds; with > where it is the longest tested length, so that nobody knows where it ends."""
    return [
        None if reach != reach else f"{'>' if censored is True else ''}{reach:g}"
        for reach, censored in zip(part[name], part[f"{name}_censored"], strict=True)
    ]


def _text(column: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    if isinstance(value, bool | int) or column in EXACT:
        return f"{value:.6g}" if not isinstance(value, bool) else str(value).lower()
    return f"{value:z.0f}" if column in WHOLE else f"{value:z.3f}"
