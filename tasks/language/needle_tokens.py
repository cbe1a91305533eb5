"""Needles in the tokens of a tokenizer: what is put in, asked and answered reads as the tokenizer cuts it in a text."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from tasks.base import ABSENT
from tasks.language.corpora import Document
from tasks.language.units import Unit

AROUND = 3
"""Tokens of a sequence that are no part of question and answer: its beginning, the separator, its end."""

WORDS = ("\u0120", "\u010a", "\u2581", "\u2423", "<0x0A>", "\\x0a")
"""How names of tokens begin that begin a word or a line, in byte-level vocabularies, SentencePiece's and our own."""

SPARE = 4
"""Tokens by which a needle, a question or an answer may be longer than one token a letter, where pieces meet."""


class Question(NamedTuple):
    """The tokens of one example: of each needle in the order of the text, of what is asked, and of the answer."""

    needles: list[list[int]]
    asked: list[int]
    answer: list[int]


class Needles:
    """Puts questions together for one unit of text. ``keys``, ``queries`` and ``digits`` are as in
    :class:`tasks.language.needle.Needle`; ``needles`` are all that are put in, ``answers`` the values that are asked
    for.
    """

    def __init__(self, unit: Unit, *, needles: int, queries: int, answers: int, digits: int) -> None:
        self.unit = unit
        self.plural = answers > 1
        said = self.count(self.needle("", "")) + 4 + digits + SPARE
        asked = self.count(self.question([])) + 2 * queries * (4 + 2) + SPARE
        self.longest_answer = answers * (digits + 2)
        self.shortest = needles * said + asked + self.longest_answer + AROUND
        """The tokens of the shortest sequence that has room for it all."""

    def needle(self, key: str, value: str) -> str:
        return f" The magic number of {key} is {value}."

    def question(self, keys: Sequence[str]) -> str:
        """It ends where a colon and the answer follow: the separator may stand for the colon."""
        named = ", ".join(keys)
        return (
            f"\nWhat are the magic numbers of {named}? The magic numbers of {named}"
            if self.plural
            else f"\nWhat is the magic number of {named}? The magic number of {named}"
        )

    def made(self, said: Sequence[tuple[str, str]], asked: Sequence[str], values: Sequence[str]) -> Question:
        """The tokens of needles, question and answer."""
        needles = [self.tokens(self.needle(*one)) for one in said]
        return Question(needles, self.tokens(self.question(asked)), self.answer(values))

    def answer(self, values: Sequence[str]) -> list[int]:
        """The tokens of values as they are cut behind a colon."""
        return self.behind(self.question(["kqzu"]) + ":", " " + ", ".join(values))

    def tokens(self, text: str) -> list[int]:
        return self.unit.encode(Document("", text.encode())).numbers.tolist()

    def count(self, text: str) -> int:
        return len(self.tokens(text))

    def behind(self, before: str, text: str) -> list[int]:
        """The tokens of a text as they are cut behind another: those that reach beyond it."""
        cut = self.unit.encode(Document("", (before + text).encode()))
        reached = np.cumsum(cut.sizes)
        return cut.numbers[reached > len(before.encode())].tolist()

    @cached_property
    def begins_word(self) -> np.ndarray:
        """Whether each token of the vocabulary begins a word or a line."""
        return np.array([name.startswith(WORDS) for name in self.unit.alphabet])

    def put_in(self, hay: np.ndarray, needles: list[list[int]], drawn: np.ndarray) -> tuple[list[int], np.ndarray]:
        """A haystack with its needles in it, and before which of its tokens each stands: the last beginning of a word
        up to a place of which ``drawn`` [M], from 0 to below 1 and rising, says how far in it lies.
        """
        beginnings = np.flatnonzero(np.concatenate([[True], self.begins_word[hay][1:], [True]])[: len(hay) + 1])
        wanted = (drawn * (len(hay) + 1)).astype(np.int64)
        where = beginnings[np.searchsorted(beginnings, wanted, side="right") - 1]
        pieces: list[int] = []
        start = 0
        for place, needle in zip(where.tolist(), needles, strict=True):
            pieces += [*hay[start:place].tolist(), *needle]
            start = place
        return [*pieces, *hay[start:].tolist()], where


def padded(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Rows of one width, ``ABSENT`` behind those that are shorter."""
    result = np.full((len(rows), max(map(len, rows))), ABSENT, np.int64)
    for number, row in enumerate(rows):
        result[number, : len(row)] = row
    return result
