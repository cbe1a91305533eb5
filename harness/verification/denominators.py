"""What the counts of a record are counts of: its test examples are made again and counted.

Test examples come from a generator whose seed is the task, its version and the length, the same for every run, so
anyone can make them again. What a record says of them is then known: how many examples, scored tokens, ends of answers
and bytes there are, along each axis too, how many tokens the longest has, and how often prompts repeat.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from harness.data import test_examples
from harness.evaluation import blind
from harness.layouts.special_tokens import EOS
from harness.results.records import Answers, Record, SliceRow
from harness.verification.configs import Known
from tasks.base import Batch

LARGEST = 2**23
"""Tokens of the examples of one length that are made again; more would take seconds and gigabytes."""

At = tuple[tuple[str, int], ...]
"""The values on axes of some examples or tokens, by name in alphabetical order."""


class Counted(NamedTuple):
    """The numbers of some examples, or of some of their tokens."""

    examples: int
    tokens: int
    ends: int
    bytes: int | None


class Examples(NamedTuple):
    """What is known of the test examples of one length."""

    all: Counted
    slices: Mapping[At, Counted]
    longest: int
    different: int | None
    most_frequent: int | None


class Remade:
    """Makes the test examples of tasks again, those of a length once for all records."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, int, int], Examples] = {}

    def examples(self, known: Known, length: int) -> Examples | None:
        """The test examples of a length; ``None`` if they are too large."""
        wanted = known.run.evaluation.examples
        if wanted * known.layout.width(known.task, length) > LARGEST:
            return None
        key = (id(known.task), type(known.layout).__name__, wanted, length)
        if key not in self._known:
            self._known[key] = _examples(known, length, wanted)
        return self._known[key]


def objections(record: Record, known: Known, remade: Remade, lengths: Sequence[int]) -> Iterator[str]:
    """Where the numbers of a record at these lengths are not those of its test examples."""
    for length in lengths:
        if (found := remade.examples(known, length)) is not None:
            yield from _at_length(record, length, found)


def too_large(known: Known, remade: Remade, lengths: Sequence[int]) -> list[int]:
    """Those of the lengths whose examples are too large to be made again."""
    return [length for length in lengths if remade.examples(known, length) is None]


def _at_length(record: Record, length: int, found: Examples) -> Iterator[str]:
    rows: list[tuple[str, Answers]] = [(row.extension, row) for row in record.scores if row.length == length]
    rows += [("blind", row) for row in record.blind if row.length == length]
    rows += [(name, row) for name, own in record.shortcuts.items() for row in own if row.length == length]
    for name, row in rows:
        yield from _differences(f"{name} at length {length}", row, found.all)
    slices: dict[tuple[str, tuple[str, ...]], dict[At, SliceRow]] = {}
    for part in record.slices:
        if part.length == length:
            at = tuple(sorted(part.at.items()))
            slices.setdefault((part.extension, tuple(axis for axis, _ in at)), {})[at] = part
    for (name, axes), parts in slices.items():
        wanted = {at: numbers for at, numbers in found.slices.items() if tuple(axis for axis, _ in at) == axes}
        if parts.keys() != wanted.keys():
            yield f"{name} at length {length}: its parts along {', '.join(axes)} are not those of the test examples"
            continue
        for at, part in parts.items():
            where = ", ".join(f"{axis} {value}" for axis, value in at)
            yield from _differences(f"{name} at length {length}, {where}", part, wanted[at])
    for fact in record.tests:
        if fact.length == length:
            for key in ("longest", "different", "most_frequent"):
                said, is_ = getattr(fact, key), getattr(found, key)
                if said is not None and said != is_:
                    yield f"test examples of length {length}: {key} is {said}, and made again it is {is_}"


def _differences(where: str, row: Answers, found: Counted) -> Iterator[str]:
    for key in Counted._fields:
        said = getattr(row, key, None)
        if said is not None and said != (is_ := getattr(found, key)):
            yield f"{where}: {key} is {said}, and made again it is {is_}"


def _examples(known: Known, length: int, wanted: int) -> Examples:
    task, layout = known.task, known.layout
    batch = blind.test_examples(task, length, wanted)
    tokens, ends, longest = [], [], 0
    for part in test_examples.portions(batch):
        arranged = layout.arrange(part, length)
        tokens.append(arranged.scored.sum(axis=1))
        ends.append(((arranged.targets == EOS) & arranged.scored).sum(axis=1))
        longest = max(longest, int(arranged.lengths.max(initial=0)))
    scored, ended = np.concatenate(tokens), np.concatenate(ends)
    sizes = None if batch.sizes is None else np.where(batch.scored, batch.sizes, 0)
    weights = None if sizes is None else sizes.sum(axis=1)

    def counted(rows: np.ndarray) -> Counted:
        own = None if weights is None else int(weights[rows].sum())
        return Counted(int(rows.sum()), int(scored[rows].sum()), int(ended[rows].sum()), own)

    slices = {at: counted(rows) for at, rows in _groups({k: v for k, v in batch.axes.items() if v.ndim == 1})}
    slices |= _token_slices(batch, sizes)
    repeats = {} if task.form == "stream" else test_examples.repetition(batch.prompt)
    everything = counted(np.ones(len(scored), bool))
    return Examples(everything, slices, longest, repeats.get("different"), repeats.get("most_frequent"))


def _token_slices(batch: Batch, sizes: np.ndarray | None) -> dict[At, Counted]:
    """Parts of the scored tokens, without the ends of answers."""
    row = np.nonzero(batch.scored)[0]
    weight = None if sizes is None else sizes[batch.scored]
    axes = {name: values[batch.scored] for name, values in batch.axes.items() if values.ndim == 2}
    return {
        at: Counted(
            len(np.unique(row[those])), int(those.sum()), 0, None if weight is None else int(weight[those].sum())
        )
        for at, those in _groups(axes)
    }


def _groups(axes: Mapping[str, np.ndarray]) -> Iterator[tuple[At, np.ndarray]]:
    """The combinations of values that occur, and where."""
    if axes:
        values = np.stack(list(axes.values()))
        for combination in np.unique(values, axis=1).T:
            at = tuple(sorted(zip(axes, combination.tolist(), strict=True)))
            yield at, (values == combination[:, None]).all(axis=0)
