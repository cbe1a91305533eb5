"""LEGO: chains of assignments of signs."""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task

SIGNS = ("+", "-")
CLAUSE = 5
MOST_NAMES = 52


class Lego(Task):
    """Length counts the variables of the chain. The first is given a sign, each other the sign of the one before it or
    its opposite, with even odds. Names are sampled without repetition.

    ``order``: clauses are written ``shuffled`` or along the ``chain``. ``asked``: the sign of ``one`` variable, named
    at the end, any of the second half of the chain (from index n / 2, rounded up, counted from 0; at length 1 the one
    there is), or of ``all``, in the order in which their clauses are written. ``names`` is how many names there are,
    and the greatest length.

    Example: ``b = - a ; a = + 1 ; b ? -> -``.

    Zhang et al. (2022), "Unveiling Transformers with LEGO", arXiv 2206.04301, where an encoder classifies every clause;
    that is ``all``. With ``one`` it is the task of Kazemnejad et al. (2023), trained on up to 8 variables and tested on
    up to 16, whose builder writes clauses along the chain by default.

    ``distance``: how far along the chain the queried variable is, 0 for the first, else 1 + the power of two below, so
    that 1, 2-3, 4-7, ... are together.

    Raises :class:`ValueError` unless there are between 1 and 52 names.
    """

    version = 1
    axes = ("distance",)

    def __init__(
        self,
        *,
        order: Literal["shuffled", "chain"] = "shuffled",
        asked: Literal["one", "all"] = "one",
        names: int = 26,
    ) -> None:
        if order not in ("shuffled", "chain"):
            raise ValueError(f"order={order}: it is shuffled or chain")
        if asked not in ("one", "all"):
            raise ValueError(f"asked={asked}: it is one or all")
        if not 1 <= names <= MOST_NAMES:
            raise ValueError(f"names={names}: there are between 1 and {MOST_NAMES}")
        self.order = order
        self.asked = asked
        self.names = names
        self.alphabet = (*alphabets.symbols(names), "=", *SIGNS, "1", ";", "?")

    @property
    def outputs(self) -> tuple[str, ...]:
        return SIGNS

    def produces(self, length: int) -> bool:
        return self.shortest <= length <= self.names

    def prompt_length(self, length: int) -> int:
        return CLAUSE * length + (2 if self.asked == "one" else 0)

    def answer_length(self, length: int) -> int:
        return 1 if self.asked == "one" else length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        index = {token: number for number, token in enumerate(self.alphabet)}
        names = rng.permuted(np.tile(np.arange(self.names), (count, 1)), axis=1)[:, :length]
        flips = rng.integers(2, size=(count, length))
        signs = np.cumsum(flips, axis=1) % 2
        clauses = np.empty((count, length, CLAUSE), np.int64)
        clauses[:, :, 0] = names
        clauses[:, :, 1] = index["="]
        clauses[:, :, 2] = index["+"] + flips
        clauses[:, 0, 3] = index["1"]
        clauses[:, 1:, 3] = names[:, :-1]
        clauses[:, :, 4] = index[";"]
        place = np.tile(np.arange(length), (count, 1))
        if self.order == "shuffled":
            place = rng.permuted(place, axis=1)
        prompt = np.take_along_axis(clauses, place[:, :, None], axis=1).reshape(count, length * CLAUSE)
        if self.asked == "one":
            place = rng.integers(min((length + 1) // 2, length - 1), length, size=(count, 1))
            question = np.full((count, 1), index["?"])
            prompt = np.concatenate([prompt, np.take_along_axis(names, place, axis=1), question], axis=1)
        answer = index["+"] + np.take_along_axis(signs, place, axis=1)
        distance = np.ceil(np.log2(place + 1)).astype(np.int64)
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"distance": distance})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        says = {name: (sign, source) for name, _, sign, source, _ in _clauses(prompt)}

        def sign(name: str) -> str:
            own, source = says[name]
            return own if source == "1" or sign(source) == "+" else {"+": "-", "-": "+"}[own]

        return [sign(name) for name in ([prompt[-2]] if self.asked == "one" else says)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        guesses = {"own sign": self._own_sign}
        return {**guesses, "product of all signs": _product} if self.asked == "one" else guesses

    def _own_sign(self, prompt: Sequence[str]) -> list[str]:
        """The sign in a variable's own clause, whatever it is applied to."""
        return [sign for name, _, sign, _, _ in _clauses(prompt) if self.asked == "all" or name == prompt[-2]]


def _clauses(prompt: Sequence[str]) -> list[Sequence[str]]:
    return [prompt[start : start + CLAUSE] for start in range(0, len(prompt) - CLAUSE + 1, CLAUSE)]


def _product(prompt: Sequence[str]) -> list[str]:
    """Right for the last variable of the chain: whether the number of minus signs is odd."""
    return [SIGNS[list(prompt).count("-") % 2]]
