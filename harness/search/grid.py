"""Grid search."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from harness.errors import Refused
from harness.search.base import Ended, Search
from harness.search.space import Choices, Point, Space

MOST = 10_000
"""Points of a grid."""
USUAL: Space = {"train.learning_rate": Choices([0.0003, 0.001, 0.003, 0.01])}


class Grid(Search):
    """Every combination of the listed values, and of ``points`` numbers of each range."""

    def __init__(
        self,
        *,
        seeds: Annotated[int, Field(ge=1, le=100)] = 1,
        objective: Literal["score", "loss"] = "score",
        space: object = {},
    ) -> None:
        super().__init__(seeds=seeds, objective=objective, space=space)
        if self.budget > MOST:
            raise Refused(f"sweep.space: this grid has {self.budget} points, and {MOST} are the most")

    def usual(self) -> Space:
        return USUAL

    @property
    def _axes(self) -> list[list[Any]]:
        """The values of each key."""
        axes = self.space.values()
        return [values.values if isinstance(values, Choices) else values.spread() for values in axes]

    @property
    def budget(self) -> int:
        return math.prod(map(len, self._axes))

    def next(self, ended: Sequence[Ended], kept: Path) -> list[Point]:
        return self.foreseen()[len(ended) :]

    def foreseen(self) -> list[Point]:
        return [dict(zip(self.space, values, strict=True)) for values in itertools.product(*self._axes)]
