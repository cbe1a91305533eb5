"""Compose lookup tables."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import product
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task

STRINGS = tuple("".join(bits) for bits in product("01", repeat=3))
MOST_TABLES = 64


class LookupTables(Task):
    """Length counts the tables that are looked up one after another. A table is a bijection of the eight strings of
    three bits. String and tables are independent and uniform; a table may come again.

    ``answer``: the ``steps``, the given string and what each table makes of the one before, or only the ``last``.

    Example: ``110 t2 t8 -> 110 111 101``; what the tables say is learned from the data.

    Liška et al. (2018), "Memorize or generalize?", arXiv 1802.06467; longer compositions are in Dubois et al. (2020),
    "Location attention for extrapolation to longer sequences", arXiv 1911.03872, whose data trains on up to three
    tables. The tables are our own: table k lists the strings by the SHA-256 of "k string". Those papers also hold out
    strings, compositions and tables; here only longer compositions are.

    Raises :class:`ValueError` unless there are 1 to 64 tables.
    """

    version = 1

    def __init__(self, *, tables: int = 8, answer: Literal["steps", "last"] = "steps") -> None:
        if not 1 <= tables <= MOST_TABLES:
            raise ValueError(f"tables={tables}: there are between 1 and {MOST_TABLES}")
        if answer not in ("steps", "last"):
            raise ValueError(f"answer={answer}: it is steps or last")
        self.tables = tuple(f"t{number + 1}" for number in range(tables))
        self.answer = answer
        self.alphabet = (*STRINGS, *self.tables)
        self._made = np.array([[STRINGS.index(_listed(table)[place]) for place in range(8)] for table in self.tables])

    @property
    def outputs(self) -> tuple[str, ...]:
        return STRINGS

    def prompt_length(self, length: int) -> int:
        return length + 1

    def answer_length(self, length: int) -> int:
        return length + 1 if self.answer == "steps" else 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        tables = rng.integers(len(self.tables), size=(count, length))
        steps = np.empty((count, length + 1), np.int64)
        steps[:, 0] = rng.integers(len(STRINGS), size=count)
        for place in range(length):
            steps[:, place + 1] = self._made[tables[:, place], steps[:, place]]
        prompt = np.concatenate([steps[:, :1], len(STRINGS) + tables], axis=1)
        answer = steps if self.answer == "steps" else steps[:, -1:]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        steps = [prompt[0]]
        for table in prompt[1:]:
            steps.append(_listed(table)[int(steps[-1], base=2)])
        return steps if self.answer == "steps" else steps[-1:]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """Tables are looked up, but not one after another."""

        def each(prompt: Sequence[str]) -> list[str]:
            return [prompt[0], *(self.solve([prompt[0], table])[-1] for table in prompt[1:])]

        if self.answer == "steps":
            return {"each table of the given string": each}
        return {"last table of the given string": lambda prompt: self.solve([prompt[0], prompt[-1]])}


def _listed(table: str) -> list[str]:
    """What a table makes of 000, 001, 010, ..."""
    return sorted(STRINGS, key=lambda string: sha256(f"{table[1:]} {string}".encode()).digest())
