"""Random search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from harness.rng import generator
from harness.search.base import Ended, Search, at
from harness.search.space import Point


class Random(Search):
    """Points drawn evenly from the space, or by logarithms where a range says so (Bergstra and Bengio, 2012).

    A point follows from ``seed`` and its number alone: methods that are searched by one command try the same values,
    and more trials begin with those of fewer.
    """

    def __init__(
        self,
        *,
        seed: Annotated[int, Field(ge=0, lt=2**32)] = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.seed = seed

    def next(self, ended: Sequence[Ended], kept: Path) -> list[Point]:
        return self.foreseen()[len(ended) :]

    def foreseen(self) -> list[Point]:
        return [
            {
                key: at(values, generator("random search", self.seed, number, key).random())
                for key, values in self.space.items()
            }
            for number in range(self.trials)
        ]
