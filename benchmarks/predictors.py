"""Cheap predictors of answers: what each looks at, and how it learns from examples. NumPy and plain Python.

An *item* is one scored token of an answer. A predictor sees a part of the prompt (for a label only up to the token that
is labelled) and guesses it; those that read the true tokens of the answer before it say so.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tasks.base import ABSENT, Batch, Task

NONE = -1
"""Stands for a token that is not there, and for a guess that is not made."""


class Items(NamedTuple):
    """The scored tokens of a batch: of each the row of its example, its place in the answer, how many tokens of the
    prompt may be looked at (``end``) and what is right, [M]; and the rows themselves, as indices into the alphabet.
    """

    prompt: np.ndarray
    answer: np.ndarray
    lengths: np.ndarray
    row: np.ndarray
    place: np.ndarray
    end: np.ndarray
    target: np.ndarray

    def at(self, index: np.ndarray) -> np.ndarray:
        """The tokens of the prompt at these indices, one for each item."""
        inside = (index >= 0) & (index < self.end)
        found = self.prompt[self.row, np.clip(index, 0, self.prompt.shape[1] - 1)]
        return np.where(inside, found, NONE)


def items(task: Task, batch: Batch) -> Items:
    """The items of a batch."""
    row, place = np.nonzero(batch.scored)
    lengths = (batch.prompt != ABSENT).sum(axis=1)
    end = place + 1 if task.form == "labels" else lengths[row]
    prompt = batch.prompt if batch.prompt.shape[1] else np.full((len(batch.prompt), 1), ABSENT)
    return Items(prompt, batch.answer, lengths, row, place, end, batch.answer[row, place])


def joined(parts: Sequence[Items]) -> Items:
    """The items of several batches."""
    before = np.cumsum([0, *(len(part.prompt) for part in parts)])
    rows = np.concatenate([part.row + start for part, start in zip(parts, before, strict=False)])
    return Items(
        _stacked([part.prompt for part in parts]),
        _stacked([part.answer for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        rows,
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("place", "end", "target")),
    )


def _stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    width = max(array.shape[1] for array in arrays)
    return np.concatenate(
        [np.pad(array, ((0, 0), (0, width - array.shape[1])), constant_values=ABSENT) for array in arrays]
    )


View = Callable[[Items], np.ndarray]
"""What is looked at, as one whole number for each item."""

Guess = Callable[[Items], np.ndarray]
"""The guessed token of each item."""


class Lookup(NamedTuple):
    """Learns the most frequent token for all that its first view has shown; for what is new to it, of its second, and
    so on.
    """

    views: tuple[View, ...]

    def fit(self, known: Items) -> Guess:
        tables = [_favourites(view(known), known.target) for view in (*self.views, _nothing)]

        def guess(asked: Items) -> np.ndarray:
            found = np.full(len(asked.target), NONE)
            for view, (keys, favourites) in zip((*self.views, _nothing), tables, strict=True):
                missing = found == NONE
                if not missing.any():
                    break
                key = view(asked)
                place = np.searchsorted(keys, key).clip(0, len(keys) - 1)
                found = np.where(missing & (keys[place] == key), favourites[place], found)
            return found

        return guess


class Copied(NamedTuple):
    """Guesses the token that is looked at; nothing is learned."""

    view: View

    def fit(self, known: Items) -> Guess:
        return self.view


class Threshold(NamedTuple):
    """Learns one threshold of a number, and the most frequent token on either side."""

    number: Callable[[Items], np.ndarray]

    def fit(self, known: Items) -> Guess:
        values = self.number(known)
        tokens = np.unique(known.target)
        order = np.argsort(values, kind="stable")
        ranked = values[order]
        below = np.cumsum(known.target[order][:, None] == tokens, axis=0)
        above = below[-1] - below
        right = below.max(axis=1) + above.max(axis=1)
        right[:-1][ranked[1:] == ranked[:-1]] = -1  # equal values stay on one side
        best = int(right.argmax())
        cut, low, high = ranked[best], tokens[below[best].argmax()], tokens[above[best].argmax()]
        return lambda asked: np.where(self.number(asked) <= cut, low, high)


class Bayes(NamedTuple):
    """Naive Bayes on how often each n-gram of the prompt occurs."""

    n: int
    size: int

    def _counts(self, asked: Items) -> np.ndarray:
        counts = counted(asked.prompt, asked.lengths, self.n, self.size)
        return counts[asked.row]

    def fit(self, known: Items) -> Guess:
        tokens = np.unique(known.target)
        counts = self._counts(known)
        sums = np.stack([counts[known.target == token].sum(axis=0) for token in tokens]) + 1.0
        weights = np.log(sums / sums.sum(axis=1, keepdims=True))
        prior = np.log(np.array([(known.target == token).mean() for token in tokens]))
        return lambda asked: tokens[(self._counts(asked) @ weights.T + prior).argmax(axis=1)]


class Automaton(NamedTuple):
    """Learns an automaton of a few states by climbing: one transition at a time is changed at random and kept if no
    fewer of the examples are right (after Tomita, 1982), from ``starts`` random ones.
    """

    states: int
    symbols: int
    starts: int = 3
    tries: int = 250

    def _read(self, follows: np.ndarray, asked: Items) -> np.ndarray:
        """The state at the end of what each item may see."""
        states = np.zeros(len(asked.prompt), np.int64)
        path = np.empty((asked.prompt.shape[1] + 1, len(states)), np.int64)
        path[0] = 0
        for place, tokens in enumerate(asked.prompt.T):
            states = np.where(tokens == ABSENT, states, follows[states, tokens])
            path[place + 1] = states
        return path[asked.end, asked.row]

    def fit(self, known: Items) -> Guess:
        rng = np.random.default_rng(0)
        tokens, target = np.unique(known.target, return_inverse=True)

        def judged(follows: np.ndarray) -> tuple[int, np.ndarray]:
            table = np.zeros((self.states, len(tokens)), np.int64)
            np.add.at(table, (self._read(follows, known), target), 1)
            return int(table.max(axis=1).sum()), tokens[table.argmax(axis=1)]

        best: tuple[int, np.ndarray, np.ndarray] | None = None
        for _ in range(self.starts):
            follows = rng.integers(self.states, size=(self.states, self.symbols))
            right, said = judged(follows)
            for _ in range(self.tries):
                changed = follows.copy()
                changed[rng.integers(self.states), rng.integers(self.symbols)] = rng.integers(self.states)
                score, says = judged(changed)
                if score >= right:
                    follows, right, said = changed, score, says
            if best is None or right > best[0]:
                best = right, follows, said
        assert best is not None
        _, kept, says = best
        return lambda asked: says[self._read(kept, asked)]


class Solved(NamedTuple):
    """The task's own solution of a part of the prompt: the first ``most`` tokens that may be looked at, or the last."""

    task: Task
    most: int
    last: bool

    def fit(self, known: Items) -> Guess:
        return self._guess

    def _guess(self, asked: Items) -> np.ndarray:
        said: dict[tuple[int, int], list[str]] = {}
        found = np.full(len(asked.target), NONE)
        number = {token: index for index, token in enumerate(self.task.alphabet)}
        for item, (row, place, end) in enumerate(zip(asked.row, asked.place, asked.end, strict=True)):
            key = (int(row), int(end))
            if key not in said:
                part = (
                    asked.prompt[row, max(0, end - self.most) : end]
                    if self.last
                    else asked.prompt[row, :end][: self.most]
                )
                try:
                    said[key] = self.task.solve([self.task.alphabet[token] for token in part])
                except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError):
                    said[key] = []
            guess = said[key]
            if place < len(guess):
                found[item] = number.get(guess[place], NONE)
        return found


def _favourites(keys: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each key that occurs, in order, and the most frequent target with it."""
    order = np.lexsort((target, keys))
    keys, target = keys[order], target[order]
    begins = np.flatnonzero(np.diff(keys, prepend=keys[:1] - 1) | np.diff(target, prepend=target[:1] - 1))
    count = np.diff(begins, append=len(keys))
    keys, target = keys[begins], target[begins]
    order = np.lexsort((-count, keys))
    first = np.diff(keys[order], prepend=keys[order][:1] - 1) != 0
    return keys[order][first], target[order][first]


def _nothing(asked: Items) -> np.ndarray:
    return np.zeros(len(asked.target), np.int64)


def together(*views: View) -> View:
    """Several views as one number."""

    def view(asked: Items) -> np.ndarray:
        key = np.zeros(len(asked.target), np.uint64)
        for number, part in enumerate(views):
            key = key * np.uint64(1_000_003) + (part(asked) + 2 + number).astype(np.uint64)
        return key.astype(np.int64)

    return view


def counted(prompt: np.ndarray, lengths: np.ndarray, n: int, size: int) -> np.ndarray:
    """How often each n-gram occurs in each prompt, [N, size ** n]."""
    width = prompt.shape[1] - n + 1
    if width < 1:
        return np.zeros((len(prompt), size**n))
    code = np.zeros((len(prompt), width), np.int64)
    for offset in range(n):
        code = code * size + prompt[:, offset : offset + width]
    inside = np.arange(width) < (lengths - n + 1)[:, None]
    counts = np.zeros((len(prompt), size**n))
    np.add.at(counts, (np.nonzero(inside)[0], code[inside]), 1)
    return counts
