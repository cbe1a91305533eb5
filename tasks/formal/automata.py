"""Words of a regular language over two symbols, sampled exactly uniformly."""

from typing import NamedTuple

import numpy as np


class Automaton(NamedTuple):
    """A deterministic automaton that begins in state 0: ``follows`` [Q, 2] is the state after each symbol, ``accepts``
    [Q] is true of the states in which a word may end.
    """

    follows: np.ndarray
    accepts: np.ndarray

    def complement(self) -> "Automaton":
        """The automaton of all other words."""
        return Automaton(self.follows, ~self.accepts)

    def contains(self, words: np.ndarray) -> np.ndarray:
        """Which of the words [N, L] it accepts."""
        states = np.zeros(len(words), np.int64)
        for symbols in words.T:
            states = self.follows[states, symbols]
        return self.accepts[states]

    def log_counts(self, length: int) -> np.ndarray:
        """The logarithm of how many words of each length up to ``length`` are accepted from each state, [length + 1,
        Q]. Logarithms, because there are up to ``2 ** length``.
        """
        counts = np.empty((length + 1, len(self.accepts)))
        counts[0] = np.where(self.accepts, 0.0, -np.inf)
        for rest in range(length):
            counts[rest + 1] = np.logaddexp(*counts[rest, self.follows].T)
        return counts

    def accepts_some(self, length: int) -> bool:
        """Whether there is a word of this length."""
        reached: tuple[int, ...] = (0,)
        met: list[tuple[int, ...]] = []  # what can be reached in 0, 1, 2, ... steps, until it repeats itself
        while reached not in met and len(met) <= length:
            met.append(reached)
            reached = tuple(sorted({int(state) for state in self.follows[list(reached)].flat}))
        if length >= len(met):
            first = met.index(reached)
            length = first + (length - first) % (len(met) - first)
        return bool(self.accepts[list(met[length])].any())

    def sample(self, rng: np.random.Generator, length: int, count: int) -> np.ndarray:
        """Accepted words [count, length], each with the same chance: a symbol is as likely as there are words that go
        on with it. Raises :class:`ValueError` if there is none.
        """
        counts = self.log_counts(length)
        if counts[length, 0] == -np.inf:
            raise ValueError(f"no word of length {length} is accepted")
        with np.errstate(invalid="ignore"):  # states from which nothing is accepted are never reached
            one = np.exp(counts[:-1, self.follows[:, 1]] - counts[1:])[::-1]  # [place, Q]
        drawn = rng.random((length, count))
        words = np.empty((count, length), np.int64)
        states = np.zeros(count, np.int64)
        for place in range(length):
            words[:, place] = drawn[place] < one[place, states]
            states = self.follows[states, words[:, place]]
        return words
