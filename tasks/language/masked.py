"""Restore masked tokens."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.language import pairs, windows
from tasks.language.source import Source

MASK = "[MASK]"


class MaskedTokens(Task):
    """Length counts the tokens of two stretches of text that follow each other, each with half of them. Some tokens are
    masked, and the original tokens are to be predicted.

    The masked language modelling of BERT (Devlin et al., 2019, arXiv 1810.04805, section 3.1): ``share`` of the tokens
    of a text, at least one, are chosen without replacement, uniformly. Each of them becomes ``[MASK]`` with probability
    0.8, a token drawn uniformly from all with 0.1, and stays as it is with 0.1. Labels are the original tokens at the
    chosen places. Prompts are ``first [NEXT] second`` with stretches of held-out documents in testing, of training
    documents in training; BERT's second stretch is from another document half of the time, here never. The positions
    are sampled anew for every example.

    A model that reads from left to right sees only what stands before a masked token: it has no right to be as good as
    one that sees both sides.

    ``corpus``, ``files``, ``unit``, ``vocabulary`` and ``held_out`` are as for running text (``task=text``);
    ``longest`` is the longest length that can be made. Lengths are even.

    Axis: ``place``, the number of tokens before a label in powers of two: 0 for none, 1 for 1, 2 for 2 and 3 and so on.

    ``segment``: 0 for the first stretch and ``[NEXT]``, 1 for the second.

    Raises :class:`ValueError` for a share that is none and for text that cannot be read.
    """

    version = 2
    form = "labels"
    metric = "token_accuracy"
    data_options = ("corpus", "files")
    channels = ("segment",)
    axes = ("place",)
    shortest = 8

    def __init__(
        self,
        *,
        share: float = 0.15,
        corpus: str = "stdlib",
        files: Sequence[str] = (),
        unit: Literal["bytes", "characters", "bpe", "wordpiece"] = "bytes",
        vocabulary: int = 1024,
        longest: int = 4096,
        held_out: float = 0.1,
    ) -> None:
        if not 0 < share <= 1:
            raise ValueError(f"share={share}: it is above 0 and at most 1")
        pairs.checked(longest, shortest=self.shortest)
        self.share = share
        self.source = Source(corpus=corpus, files=files, unit=unit, vocabulary=vocabulary, held_out=held_out)
        self.longest = longest

    @cached_property
    def alphabet(self) -> tuple[str, ...]:  # type: ignore[override]
        return (*self.source.unit.alphabet, pairs.NEXT, MASK)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.source.unit.alphabet

    def prompt_length(self, length: int) -> int:
        return length + 1

    def answer_length(self, length: int) -> int:
        return length + 1

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
        text = pairs.following(self.source, rng, length, count, split).tokens
        known = len(self.source.unit.alphabet)
        lots, number = rng.random(text.shape), max(1, round(self.share * length))
        chosen = lots <= np.partition(lots, number - 1, axis=1)[:, number - 1 : number]
        fate = rng.random(text.shape)
        hidden = np.where(fate < 0.8, known + 1, np.where(fate < 0.9, rng.integers(known, size=text.shape), text))
        half = length // 2
        shown = np.where(chosen, hidden, text)
        label = np.where(chosen, text, ABSENT)
        prompt = pairs.beside(shown[:, :half], shown[:, half:], known)
        answer = pairs.beside(label[:, :half], label[:, half:], ABSENT)
        before = np.frexp(np.arange(length + 1))[1].astype(np.int64)  # the number of binary digits
        return Batch(
            prompt,
            answer,
            answer != ABSENT,
            {"segment": pairs.segments(count, half, half)},
            {"place": np.broadcast_to(before, answer.shape)},
        )

    def solve(self, prompt: Sequence[str]) -> list[str]:
        raise LookupError("what was hidden, and where a token was left as it is, cannot be known")

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"what most often follows the token before": _following}


def _following(prompt: Sequence[str]) -> list[str]:
    """Takes tokens that are shown as they are, and for a mask what follows the token before it elsewhere in the prompt;
    where that is not known, the most frequent token.
    """
    shown = Counter(token for token in prompt if token != MASK)
    follows: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for before, token in pairwise(prompt):
        if MASK not in (before, token):
            follows[before][token] += 1
    guess: list[str] = []
    for before, token in pairwise([MASK, *prompt]):
        guess.append((follows[before] or shown).most_common(1)[0][0] if token == MASK else token)
    return guess
