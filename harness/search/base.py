"""The base of searches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from harness.declarations.bounds import Bounded
from harness.search.space import Choices, Point, Range, Space, read

LEARNING_RATE: Space = {"train.learning_rate": Range(1e-4, 1e-2, log=True)}
"""What is searched where nothing is said."""


class Ended(NamedTuple):
    """A trial that has ended: its point, and what it came to on held-out examples of the training lengths, the larger
    the better; ``None`` where training failed or the point is impossible.
    """

    point: Point
    value: float | None


class Search(Bounded, ABC):
    """Proposes points of a space. It is told what each came to on held-out examples of the training lengths, and
    nothing else: no record, no length, no test score ever reaches it.

    What it proposes follows from its options and from what it was told, so that a search that was interrupted goes on
    as if it had not been.
    """

    searches: bool = True
    """Whether this is a search at all."""

    def __init__(
        self,
        *,
        trials: Annotated[int, Field(ge=1, le=10_000)] = 20,
        seeds: Annotated[int, Field(ge=1, le=100)] = 1,
        objective: Literal["score", "loss"] = "score",
        space: object = {},
    ) -> None:
        self.trials = trials
        self.seeds = seeds
        self.objective = objective
        self.space = read(space) or self.usual()

    def usual(self) -> Space:
        """The space where none is given."""
        return LEARNING_RATE

    @property
    def budget(self) -> int:
        """How many trials there will be."""
        return self.trials

    def foreseen(self) -> list[Point]:
        """The points that are known before any trial has ended."""
        return []

    @abstractmethod
    def next(self, ended: Sequence[Ended], kept: Path) -> list[Point]:
        """The points to try after these, which are those that it proposed before, in their order; none when the search
        is over. ``kept`` is a file that this search alone may write.
        """


def at(values: Range | Choices, share: float) -> Any:
    """The value of a range or a list that has this share, below 1, of the others before it."""
    return values.at(share) if isinstance(values, Range) else values.values[int(share * len(values.values))]
