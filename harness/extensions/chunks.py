"""Chunked attention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import CountOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Chunks(Extension):
    """Tokens are cut into chunks of ``size``, and a query sees the keys of its own.

    Llama 4 (Meta, 2025) is trained with it in its layers with rotation, at chunks of 8192; here it acts at test time
    and in all layers. ``size=0`` is the training length. How tokens are counted is said in
    :mod:`harness.extensions.masks`.
    """

    counts_tokens = True

    def __init__(self, *, size: CountOrZero = 0) -> None:
        self.size = size

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.masks import Chunked

        return Chunked(encoding, self.size or train_tokens)
