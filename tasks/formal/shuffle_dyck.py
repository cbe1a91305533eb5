"""Which brackets may be closed, where brackets of different kinds do not nest in each other."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.formal.dyck import BRACKETS

CELLS = 2**20
"""Of a table of probabilities that are computed at once, at most."""


class ShuffleDyck(Task):
    """Length counts the brackets of the prompt: ``kinds`` balanced strings, of a kind of brackets each, shuffled into
    one (Shuffle-k). The label of each bracket is the set of closing brackets that may come next, those whose kind is
    open behind it, ``-`` if none is.

    Strings are uniform over all of their length: the numbers of brackets of each kind, their order and their matching
    are sampled one after the other, with exact probabilities from counting. Lengths are even.

    Example: ``([)] -> ) )] ] -``. Suzgun et al. (2019) and Bhattamishra et al. (2020), who found that Transformers
    learn it and count in doing so, score all sets of legal next symbols; any bracket may be opened anywhere, so the
    whole answer is right exactly if these are.

    ``open``: how many kinds are open behind the token.

    Raises :class:`ValueError` unless there are 2 to 4 kinds: with one it is Dyck-1.
    """

    version = 1
    form = "labels"
    shortest = 2
    axes = ("open",)

    def __init__(self, *, kinds: int = 2) -> None:
        if not 2 <= kinds <= len(BRACKETS):
            raise ValueError(f"kinds={kinds}: there are between 2 and {len(BRACKETS)} kinds of brackets")
        self.kinds = kinds
        closing = [pair[1] for pair in BRACKETS[:kinds]]
        sets = [
            "".join(bracket for number, bracket in enumerate(closing) if members >> number & 1) or "-"
            for members in range(2**kinds)
        ]
        self.alphabet = (*"".join(BRACKETS[:kinds]), *(label for label in sets if label not in closing))
        self._label = np.array([self.alphabet.index(label) for label in sets])
        self._sets = tuple(sets)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self._sets

    def produces(self, length: int) -> bool:
        return length >= 2 and length % 2 == 0

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        rest = 2 * _pairs(rng, self.kinds, length // 2, count)  # brackets of each kind still to come, [N, K]
        ends = rest.cumsum(axis=1)
        kinds = rng.permuted((np.arange(length)[None, :, None] >= ends[:, None, :]).sum(axis=2), axis=1)
        drawn = rng.random((length, count))

        closes = np.empty((count, length), bool)
        open_kinds = np.empty((count, length, self.kinds), bool)
        height = np.zeros((count, self.kinds), np.int64)
        rows = np.arange(count)
        for place in range(length):
            own = rows, kinds[:, place]
            h, r = height[own], rest[own]
            # the share of the ways from height h to 0 in r steps that begin with a step up (ballot numbers)
            close = drawn[place] >= (h + 2) * (r - h) / (2 * r * (h + 1))
            height[own] = h + 1 - 2 * close
            rest[own] = r - 1
            closes[:, place] = close
            open_kinds[:, place] = height > 0
        prompt = 2 * kinds + closes
        answer = self._label[open_kinds @ (1 << np.arange(self.kinds))]
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"open": open_kinds.sum(axis=2)})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        depth = dict.fromkeys(BRACKETS[: self.kinds], 0)
        labels: list[str] = []
        for bracket in prompt:
            for pair in depth:
                depth[pair] += (bracket == pair[0]) - (bracket == pair[1])
            if min(depth.values()) < 0:
                raise ValueError(f"{''.join(prompt)} is not balanced")
            labels.append("".join(pair[1] for pair, height in depth.items() if height > 0) or "-")
        return labels

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"counting to four": self._to_four}

    def _to_four(self, prompt: Sequence[str]) -> list[str]:
        """A fifth open bracket of a kind is not counted, and closing one too many is not noticed."""
        depth = dict.fromkeys(BRACKETS[: self.kinds], 0)
        labels: list[str] = []
        for bracket in prompt:
            for pair in depth:
                depth[pair] = min(max(depth[pair] + (bracket == pair[0]) - (bracket == pair[1]), 0), 4)
            labels.append("".join(pair[1] for pair, height in depth.items() if height) or "-")
        return labels


def _pairs(rng: np.random.Generator, kinds: int, pairs: int, count: int) -> np.ndarray:
    """How many of all pairs are of each kind [count, kinds], in proportion to the strings that there are.

    Of a kind with n pairs there are Catalan(n) strings, and shuffling multiplies by (2 pairs)! / prod (2 n)!, so that a
    kind contributes Catalan(n) / (2 n)! = 1 / (n! (n + 1)!).
    """
    log_factorial = np.concatenate([[0.0], np.log(np.arange(1, pairs + 2)).cumsum()])
    one = -log_factorial[:-1] - log_factorial[1:]
    number = np.arange(pairs + 1)

    def ways(left: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Of ``left`` pairs, so many of one kind and what is left of the ``others`` [left, of this kind]."""
        rest = left[:, None] - number
        return np.where(rest >= 0, one + others[np.maximum(rest, 0)], -np.inf)

    several = [one]  # by the number of kinds, how many ways there are with so many pairs
    for _ in range(kinds - 2):
        parts = np.array_split(number, -(-(len(number) ** 2) // CELLS))
        several.append(np.concatenate([np.logaddexp.reduce(ways(part, several[-1]), axis=1) for part in parts]))
    drawn = np.zeros((count, kinds), np.int64)
    left = np.full(count, pairs)
    for kind, others in enumerate(reversed(several)):
        each, row = np.unique(left, return_inverse=True)
        share = ways(each, others)
        share = np.exp(share - np.logaddexp.reduce(share, axis=1, keepdims=True)).cumsum(axis=1)
        below = share[row] <= rng.random((count, 1))
        drawn[:, kind] = np.minimum(below.sum(axis=1), left)
        left = left - drawn[:, kind]
    drawn[:, -1] = left
    return drawn
