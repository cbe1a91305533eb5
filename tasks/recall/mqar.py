"""Multi-query associative recall."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.distances import power_of_two
from tasks.recall.distinct import distinct


class MultiQueryAssociativeRecall(Task):
    """Length counts the tokens of the sequence, an even number. It begins with ``pairs`` pairs of a key and its value;
    each key comes up once more in the rest, and its value is the label of that token. Nothing else is scored.

    The tokens are the numbers below ``vocabulary``: keys are different and below its half, 0 is no key; values are
    different and from its half up. Every ordered choice is equally likely. A key can come back at every second token
    after the pairs. Slot i = 1, 2, ... of these has the weight ``i ** (decay - 1)``; slots are sampled one after
    another without replacement, for the first key first, so that a small ``decay`` lets keys return soon and 1 makes
    all slots alike. The remaining tokens are ``fill``: ``"zero"``, or ``"random"`` numbers.

    Example, of vocabulary 12 with zeros: ``3 9 1 11 1 0 0 0 3 0 -> . . . . 11 . . . 9 .``.

    The protocol of Zoology (Arora et al., 2023, arXiv 2312.04927), as in ``multiquery_ar`` of its code. There a random
    token that happens to be one of the example's keys is not labelled, so it looks like a query and is none; here
    random tokens are uniform over the numbers that are not keys of the example. Their training mixes lengths 64 to 256
    with 4 to 64 pairs; here the number of pairs stays what it is while the length changes.

    ``gap``: how many tokens after its key the query is, as the exponent of the power of two below.

    Raises :class:`ValueError` unless there is a pair, ``decay`` is above 0, the vocabulary is even and has room for the
    pairs, and ``fill`` is one of the two.
    """

    version = 1
    form = "labels"
    metric = "token_accuracy"
    axes = ("gap",)

    def __init__(
        self,
        *,
        vocabulary: int = 8192,
        pairs: int = 4,
        decay: float = 0.01,
        fill: Literal["random", "zero"] = "random",
    ) -> None:
        if pairs < 1:
            raise ValueError(f"pairs={pairs}: there is at least 1")
        if vocabulary % 2 or vocabulary // 2 <= pairs:
            raise ValueError(f"vocabulary={vocabulary}: it is even and at least {2 * pairs + 2} for pairs={pairs}")
        if not 0 < decay <= 100:
            raise ValueError(f"decay={decay}: it is above 0 and at most 100")
        if fill not in ("random", "zero"):
            raise ValueError(f"fill={fill}: it is random or zero")
        self.pairs = pairs
        self.decay = decay
        self.fill = fill
        self.shortest = 4 * pairs
        self.alphabet = _numerals(vocabulary)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[len(self.alphabet) // 2 :]

    def produces(self, length: int) -> bool:
        return length >= self.shortest and length % 2 == 0

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        half, pairs = len(self.alphabet) // 2, self.pairs
        keys = 1 + distinct(rng, half - 1, count, pairs)
        values = half + distinct(rng, half, count, pairs)
        place = 2 * pairs + 2 * self._slots(rng, (length - 2 * pairs) // 2, count)
        prompt = np.zeros((count, length), np.int64)
        if self.fill == "random":
            prompt[:, 2 * pairs :] = self._others(rng, keys, length - 2 * pairs)
        prompt[:, 0 : 2 * pairs : 2] = keys
        prompt[:, 1 : 2 * pairs : 2] = values
        np.put_along_axis(prompt, place, keys, axis=1)
        answer = np.full((count, length), ABSENT)
        np.put_along_axis(answer, place, values, axis=1)
        gap = np.zeros((count, length), np.int64)
        np.put_along_axis(gap, place, power_of_two(place - 2 * np.arange(pairs)), axis=1)
        return Batch(prompt, answer, answer != ABSENT, axes={"gap": gap})

    def _slots(self, rng: np.random.Generator, slots: int, count: int) -> np.ndarray:
        """A different slot for every key, from 0 [N, pairs].

        Ordering exponential times divided by their weights is drawing one after another without replacement (Efraimidis
        & Spirakis, 2006).
        """
        weight = np.arange(1, slots + 1) ** (self.decay - 1)
        times = rng.standard_exponential((count, slots)) / weight
        return times.argsort(axis=1)[:, : self.pairs]

    def _others(self, rng: np.random.Generator, keys: np.ndarray, width: int) -> np.ndarray:
        """Tokens that are uniform over those that are not among the keys of their row [N, width]."""
        is_key = np.zeros((len(keys), len(self.alphabet)), bool)
        np.put_along_axis(is_key, keys, True, axis=1)
        tokens = rng.integers(len(self.alphabet), size=(len(keys), width))
        while len(again := np.argwhere(np.take_along_axis(is_key, tokens, axis=1))):
            tokens[tuple(again.T)] = rng.integers(len(self.alphabet), size=len(again))
        return tokens

    def solve(self, prompt: Sequence[str]) -> list[str]:
        value: dict[str, str] = {}
        for pair in range(self.pairs):
            value[prompt[2 * pair]] = prompt[2 * pair + 1]
        return [""] * 2 * self.pairs + [value.get(token, "") for token in prompt[2 * self.pairs :]]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def first_value(prompt: Sequence[str]) -> list[str]:
            return [prompt[1]] * len(prompt)

        def near(prompt: Sequence[str]) -> list[str]:
            """Where ``decay`` is small most queries are near their keys, at whatever length."""
            return self.solve(prompt[:64]) + first_value(prompt)[64:]

        return {"value of the first pair": first_value, "queries among the first 64 tokens": near}


@lru_cache(maxsize=8)
def _numerals(count: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(count))
