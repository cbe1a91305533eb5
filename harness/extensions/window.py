"""Sliding window."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import CountOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Window(Extension):
    """A query sees the last ``size`` keys, itself included; under bidirectional attention as many after it.

    The window of Longformer (Beltagy et al., 2020, arXiv 2004.05150, section 3.1), at test time. ``size=0`` is the
    training length: no distance remains that training did not have. How tokens are counted is said in
    :mod:`harness.extensions.masks`.
    """

    counts_tokens = True

    def __init__(self, *, size: CountOrZero = 0) -> None:
        self.size = size

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.masks import Windowed

        return Windowed(encoding, self.size or train_tokens)
