"""Columns of numbers and of text, collected from records one by one: the raw material of
:class:`harness.results.frames.Frames`, without pandas, so that a process that reads records starts at once.
"""

import hashlib
import json
from collections.abc import Hashable, Iterable
from typing import Any, NamedTuple

import numpy as np

from harness.results import descriptions
from harness.results.descriptions import AXES, Description
from harness.results.records import Answers, Chance, Record

COUNTS = ("examples", "exact", "exact_given_length", "tokens", "correct", "ends", "ends_correct", "nats", "bytes")
KNOWN = ("examples", "exact", "tokens", "correct")
"""The counts that every row of scores has; the others may be unknown."""
SHARES = ("exact_share", "tokens_share", "without_ends_share")
COSTS = (
    "parameters",
    "steps",
    "examples",
    "training_tokens",
    "training_positions",
    "training_flops",
    "training_seconds",
    "evaluation_seconds",
    "peak_memory_bytes",
)
SELECTION = ("trials", "learning_rates_tried")
"""What stands behind the settings of a run, where a search chose them."""
TEXTS = {
    "runs": (
        "record",
        "training_name",
        "extension",
        "task_name",
        "task_id",
        "method_id",
        "metric",
        "status",
        "reason",
        "origin",
        *(axis for axis in AXES if axis != "extension"),
        "harness",
        "commit",
        "device",
    ),
    "scores": (),
    "slices": (),
    "looks": (),
    "baselines": ("name", "digest"),
}
"""The columns of text of each table."""
INTEGERS = {
    "runs": ("sealed", "seed", "train_length", "longest_tested", "task_version", "training_compared", "baseline"),
    "scores": ("run", "length", *KNOWN, "place"),
    "slices": ("run", "length", *KNOWN),
    "looks": ("run", "step"),
    "baselines": ("baseline", "length"),
}
"""The columns of integers that are always known. All further columns are numbers that may be unknown."""
NUMBERS = {
    "runs": ("final_loss", *COSTS, *SELECTION),
    "scores": (*(count for count in COUNTS if count not in KNOWN), "in_training"),
    "slices": tuple(count for count in COUNTS if count not in KNOWN),
    "looks": ("in_distribution", "out_of_distribution"),
    "baselines": (*COUNTS, *SHARES),
}


class Packed(NamedTuple):
    """The columns of each table, and the tasks and methods by their ids."""

    tables: dict[str, dict[str, Any]]
    axes: dict[str, np.ndarray]
    """For each axis of the slices the value in each row, -1 where a row is not of this axis."""
    tasks: dict[str, dict[str, Any]]
    methods: dict[str, dict[str, Any]]


class Columns:
    """Collects records."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TEXTS}
        self._at: list[dict[str, int]] = []
        self._sets: dict[str, int] = {}
        self._known: dict[Hashable, int] = {}
        self._tasks: dict[str, dict[str, Any]] = {}
        self._methods: dict[str, dict[str, Any]] = {}

    def add(
        self,
        record: Record,
        described: tuple[Description, dict[str, Description]] | None = None,
        baselines: Hashable = None,
    ) -> None:
        """Add a record. Whoever knows them gives its task and methods, and a key of its baselines that only the same
        baselines have.
        """
        science: dict[str, Any] = record.science
        task, methods = described or (descriptions.task(science), descriptions.methods(science))
        self._tasks.setdefault(task.id, task.node)
        finished = record.status == "finished"
        number = self._baselines(record, baselines) if finished else -1
        costs = [None] * len(COSTS) if record.cost is None else [getattr(record.cost, name) for name in COSTS]
        chosen = record.config.get("selection")
        trials = [chosen.get(key) for key in ("trials", "learning_rates")] if isinstance(chosen, dict) else [None, None]
        origin = (science["training"].get("weights_from") or {}).get("training", "")
        first = len(self._rows["runs"])
        runs: dict[str, int] = {}
        for extension, method in methods.items():
            self._methods.setdefault(method.id, method.node)
            runs[extension] = first + len(runs)
            self._rows["runs"].append(
                (
                    record.name,
                    record.training_name,
                    extension,
                    record.task.name,
                    task.id,
                    method.id,
                    record.task.metric,
                    record.status,
                    record.reason,
                    origin,
                    *(name for axis, name in method.axes.items() if axis != "extension"),
                    str(record.provenance.get("harness", "")),
                    str(record.provenance.get("commit", "")),
                    str(record.provenance.get("device", "")),
                    bool(record.seal),
                    record.seed,
                    record.train_length,
                    max(science["tested"]),
                    record.task.version,
                    record.training_compared,
                    number,
                    record.final_loss,
                    *costs,
                    *trials,
                )
            )
        if finished:
            self._scores(record, runs)
            self._rows["looks"] += [
                (first, look.step, look.in_distribution, look.out_of_distribution) for look in record.looks
            ]

    def _scores(self, record: Record, runs: dict[str, int]) -> None:
        places = {row.length: place for place, row in enumerate(record.blind)}
        compared = {row.length: row.in_training for row in record.tests}
        scores = sorted(record.scores, key=lambda row: runs[row.extension]) if len(runs) > 1 else record.scores
        self._rows["scores"] += [
            (
                runs[row.extension],
                row.length,
                row.examples,
                row.exact,
                row.tokens,
                row.correct,
                places[row.length],
                row.exact_given_length,
                row.ends,
                row.ends_correct,
                row.nats,
                row.bytes,
                compared.get(row.length),
            )
            for row in scores
        ]
        slices = sorted(record.slices, key=lambda row: runs[row.extension]) if len(runs) > 1 else record.slices
        self._at += [row.at for row in slices]
        self._rows["slices"] += [
            (
                runs[row.extension],
                row.length,
                row.examples,
                row.exact,
                row.tokens,
                row.correct,
                row.exact_given_length,
                row.ends,
                row.ends_correct,
                row.nats,
                row.bytes,
            )
            for row in slices
        ]

    def _baselines(self, record: Record, key: Hashable) -> int:
        """The number of the set of baselines that a record has."""
        if key is None or key not in self._known:
            known: dict[str, Iterable[Answers | Chance]] = {
                "chance": record.chance,
                "blind": record.blind,
                **{f"shortcut {name}": rows for name, rows in record.shortcuts.items()},
            }
            rows = [(name, row.length, *_values(row)) for name, those in known.items() for row in those]
            digest = hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:32]
            if digest not in self._sets:
                self._sets[digest] = len(self._sets)
                self._rows["baselines"] += [(name, digest, self._sets[digest], *values) for name, *values in rows]
            if key is None:
                return self._sets[digest]
            self._known[key] = self._sets[digest]
        return self._known[key]

    def packed(self) -> Packed:
        """What has been collected, as arrays and lists."""
        tables: dict[str, dict[str, Any]] = {}
        for table, rows in self._rows.items():
            names = (*TEXTS[table], *INTEGERS[table], *NUMBERS[table])
            values = list(zip(*rows, strict=True)) if rows else [()] * len(names)
            tables[table] = {
                name: list(column)
                if name in TEXTS[table]
                else np.array(column, np.int64 if name in INTEGERS[table] else np.float64)
                for name, column in zip(names, values, strict=True)
            }
        axes = sorted({axis for at in self._at for axis in at})
        return Packed(
            tables,
            {axis: np.array([at.get(axis, -1) for at in self._at], np.int64) for axis in axes},
            self._tasks,
            self._methods,
        )


def _values(row: Answers | Chance) -> tuple[Any, ...]:
    if isinstance(row, Chance):
        return (*[None] * len(COUNTS), row.exact, row.tokens, row.without_ends)
    return (*[getattr(row, name, None) for name in COUNTS], *[None] * len(SHARES))
