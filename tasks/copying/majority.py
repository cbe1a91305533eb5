"""The most frequent symbol of a string."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task

MOST_SYMBOLS = 62


class Majority(Task):
    """Length counts the symbols of the prompt; the answer is the one that is most frequent, the mode.

    Example: ``abcbd -> b``. The symbols are independent and uniform, and strings without a single most frequent symbol
    are sampled again, as in Huang et al. (2024), arXiv 2410.02140. So two symbols are always alike. The same question
    is Mode of Zhou et al. (2023), arXiv 2310.16028, among the tasks that they find to generalize.

    Raises :class:`ValueError` unless there are between 2 and 62 symbols.
    """

    version = 1
    known_results = (
        "Huang et al. (2024), the results released with the code: symbols=26, trained on lengths 1 to 50, accuracy on "
        "51 to 100 and 101 to 150, mean of the first five converged seeds of 1 layer: learned positions at random "
        "offsets 0.996 and 0.978; no positions 0.999 and 0.985, for which 16 seeds were tried.",
    )

    def __init__(self, *, symbols: int = 26) -> None:
        if not 2 <= symbols <= MOST_SYMBOLS:
            raise ValueError(f"symbols={symbols}: there are between 2 and {MOST_SYMBOLS}")
        self.alphabet = alphabets.symbols(symbols)

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        symbols = len(self.alphabet)
        prompt = np.empty((count, length), np.int64)
        answer = np.empty((count, 1), np.int64)
        missing = np.arange(count)
        while len(missing):
            drawn = rng.integers(symbols, size=(len(missing), length))
            rows = np.arange(len(missing))[:, None] * symbols
            frequency = np.bincount((rows + drawn).ravel(), minlength=len(missing) * symbols).reshape(-1, symbols)
            highest = np.partition(frequency, -2, axis=1)
            single = highest[:, -1] > highest[:, -2]
            prompt[missing[single]] = drawn[single]
            answer[missing[single], 0] = frequency[single].argmax(axis=1)
            missing = missing[~single]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [max(set(prompt), key=list(prompt).count)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``first symbol``: as if one were like another. ``the last 32 symbols``: the most frequent of them, of equals
        the first.
        """
        return {
            "first symbol": lambda prompt: list(prompt[:1]),
            "the last 32 symbols": lambda prompt: [Counter(prompt[-32:]).most_common(1)[0][0]],
        }
