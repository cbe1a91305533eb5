"""Truncation to the training length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Truncate(Extension):
    """For every prediction the model reads no more tokens than the longest training sequence has, with the positions of
    such a sequence: it sees no new position, and what is cut off is lost. From left to right these are the last tokens
    (:class:`harness.evaluation.truncation.Truncated`); of a pair of sentences, the beginnings of both or the tokens
    around the predicted one (:class:`harness.evaluation.truncation.TruncatedSentences`).

    What users of models with a hard limit do (BERT's 512 tokens, Devlin et al., 2019). Unlike a window in attention,
    layers pass on nothing from beyond the cut.
    """

    modes = ("causal", "bidirectional", "attention-free")
    truncates = True
    counts_tokens = True

    def longest(self, known: int | None, train_tokens: int) -> int | None:
        return None

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        return encoding
