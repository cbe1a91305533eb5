"""Associative recall: the value that belongs to a key."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.distances import power_of_two
from tasks.recall.distinct import distinct as distinct_rows


class AssociativeRecall(Task):
    """Length counts the pairs of a key and its value. After the pairs one of the keys is given again; the answer is its
    value.

    Each key has one value in an example, uniform over the ``values`` and independent of the others'. With ``distinct``
    the keys of a prompt are different, every ordered choice equally likely, so there are at most ``keys`` pairs: the
    task of Ba et al. (2016), arXiv 1610.06258, who use letters as keys and digits as values. Without it every key is
    uniform and may return with the same value, as in the code of H3 (Fu et al., 2022, arXiv 2212.14052), and a prompt
    of any length can be made from few keys. The queried key is uniform over the different keys of the prompt.

    Example: ``k7 v2 k3 v0 k9 v2 k3 -> v0``.

    ``gap``: how many pairs ago the queried key was last seen, as the exponent of the power of two below.

    Raises :class:`ValueError` unless there are between 2 and 100000 keys and values.
    """

    version = 1
    axes = ("gap",)

    def __init__(self, *, keys: int = 128, values: int = 16, distinct: bool = True) -> None:
        for option, number in (("keys", keys), ("values", values)):
            if not 2 <= number <= 100_000:
                raise ValueError(f"{option}={number}: there are between 2 and 100000")
        self.keys = keys
        self.values = values
        self.distinct = distinct
        self.shortest = 2
        self.alphabet = (*(f"k{key}" for key in range(keys)), *(f"v{value}" for value in range(values)))

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[self.keys :]

    def produces(self, length: int) -> bool:
        return self.shortest <= length <= (self.keys if self.distinct else length)

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        row = np.arange(count)
        value_of = rng.integers(self.keys, self.keys + self.values, size=(count, self.keys))
        if self.distinct:
            keys = distinct_rows(rng, self.keys, count, length)
            asked = keys[row, rng.integers(length, size=count)]
        else:
            keys = rng.integers(self.keys, size=(count, length))
            present = np.zeros((count, self.keys), bool)
            present[row[:, None], keys] = True
            asked = np.where(present, rng.random((count, self.keys)), -1).argmax(axis=1)
        prompt = np.empty((count, 2 * length + 1), np.int64)
        prompt[:, :-1:2] = keys
        prompt[:, 1::2] = np.take_along_axis(value_of, keys, axis=1)
        prompt[:, -1] = asked
        answer = value_of[row, asked][:, None]
        gap = power_of_two(1 + (keys[:, ::-1] == asked[:, None]).argmax(axis=1))
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"gap": gap})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        value = dict(zip(prompt[:-1:2], prompt[1::2], strict=True))
        return [value[prompt[-1]]]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {
            "last value": lambda prompt: [prompt[-2]],
            "most frequent value": lambda prompt: [Counter(prompt[1::2]).most_common(1)[0][0]],
        }
