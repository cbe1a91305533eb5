"""The results of many runs, for notebooks."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import Refused, counted, echoed
from harness.results.paths import records_folder

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from harness.results.frames import Frames

SHOWN = ("task", "rank", "method", "seeds", "in_distribution", "score", "score_low", "score_high", "reach", "note")
"""The columns of the leaderboard that a notebook shows."""
MOST_ROWS = 60
"""Rows that a notebook shows."""


class Results:
    """The results of many runs: tables (pandas) and figures (Matplotlib) of them. A notebook shows the leaderboard."""

    records: list[Path]
    """The files of the runs that finished, for :func:`harness.model`."""
    failed: pd.DataFrame
    """What has no scores: a row of ``run`` and ``reason`` for each run that failed, was not done or is impossible, and
    for each file that is no record.
    """

    def __init__(self, found: Frames, records: Sequence[Path], failed: Sequence[tuple[str, str]]) -> None:
        import pandas as pd

        self._found = found
        self.records = list(records)
        self.failed = pd.DataFrame(failed, columns=["run", "reason"])

    @property
    def table(self) -> pd.DataFrame:
        """A row for each run, extension and tested length, with the counts and what follows from them (the columns of
        ``curves.csv``).
        """
        from harness.results.tables import curves

        return curves(self._finished())

    @property
    def scores(self) -> pd.DataFrame:
        """A row for each run and extension: its score beyond the training length, the other measures, and its cost."""
        from harness.results.run_scores import run_scores

        return run_scores(self._finished())

    @property
    def learning(self) -> pd.DataFrame:
        """A row for each look of each run at held-out examples during training: ``step``, ``in_distribution`` and,
        with ``evaluation={"every": 50}``, ``out_of_distribution``.
        """
        from harness.results.learning_curves import learning_curves

        return learning_curves(self._finished())

    def leaderboard(self) -> pd.DataFrame:
        """A row for each task and method, best first, with intervals over seeds: the columns of ``leaderboard.csv``."""
        from harness.results.tables import leaderboard

        self._finished()
        return leaderboard(self._found)

    def warnings(self) -> pd.DataFrame:
        """What speaks against the leaderboard: ``task``, ``methods``, what is wrong, what to do. Empty if nothing."""
        from harness.results.warnings.table import table

        return table(self._finished())

    def plot(self, task: str | None = None) -> Figure:
        """The scores of one task at each length: a line for each method, from its worst seed to its best. ``task`` is
        its name in the tables, needed where there are several.
        """
        from harness.figures.curves import draw

        return draw(_of_task(self.table, task, "plot"))

    def plot_learning(self, task: str | None = None) -> Figure:
        """What was right of held-out examples against steps, on one task: a line for each run."""
        from harness.figures.learning import draw

        table = self.learning
        if table.empty:
            raise Refused("none of these runs has a learning curve: evaluation={'every': 50} makes one")
        return draw(_of_task(table, task, "plot_learning"))

    def __len__(self) -> int:
        """The number of runs that finished."""
        return len(self.records)

    def __repr__(self) -> str:
        lines = [self._counts()]
        if self.records:
            board = self._shown()
            lines.append(board.to_string(index=False, na_rep="", float_format="{:.3f}".format, max_rows=MOST_ROWS))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        said = f"<p>{html.escape(self._counts())}</p>"
        if not self.records:
            return said
        return said + self._shown().to_html(
            index=False, na_rep="", float_format="{:.3f}".format, max_rows=MOST_ROWS, justify="left"
        )

    def _counts(self) -> str:
        count = f"{counted(len(self.records), 'run')} finished"
        return f"{count}, {len(self.failed)} without scores (.failed says why)" if len(self.failed) else count

    def _shown(self) -> pd.DataFrame:
        board = self.leaderboard()
        board = board[board.kind == "method"]
        return board[[name for name in SHOWN if board[name].notna().any()]]

    def _finished(self) -> Frames:
        """All runs, of which one at least has scores."""
        if not self.records:
            raise Refused("none of these runs has finished: .failed says why")
        return self._found


def _of_task(table: pd.DataFrame, task: str | None, asked: str) -> pd.DataFrame:
    tasks = list(dict.fromkeys(table.task.astype(str)))
    if task is None and len(tasks) > 1:
        raise Refused(f"a figure is of one task: {asked}({tasks[0]!r}), for example. Tasks: {', '.join(tasks)}")
    if task is not None and task not in tasks:
        raise Refused(f"there is no task {echoed(task)!r} here. Tasks: {', '.join(tasks)}")
    return table[table.task.astype(str) == (task or tasks[0])]


def of_files(paths: Sequence[Path], reasons: Sequence[tuple[str, str]]) -> Results:
    """The results in these files, which a sweep has written; ``reasons`` are what became of its other runs."""
    from harness.results import frames, portions

    packed, rejected = portions.read(paths)
    found, _ = frames.in_order(frames.made(packed), [path.stem for path in paths])
    return _results(found, [path.parent for path in paths], [*reasons, *_of_lines(rejected)])


def load(*folders: str | Path) -> Results:
    """The results in folders of records, ``results`` if none is named: what ``python -m harness leaderboard`` reads::

        results = harness.load("results/core")
        results.leaderboard()[["task", "method", "score", "score_low", "score_high"]]

    The same run in two folders counts once. Files that are no records are in ``failed``. Raises
    ``harness.errors.Refused`` for a folder that does not exist, and where there is not one record. PyTorch is not
    loaded.
    """
    from harness.composition.arguments import existing
    from harness.results import collection

    places = existing([Path(folder) for folder in folders or ("results",)])
    found, rejected = collection.read(places)
    if found.runs.empty and not rejected:
        raise Refused(f"no record in {', '.join(map(str, places))}: run something first, or name its folder of results")
    return _results(found, [records_folder(place) for place in places], _of_lines(rejected))


def _results(found: Frames, places: Sequence[Path], reasons: Sequence[tuple[str, str]]) -> Results:
    runs = found.runs.drop_duplicates("record")
    finished = runs[runs.status == "finished"].record.astype(str)
    places = list(dict.fromkeys(places))
    files = [next((path for place in places if (path := place / f"{name}.json").is_file()), None) for name in finished]
    failed = runs[runs.status == "failed"]
    known = list(zip(failed.record.astype(str), failed.reason.astype(str), strict=True))
    return Results(found, [path for path in files if path is not None], [*known, *reasons])


def _of_lines(rejected: Sequence[str]) -> list[tuple[str, str]]:
    """The files that are no records, and why, of lines that begin with the file."""
    return [(name, reason) for name, _, reason in (line.partition(": ") for line in rejected)]
