"""Say whether two stretches of text belong together."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.language import pairs, windows
from tasks.language.pairs import Drawn
from tasks.language.source import Source

ANSWERS = ("[YES]", "[NO]")
YES, NO = range(2)

OVERLAP = 0.25
"""Share of the second stretch's words that the first has too, from which on word overlap says yes."""


class SentencePair(Task):
    r"""Length counts the tokens of two stretches of text together, each with half of them. Is the pair as it should be?

    Half of the pairs are: the answer is ``[YES]`` or ``[NO]``. ``question`` says what is asked:

    - ``next``: does the second stretch follow the first in its document? Where not, it is from another document, any
      stretch of any of the others equally likely: BERT's next-sentence prediction (Devlin et al., 2019, arXiv
      1810.04805, section 3.1). The words of the two reveal much without their order.
    - ``order``: are they in the order of the document, or swapped: ALBERT's sentence-order
      prediction (Lan et al., 2020, arXiv 1909.11942, section 3.1). Stretches are cut anywhere, within words too, so
      that their edges reveal much (:meth:`shortcuts`).
    - ``same``: is the second the first once more? Where not, two different tokens of it are exchanged, one at
      any place and one at any other that differs, so that no bag of words can decide. A control without language.

    A pair that cannot be spoilt (the two are equal under ``order``, another document goes on in the same way under
    ``next``, or all tokens are equal under ``same``) is left as it is and answered ``[YES]``. Both stretches come from
    held-out documents in testing and from training documents in training. They are stretches of equal length and no
    sentences: a text has no sentences of 1,000 tokens.

    Example: ``import os\nimp[NEXT]ort sys\n\n -> [YES]``, prompts ``first [NEXT] second``.

    ``corpus``, ``files``, ``unit``, ``vocabulary`` and ``held_out`` are as for running text (``task=text``);
    ``longest`` is the longest length that can be made. Lengths are even.

    ``segment``: 0 for the first stretch and ``[NEXT]``, 1 for the second and the answer.

    The oracle of ``next`` and ``order`` looks the pair up in the documents. A spoilt pair that happens to stand
    somewhere else would be answered wrongly by the sampler: of 2,000 spoilt pairs of the standard library that was one
    at 64 bytes and is none at 128, the shortest length.

    Raises :class:`ValueError` for another question and for text that cannot be read.
    """

    version = 2
    data_options = ("corpus", "files")
    channels = ("segment",)
    shortest = 128

    def __init__(
        self,
        *,
        question: Literal["next", "order", "same"] = "next",
        corpus: str = "stdlib",
        files: Sequence[str] = (),
        unit: Literal["bytes", "characters", "bpe", "wordpiece"] = "bytes",
        vocabulary: int = 1024,
        longest: int = 4096,
        held_out: float = 0.1,
    ) -> None:
        if question not in QUESTIONS:
            raise ValueError(f"question={question}: it is one of {', '.join(QUESTIONS)}")
        pairs.checked(longest, shortest=self.shortest)
        self.question = question
        self.source = Source(corpus=corpus, files=files, unit=unit, vocabulary=vocabulary, held_out=held_out)
        self.longest = longest

    @cached_property
    def alphabet(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*self.source.unit.alphabet, pairs.NEXT, *ANSWERS)

    @property
    def outputs(self) -> tuple[str, ...]:
        return ANSWERS

    def prompt_length(self, length: int) -> int:
        return length + 1

    def answer_length(self, length: int) -> int:
        return 1

    def produces(self, length: int) -> bool:
        return pairs.halves(length, self.shortest, self.longest)

    def length_weights(self, lengths: Sequence[int]) -> np.ndarray:
        """Only the full training length, as BERT is trained."""
        return windows.full_length(lengths)

    def channel_maximum(self, channel: str, length: int) -> int:
        return 1

    def fingerprint(self) -> str:
        return self.source.fingerprint()

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        drawn = pairs.following(self.source, rng, length, count, split)
        right, wrong = QUESTIONS[self.question](self.source, rng, drawn, split)
        spoilt = (rng.random(count) < 0.5) & (right != wrong).any(axis=1)
        shown = np.where(spoilt[:, None], wrong, right)
        half, known = length // 2, len(self.source.unit.alphabet)
        prompt = pairs.beside(shown[:, :half], shown[:, half:], known)
        answer = known + 1 + np.where(spoilt, NO, YES)[:, None]
        segment = pairs.segments(count, half, half + 1)  # of the answer too
        return Batch(prompt, answer, np.ones_like(answer, bool), {"segment": segment})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        middle = len(prompt) // 2
        first, second = list(prompt[:middle]), list(prompt[middle + 1 :])
        if self.question == "same":
            return [ANSWERS[YES] if first == second else ANSWERS[NO]]
        pair = "".join(chr(self._number[token]) for token in first + second)
        return [ANSWERS[YES] if any(pair in document for document in self._written) else ANSWERS[NO]]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """What can be said of the two without the order of their words, or from their edges."""

        def word_overlap(prompt: Sequence[str]) -> list[str]:
            first, second = self._words(prompt)
            shared = sum(word in first for word in second)
            return [ANSWERS[YES] if second and shared >= OVERLAP * len(second) else ANSWERS[NO]]

        def bag_of_tokens(prompt: Sequence[str]) -> list[str]:
            middle = len(prompt) // 2
            return [ANSWERS[YES] if Counter(prompt[:middle]) == Counter(prompt[middle + 1 :]) else ANSWERS[NO]]

        def seam(prompt: Sequence[str]) -> list[str]:
            """Swapped, the last token goes on at the first: is that pair of neighbours more usual than the one at the
            seam, in the prompt itself?
            """
            middle = len(prompt) // 2
            first, second = list(prompt[:middle]), list(prompt[middle + 1 :])
            neighbours = Counter([*pairwise(first), *pairwise(second)])
            here, there = neighbours[first[-1], second[0]], neighbours[second[-1], first[0]]
            return [ANSWERS[YES] if here >= there else ANSWERS[NO]]

        if self.question == "same":
            return {"bag of tokens": bag_of_tokens}
        known: dict[str, Shortcut] = {"word overlap": word_overlap}
        return known | {"the more usual seam": seam} if self.question == "order" else known

    def write(self, prompt: Sequence[str], answer: Sequence[str]) -> str:
        middle = list(prompt).index(pairs.NEXT)
        first, second = (
            self.source.unit.decode([self._number[token] for token in part])
            for part in (prompt[:middle], prompt[middle + 1 :])
        )
        return f"{first}{pairs.NEXT}{second} -> {' '.join(answer)}"

    def _words(self, prompt: Sequence[str]) -> tuple[set[str], set[str]]:
        middle = len(prompt) // 2
        first, second = (
            "".join(c if c.isalnum() else " " for c in self.source.unit.decode([self._number[t] for t in part]))
            for part in (prompt[:middle], prompt[middle + 1 :])
        )
        return set(first.split()), set(second.split())

    @cached_property
    def _number(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.alphabet)}

    @cached_property
    def _written(self) -> list[str]:
        """Every document of both sides with one character for each token."""
        sides: tuple[Split, Split] = ("train", "test")
        written = []
        for side in sides:
            text = self.source.text(side)
            for document in np.split(text.numbers, np.cumsum(text.documents)[:-1]):
                written.append("".join(map(chr, document.tolist())))
        return written


def _next(source: Source, rng: np.random.Generator, drawn: Drawn, split: Split) -> tuple[np.ndarray, np.ndarray]:
    half = drawn.tokens.shape[1] // 2
    elsewhere = drawn.windows.start(drawn.windows.foreign(drawn.numbers, rng.random(len(drawn.numbers))))
    other = source.text(split).numbers[elsewhere[:, None] + np.arange(half)]
    return drawn.tokens, np.concatenate([drawn.tokens[:, :half], other], axis=1)


def _order(source: Source, rng: np.random.Generator, drawn: Drawn, split: Split) -> tuple[np.ndarray, np.ndarray]:
    return drawn.tokens, np.roll(drawn.tokens, drawn.tokens.shape[1] // 2, axis=1)


def _same(source: Source, rng: np.random.Generator, drawn: Drawn, split: Split) -> tuple[np.ndarray, np.ndarray]:
    first = drawn.tokens[:, : drawn.tokens.shape[1] // 2]
    rows = np.arange(len(first))
    one = rng.integers(first.shape[1], size=len(first))
    different = first != first[rows, one][:, None]
    other = np.argmax(rng.random(first.shape) * different, axis=1)
    other = np.where(different.any(axis=1), other, one)
    changed = first.copy()
    changed[rows, one], changed[rows, other] = first[rows, other], first[rows, one]
    return np.concatenate([first, first], axis=1), np.concatenate([first, changed], axis=1)


QUESTIONS: Mapping[str, Callable[[Source, np.random.Generator, Drawn, Split], tuple[np.ndarray, np.ndarray]]] = {
    "next": _next,
    "order": _order,
    "same": _same,
}
"""Each gives the pairs as they should be and spoilt, [N, length] both."""
