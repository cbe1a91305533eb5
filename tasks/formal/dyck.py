"""Which bracket closes the innermost open one."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.formal.automata import Automaton

BRACKETS = ("()", "[]", "{}", "<>")


class Dyck(Task):
    """Length counts the brackets of the prompt, a balanced string of brackets of ``kinds`` kinds (Dyck-k). The label of
    each bracket is the one that would close the innermost bracket that is open behind it, ``-`` if none is.

    Strings are uniform over all balanced ones of their length, those alone that are at most ``max_depth`` deep if that
    is not 0. Lengths are even.

    Any bracket may be opened anywhere, so the label says which brackets may come next: the whole answer is right
    exactly if all sets of legal next symbols are, which is how Suzgun et al. (2019) and Bhattamishra et al. (2020)
    score Dyck languages. A limit of the depth is part of the strings and not of the labels; Hewitt et al. (2020) limit
    it too. With one kind, all that is to be known is whether the string is balanced so far.

    Example: ``([])() -> )])-)-``.

    ``depth``: how many brackets are open behind the token; ``distance``: how many tokens ago the one was opened that
    the label closes. Both in powers of two: 0, 1, 2 to 3, 4 to 7, ... are 0, 1, 2, 3, ...

    Raises :class:`ValueError` unless there are 1 to 4 kinds, and for a negative depth.
    """

    version = 1
    form = "labels"
    shortest = 2
    axes = ("depth", "distance")

    def __init__(self, *, kinds: int = 2, max_depth: int = 0) -> None:
        if not 1 <= kinds <= len(BRACKETS):
            raise ValueError(f"kinds={kinds}: there are between 1 and {len(BRACKETS)} kinds of brackets")
        if max_depth < 0:
            raise ValueError(f"max_depth={max_depth}: it is above 0, or 0 for any depth")
        self.kinds = kinds
        self.max_depth = max_depth
        self.alphabet = (*"".join(BRACKETS[:kinds]), "-")

    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self.alphabet[1::2], "-")

    def produces(self, length: int) -> bool:
        return length >= 2 and length % 2 == 0

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        shallow = 0 < self.max_depth < length // 2
        closes = _depths(self.max_depth).sample(rng, length, count) if shallow else _balanced(rng, length, count)
        depth = np.cumsum(1 - 2 * closes, axis=1)
        place = np.arange(length)
        innermost = _innermost(closes, depth)  # arbitrary where none is open
        before = np.where(closes, np.roll(innermost, 1, axis=1), place)  # where the kind of each bracket was chosen

        kinds = np.take_along_axis(rng.integers(self.kinds, size=(count, length)), before, axis=1)
        prompt = 2 * kinds + closes
        closing = 2 * np.take_along_axis(kinds, innermost, axis=1) + 1
        answer = np.where(depth > 0, closing, len(self.alphabet) - 1)
        distance = np.where(depth > 0, place - innermost, 0)
        axes = {"depth": _binned(depth), "distance": _binned(distance)}
        return Batch(prompt, answer, np.ones_like(answer, bool), axes=axes)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        closing = {pair[0]: pair[1] for pair in BRACKETS}
        expected: list[str] = []
        labels: list[str] = []
        for bracket in prompt:
            if bracket in closing:
                expected.append(closing[bracket])
            elif expected.pop() != bracket:
                raise ValueError(f"{''.join(prompt)} is not balanced")
            labels.append(expected[-1] if expected else "-")
        return labels

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"close the last opened bracket": self._last_opened, "the last sixteen brackets": self._recent}

    @staticmethod
    def _last_opened(prompt: Sequence[str]) -> list[str]:
        """Without nesting: the closing counterpart of the opening bracket that was read last."""
        closing = {pair[0]: pair[1] for pair in BRACKETS}
        labels: list[str] = []
        for bracket in prompt:
            labels.append(closing.get(bracket, labels[-1] if labels else "-"))
        return labels

    @staticmethod
    def _recent(prompt: Sequence[str]) -> list[str]:
        """With a stack that knows of nothing opened more than sixteen brackets ago."""
        closing = {pair[0]: pair[1] for pair in BRACKETS}
        labels: list[str] = []
        for end in range(1, len(prompt) + 1):
            expected: list[str] = []
            for bracket in prompt[max(0, end - 16) : end]:
                if bracket in closing:
                    expected.append(closing[bracket])
                elif expected:
                    expected.pop()
            labels.append(expected[-1] if expected else "-")
        return labels


def _balanced(rng: np.random.Generator, length: int, count: int) -> np.ndarray:
    """Opening (0) and closing (1) in balanced strings of any depth, each with the same chance [count, length]."""
    drawn = rng.random((length, count))
    closes = np.empty((count, length), np.int64)
    height = np.zeros(count, np.int64)
    for place in range(length):
        rest = length - place
        # the share of the ways from this height to 0 in the rest of the steps that begin with a step down
        closes[:, place] = drawn[place] < height * (rest + height + 2) / (2 * rest * (height + 1))
        height += 1 - 2 * closes[:, place]
    return closes


def _depths(deepest: int) -> Automaton:
    """Opening (0) and closing (1) up to a depth, which is the state; the last state is a dead end."""
    depth = np.arange(deepest + 2)
    dead = deepest + 1
    follows = np.stack([np.minimum(depth + 1, dead), np.where(depth == 0, dead, depth - 1)], axis=1)
    follows[dead] = dead
    return Automaton(follows, depth == 0)


def _innermost(closes: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Where the innermost bracket that is open behind each token was opened: the last opening that led to the token's
    depth. All [N, L].
    """
    by_depth = np.argsort(depth, axis=1, kind="stable")
    opening = ~np.take_along_axis(closes.astype(bool), by_depth, axis=1)
    last = np.maximum.accumulate(np.where(opening, np.arange(depth.shape[1]), 0), axis=1)
    innermost = np.empty_like(by_depth)
    np.put_along_axis(innermost, by_depth, np.take_along_axis(by_depth, last, axis=1), axis=1)
    return innermost


def _binned(numbers: np.ndarray) -> np.ndarray:
    """The number of binary digits: 0, 1, 2 to 3, 4 to 7 are 0, 1, 2, 3."""
    return np.frexp(numbers)[1].astype(np.int64)
