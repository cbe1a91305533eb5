"""Columns of numbers and of text, collected from records one by one: the raw material of
:class:`harness.results.frames.Frames`, without pandas, so that a process that reads records starts at once.
"""

import hashlib
import json
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, NamedTuple, cast

import numpy as np

from harness.results import descriptions, trained_lengths
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
    "runs": (
        "sealed",
        "seed",
        "shortest_trained",
        "train_length",
        "longest_tested",
        "task_version",
        "training_compared",
        "baseline",
    ),
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


class Own(NamedTuple):
    """What a record has itself, that is like others."""

    names: tuple[str, str]
    """Of the record and of the training."""
    seed: int
    measured: tuple[float | None, ...]
    """The final loss, and :data:`COSTS`."""
    methods: dict[str, Description]
    """By extension."""
    origin: str
    """The training that it goes on from, if any."""
    trials: Sequence[Any]
    """The trials behind its settings."""


class Columns:
    """Collects records."""

    def __init__(self) -> None:
        self._rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TEXTS}
        self._at: list[dict[str, int]] = []
        self._more: dict[str, list[dict[str, np.ndarray]]] = {name: [] for name in TEXTS}
        self._axes: list[tuple[int, dict[str, np.ndarray]]] = []
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
        costs = [None] * len(COSTS) if record.cost is None else [getattr(record.cost, name) for name in COSTS]
        own = Own(
            (record.name, record.training_name),
            record.seed,
            (record.final_loss, *costs),
            methods,
            *behind(science, record.config),
        )
        first = self.add_runs(record, [own], task, baselines)
        if record.status == "finished":
            self._scores(record, {extension: first + place for place, extension in enumerate(methods)})
            self._rows["looks"] += [
                (first, look.step, look.in_distribution, look.out_of_distribution) for look in record.looks
            ]

    def add_runs(self, record: Record, owned: Sequence[Own], task: Description, baselines: Hashable) -> int:
        """Add the runs of records that have the task and the extensions of this one, and all else that is not their
        own. Return the number of the first run.
        """
        self._tasks.setdefault(task.id, task.node)
        number = self._baselines(record, baselines) if record.status == "finished" else -1
        rows, said = self._rows["runs"], record.provenance
        first, tested = len(rows), cast(list[int], record.science["tested"])
        program = [str(said.get(name, "")) for name in ("harness", "commit", "device")]
        result = (record.task.metric, record.status, record.reason)
        lengths = (trained_lengths.shortest(record), record.train_length, max(tested))
        where = (*lengths, record.task.version, record.training_compared, number)
        sealed = bool(record.seal)
        for own in owned:
            for extension, method in own.methods.items():
                self._methods.setdefault(method.id, method.node)
                axes = [name for axis, name in method.axes.items() if axis != "extension"]
                ids = (extension, record.task.name, task.id, method.id)
                measured = (sealed, own.seed, *where, *own.measured, *own.trials)
                rows.append((*own.names, *ids, *result, own.origin, *axes, *program, *measured))
        return first

    def add_rows(self, table: str, columns: dict[str, np.ndarray], axes: dict[str, np.ndarray] | None = None) -> None:
        """Add many rows to a table other than that of runs at once. What is not among the columns is unknown."""
        self._more[table].append(columns)
        if axes is not None:
            self._axes.append((len(columns["run"]), axes))

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
                else self._joined(table, name, np.array(column, np.int64 if name in INTEGERS[table] else np.float64))
                for name, column in zip(names, values, strict=True)
            }
        axes = sorted({axis for at in self._at for axis in at} | {axis for _, those in self._axes for axis in those})
        return Packed(tables, {axis: self._axis(axis) for axis in axes}, self._tasks, self._methods)

    def _joined(self, table: str, name: str, values: np.ndarray) -> np.ndarray:
        """A column with the rows that were added many at once behind it."""
        more = [part[name] if name in part else np.full(len(part["run"]), np.nan) for part in self._more[table]]
        return np.concatenate([values, *more]).astype(values.dtype, copy=False) if more else values

    def _axis(self, axis: str) -> np.ndarray:
        own = np.array([at.get(axis, -1) for at in self._at], np.int64)
        return np.concatenate([own, *[those.get(axis, np.full(count, -1)) for count, those in self._axes]])


def behind(science: dict[str, Any], config: dict[str, Any]) -> tuple[str, Sequence[Any]]:
    """The training that a run goes on from, if any, and the trials behind its settings."""
    chosen = config.get("selection")
    trials = [chosen.get(key) for key in ("trials", "learning_rates")] if isinstance(chosen, dict) else [None, None]
    return (science["training"].get("weights_from") or {}).get("training", ""), trials


def _values(row: Answers | Chance) -> tuple[Any, ...]:
    if isinstance(row, Chance):
        return (*[None] * len(COUNTS), row.exact, row.tokens, row.without_ends)
    return (*[getattr(row, name, None) for name in COUNTS], *[None] * len(SHARES))
