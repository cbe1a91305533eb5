"""Whether the baselines of a record are those of its task: they are computed again at three lengths."""

import math
from collections.abc import Iterator, Sequence

from harness.evaluation import baselines, blind
from harness.evaluation.baselines import Baselines
from harness.results.records import Answers, Chance, Record
from harness.verification.configs import Known
from harness.verification.denominators import LARGEST

PRECISION = 1e-9
"""Relative differences up to this are rounding: sums of floats depend on the version of NumPy."""


class Recomputed:
    """Computes baselines, those of a task and length once for all records."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, int, int], Baselines] = {}

    def objections(self, record: Record, known: Known) -> Iterator[str]:
        """Where the baselines of a finished record are others, at the shortest length that was tested, the longest that
        was trained and the longest that was tested.
        """
        tested = [row.length for row in record.blind]
        trained = max(length for length in tested if length <= record.train_length)
        for length in dict.fromkeys((tested[0], trained, tested[-1])):
            if blind.SAMPLES * known.layout.width(known.task, length) <= LARGEST:
                yield from _at_length(record, length, self._baselines(known, length))

    def _baselines(self, known: Known, length: int) -> Baselines:
        examples = known.run.evaluation.examples
        key = (id(known.task), type(known.layout).__name__, examples, length)
        if key not in self._known:
            self._known[key] = baselines.compute(known.task, known.layout, [length], examples)
        return self._known[key]


def _at_length(record: Record, length: int, found: Baselines) -> Iterator[str]:
    said: dict[str, Sequence[Answers | Chance]] = {"blind": record.blind, "chance": record.chance}
    said |= {f"shortcut {name}": rows for name, rows in record.shortcuts.items()}
    wanted: dict[str, Answers | Chance] = {"blind": found.blind[0], "chance": found.chance[0]}
    wanted |= {f"shortcut {name}": rows[0] for name, rows in found.shortcuts.items()}
    for name, rows in said.items():
        if name not in wanted:
            yield f"{name}: {record.task.name} has no such shortcut"
            continue
        for row in rows:
            if row.length == length:
                yield from _differences(f"{name} at length {length}", row, wanted[name])


def _differences(where: str, said: Answers | Chance, wanted: Answers | Chance) -> Iterator[str]:
    for key, value in said.model_dump().items():
        is_ = getattr(wanted, key, None)
        if value is None or value == is_:
            continue
        if not (isinstance(value, float) and is_ is not None and math.isclose(value, is_, rel_tol=PRECISION)):
            yield f"{where}: {key} is {value}, and computed again it is {is_}"
