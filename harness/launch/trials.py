"""The trials of one search: the runs that each is made of, what they came to, the table of them, and the best."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from harness import atomic
from harness.config import identity, instantiation
from harness.config.schema import SWEEP, Run, Selection
from harness.errors import Refused
from harness.files.escaping import escape
from harness.launch.cells import Cell, cell, record_of
from harness.launch.objective import HeldOut, held_out, mean
from harness.progress import say
from harness.results.titles import axes
from harness.search.base import Ended, Search
from harness.search.space import Choices, Point, Range
from harness.system.owner import Process

Attempt = tuple[list[str], Run | Refused]
"""The overrides of a run, and the run or why there is none."""
Vary = Callable[[Sequence[str], Mapping[str, JsonValue]], Attempt]
"""Composes a run of a cell's overrides with other values for some keys."""

FIRST_SEED = 1_000_000
"""Seeds of trials are from here on, those that are asked for left out."""
SHOWN = 10
"""Trials that are printed, the best ones; all are in the table."""


class Trial(NamedTuple):
    """A trial that has ended: what was set, its runs by seed, what they have right of held-out examples, which is
    ``None`` where one failed, and why.
    """

    number: int
    point: Point
    runs: Sequence[Cell]
    found: HeldOut | None
    reason: str


class Trials:
    """The trials of one search: of one cell of the command line, whose runs differ in their seeds alone."""

    def __init__(self, words: Sequence[str], runs: Sequence[Run], results: str, vary: Vary) -> None:
        self.words = [word for word in words if word.lstrip("+").partition("=")[0].partition(".")[0] != "sweep"]
        self.base = runs[0]
        self.asked = [run.seed for run in runs]
        self.results = results
        """The folder of results of the trials, which is not that of what follows from them."""
        self._vary = vary
        self.search: Search = instantiation.make("sweep", self.base.sweep, self.base)
        self.search.space = {key: _fitting(key, values, self.base) for key, values in self.search.space.items()}
        self.name = self.title = _name(self.base)
        self.ended: list[Trial] = []

    @property
    def journal(self) -> Path:
        """The file in which a search keeps its own state."""
        return Path(self.results) / f"{self.name}.journal"

    @property
    def table(self) -> Path:
        return Path(self.results) / f"{self.name}.csv"

    @property
    def lease(self) -> Path:
        """The folder of the lease of whoever does this search."""
        return Path(self.results) / f"{self.name}.lease"

    def say_waiting(self, other: Process) -> None:
        """Say that another process does this search."""
        say(f"waiting for {other}, which does the search {self.name}")

    @property
    def seeds(self) -> list[int]:
        """The seeds of trials: none of them is one of the runs that follow."""
        return [seed for seed in range(FIRST_SEED, FIRST_SEED + 2000) if seed not in self.asked][: self.search.seeds]

    @property
    def said(self) -> list[str]:
        """What the command line says of the cell besides its task and its encoding."""
        return axes(self.base.model_dump())

    def next(self) -> list[Point]:
        """The points to try next."""
        return self.search.next([Ended(one.point, self._value(one)) for one in self.ended], self.journal)

    def attempts(self, point: Point) -> list[Attempt]:
        """The runs of a trial. They differ from those that follow in their seeds, and in that they are not tested: a
        record has to have one length beyond training, and theirs have one example of it.
        """
        trained = self.base.lengths.train
        tested = identity.tested_lengths(self.base, instantiation.task(self.base))
        where: dict[str, JsonValue] = {
            "evaluation.examples": 1,
            "lengths.grid": [trained, min(length for length in tested if length > trained)],
            "results": self.results,
        }
        said = {"selection": Selection(kind=self.base.sweep.name), "part_of": self.name}
        return [self._made({**point, **where, "seed": seed}, said) for seed in self.seeds]

    def winners(self, best: Trial) -> list[Attempt]:
        """The runs that follow, with the seeds that were asked for and the best settings."""
        said = Selection(
            trials=len(self.ended), learning_rates=self._rates(), kind=self.base.sweep.name, search=self.name
        )
        return [self._made({**best.point, "seed": seed}, {"selection": said}) for seed in self.asked]

    def end(self, point: Point, attempts: Sequence[Attempt]) -> None:
        """Take note of what has become of the runs of a trial, all of which have ended."""
        cells = [cell(words, run) for words, run in attempts if isinstance(run, Run)]
        found, reason = [], next((str(run) for _, run in attempts if isinstance(run, Refused)), "")
        for one in cells:
            record = record_of(one)
            if record is None or not record.held_out:
                reason = reason or (record.reason if record else "") or "it left no record"
            else:
                found.append(held_out(record.held_out, record.task.metric))
        whole = mean(found) if found and len(found) == len(attempts) else None
        self.ended.append(Trial(len(self.ended), point, cells, whole, "" if whole else reason))

    def best(self) -> Trial | None:
        """The trial with the best value; of several, that with the least loss, then the first."""
        able = [one for one in self.ended if one.found is not None]
        return min(able, key=self._order, default=None)

    def write(self) -> None:
        """Write the table of all trials."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        keys = list(self.search.space)
        best = self.best()
        rows.writerow(["trial", *keys, "score", "loss", "chosen", "state", "reason", "seeds", "records"])
        for one in self.ended:
            measured = ["", ""] if one.found is None else [f"{one.found.score:.6g}", f"{one.found.loss:.6g}"]
            state = "finished" if one.found else "failed" if one.runs else "impossible"
            rows.writerow(
                [
                    one.number,
                    *(_cell(one.point[key]) for key in keys),
                    *measured,
                    best is not None and one.number == best.number,
                    state,
                    escape(one.reason).replace("\n", " "),
                    " ".join(str(run.run.seed) for run in one.runs),
                    " ".join(run.name for run in one.runs),
                ]
            )
        atomic.write(self.table, text.getvalue())

    def lines(self) -> list[str]:
        """The best trials, as they are printed."""
        keys, best = list(self.search.space), self.best()
        header = ["trial", *keys, "score", "loss", ""]
        shown = sorted(self.ended, key=self._order)
        body = [
            [
                str(one.number),
                *(_cell(one.point[key]) for key in keys),
                *([f"{one.found.score:.4f}", f"{one.found.loss:.3g}"] if one.found else ["", ""]),
                "chosen" if one is best else "" if one.found else escape(one.reason)[:60],
            ]
            for one in shown[:SHOWN]
        ]
        widths = [max(map(len, column)) for column in zip(header, *body, strict=True)]
        lines = [f"{self.title}: {len(self.ended)} trials, on held-out examples of the training lengths"]
        for row in [header, *body]:
            *first, last = (text.rjust(width) for text, width in zip(row, widths, strict=True))
            lines.append("  ".join([*first, last.strip()]).rstrip())
        if len(shown) > SHOWN:
            lines.append(f"and {len(shown) - SHOWN} more")
        return [*lines, f"table {self.table}"]

    def _order(self, one: Trial) -> tuple[float, float, int]:
        if one.found is None:
            return (float("inf"), 0.0, one.number)
        return (-one.found.value(self.search.objective), one.found.loss, one.number)

    def _value(self, one: Trial) -> float | None:
        return None if one.found is None else one.found.value(self.search.objective)

    def _rates(self) -> int:
        rates = {one.point.get("train.learning_rate", self.base.train.learning_rate) for one in self.ended}
        return len({float(str(rate)) for rate in rates})

    def _made(self, values: Mapping[str, JsonValue], changes: Mapping[str, Any]) -> Attempt:
        words, made = self._vary(self.words, values)
        return words, made if isinstance(made, Refused) else made.model_copy(update={**changes, "sweep": SWEEP})


def _name(run: Run) -> str:
    """The name of a search: that of the task and the encoding, and a digest of what is searched for and how. More
    trials of the same are the same search.
    """
    said = {**run.sweep.model_dump(mode="json")}
    said["options"] = {key: value for key, value in run.sweep.options.items() if key != "trials"}
    training = identity.training(run.model_copy(update={"seed": 0}), instantiation.task(run))
    return f"{run.task.name}-{run.encoding.name}-{identity.digest({'sweep': said, 'training': training})}"


def _fitting(key: str, values: Range | Choices, run: Run) -> Range | Choices:
    """A range between whole numbers as one of all numbers, where the key takes all."""
    node: Any = run.model_dump()
    for part in key.split("."):
        node = node.get("options", node).get(part) if isinstance(node, dict) else None
    if isinstance(values, Range) and values.whole and isinstance(node, float):
        return values._replace(low=float(values.low), high=float(values.high))
    return values


def _cell(value: JsonValue) -> str:
    """A value in a table. What would begin a formula in a spreadsheet gets an apostrophe."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value)
    text = escape(text)
    return f"'{text}" if isinstance(value, str) and text[:1] in "=+-@\t" else text
