"""Model running text token by token."""

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

import numpy as np

from tasks.base import ABSENT, Batch, Split, Task
from tasks.language import windows
from tasks.language.protocols import PROTOCOLS, Settings
from tasks.language.source import Source

GROUPS = 64
"""Held-out documents that scores are told apart by; further ones share their numbers."""


class Text(Task):
    """Length counts the tokens of a window of text. The model predicts each from those before it in the window.

    Training windows lie anywhere in the training documents. Documents are held out by a digest of their content;
    training documents that nearly equal a held-out one (half of their lines) are not used, and of the others the lines
    that they share with one for 64 bytes or more are cut out, so that no 127 bytes in a row occur on both sides. (In
    version 2 they did: of windows of 128 bytes of the standard library 3.5 % also stood in a training document.) What
    is tested are stretches of ``longest`` tokens of held-out documents, the same for every length, read as ``protocol``
    says:

    - ``last_window``: windows of every length end where the stretches end, and only their last ``targets`` tokens
      count, so that all lengths are judged on the same tokens and differ in nothing but the context given: a score that
      rises with length shows that the context does harm.
    - ``foreign_context``: the same, but tokens more than ``own`` before the end are taken from another document. What a
      model gains from far context with ``last_window`` and not here is what it makes of that context; a model that only
      looks at near tokens scores the same on both.
    - ``non_overlapping``: the stretches are cut into windows without context of one another and all tokens count (Press
      et al., 2021, arXiv 2108.12409). Longer windows do better here even if far context is ignored, since fewer tokens
      come early in a window.
    - ``sliding``: a window slides by ``stride`` and its new tokens count, in the first all (Press et al., appendix).

    The corpus is the source of the running Python's standard library (``stdlib``), that of an installed package
    (``wheel:NAME``, the same on every machine for one pinned wheel), the column ``text`` of Parquet files
    (``parquet:PATH``, a folder, a pattern or hf://datasets/OWNER/NAME, read with the library ``datasets``), or
    ``files``. Different texts have different fingerprints, which are part of a run's identity.

    ``unit`` is what is a token: ``bytes``; ``characters``; ``bpe``, byte-level byte pair encoding; ``wordpiece``,
    BERT's, which loses white space. The last three are learned from the training documents, up to ``vocabulary``
    tokens; ``bpe`` and ``wordpiece`` need the library ``tokenizers``, as does ``tokenizer``, the tokenizer.json of a
    pretrained model in place of a unit (:class:`~tasks.language.ready.Ready`). Bits are counted per byte of the text
    that the scored tokens represent, so that they can be compared between units, ``wordpiece`` apart.

    ``files`` lists paths or patterns (``**`` crosses folders); ``longest`` is the longest testable length in tokens,
    ``held_out`` the share of documents held out. With the last two protocols ``evaluation.examples`` counts stretches,
    each read in several windows.

    Axes: ``document``, the held-out document a window is from, for means over documents (modulo 64); ``place``, the
    number of tokens before the scored one in its window in powers of two: 0 for none, 1 for 1, 2 for 2 and 3, 3 for 4
    to 7 and so on.

    Raises :class:`ValueError` if text cannot be read or no document on either side is long enough.
    """

    version = 3
    form = "stream"
    metric = "bits_per_byte"
    data_options = ("corpus", "files", "tokenizer")
    axes = ("document", "place")

    def __init__(
        self,
        *,
        corpus: str = "stdlib",
        files: Sequence[str] = (),
        unit: Literal["bytes", "characters", "bpe", "wordpiece"] = "bytes",
        vocabulary: int = 1024,
        tokenizer: str = "",
        protocol: Literal["last_window", "foreign_context", "non_overlapping", "sliding"] = "last_window",
        targets: int = 32,
        own: int = 128,
        stride: int = 32,
        longest: int = 4096,
        held_out: float = 0.1,
    ) -> None:
        if not 0 < targets < longest:
            raise ValueError(f"targets={targets}: it is at least 1 and less than longest={longest}")
        if own < targets:
            raise ValueError(f"own={own}: it is at least targets={targets}, the tokens that count")
        if stride < 1:
            raise ValueError(f"stride={stride}: it is at least 1")
        if protocol not in PROTOCOLS:
            raise ValueError(f"protocol={protocol}: it is one of {', '.join(PROTOCOLS)}")
        self.source = Source(
            corpus=corpus, files=files, unit=unit, vocabulary=vocabulary, tokenizer=tokenizer, held_out=held_out
        )
        self.longest = longest
        self.shortest = targets
        self._protocol = PROTOCOLS[protocol]
        self._settings = Settings(targets, own, stride)

    @cached_property
    def alphabet(self) -> tuple[str, ...]:  # type: ignore[override]
        return self.source.unit.alphabet

    def prompt_length(self, length: int) -> int:
        return 0

    def answer_length(self, length: int) -> int:
        return length

    def produces(self, length: int) -> bool:
        return self.shortest <= length <= self.longest

    def length_weights(self, lengths: Sequence[int]) -> np.ndarray:
        """Only windows of the full training length."""
        return windows.full_length(lengths)

    def fingerprint(self) -> str:
        return self.source.fingerprint()

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        if split == "train":
            cut = self.source.windows("train", length, "task.longest")
            numbers = rng.integers(cut.count, size=count)
            places = cut.start(numbers)[:, None] + np.arange(length)
            return self._batch(split, places, np.ones(places.shape, bool), cut.document(numbers))
        stretches = self.source.windows("test", self.longest, "task.longest")
        numbers = stretches.evenly(count)  # no stretch is read twice
        read = self._protocol(stretches, numbers, length, self._settings)
        return self._batch(split, read.places, read.scored, stretches.document(numbers)[read.stretch])

    def _batch(self, split: Split, places: np.ndarray, scored: np.ndarray, document: np.ndarray) -> Batch:
        text = self.source.text(split)
        count, length = places.shape
        answer = np.where(places == ABSENT, ABSENT, text.numbers[places].astype(np.int64))
        before = np.frexp(np.arange(length))[1].astype(np.int64)  # the number of binary digits
        axes = {"document": document % GROUPS, "place": np.broadcast_to(before, (count, length))}
        return Batch(np.empty((count, 0), np.int64), answer, scored, axes=axes, sizes=text.sizes[places])

    def solve(self, prompt: Sequence[str]) -> list[str]:
        raise LookupError("running text has no right answer to compute")

    def write(self, prompt: Sequence[str], answer: Sequence[str]) -> str:
        return self.source.unit.decode([self._number[token] for token in answer])

    @cached_property
    def _number(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self.alphabet)}
