"""Stretches of bytes that occur both in documents to train on and in documents to test on."""

from collections.abc import Iterable

import numpy as np

BLOCK = 64
"""Bytes of a block. Documents without a block in common have no stretch of 127 bytes in common: such a stretch holds a
whole block of the one, wherever in the other it stands.
"""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_BUCKETS = np.uint64(2**20)


class Blocks:
    """The blocks of :data:`BLOCK` bytes that documents consist of, each document from its beginning."""

    def __init__(self, contents: Iterable[bytes]) -> None:
        self._known = {
            content[start : start + BLOCK]
            for content in contents
            for start in range(0, len(content) - BLOCK + 1, BLOCK)
        }
        self._buckets = np.zeros(int(_BUCKETS), bool)
        for block in self._known:
            self._buckets[_rolling(block) % _BUCKETS] = True

    def cut_out_of(self, content: bytes) -> list[bytes]:
        """What is left of a document without the lines that have a part in one of the blocks: the pieces between them.
        Whole lines are taken out, so that no character is cut in two.
        """
        pieces, end = [], 0
        for place in self._places(content):
            line = content.rfind(b"\n", 0, place) + 1
            if line > end:
                pieces.append(content[end:line])
            behind = content.find(b"\n", place + BLOCK - 1) + 1
            end = max(end, behind or len(content))
        return [piece for piece in (*pieces, content[end:]) if piece]

    def _places(self, content: bytes) -> list[int]:
        """Where blocks begin in a document."""
        likely = np.flatnonzero(self._buckets[_rolling(content) % _BUCKETS])
        return [place for place in likely.tolist() if content[place : place + BLOCK] in self._known]


def _rolling(content: bytes) -> np.ndarray:
    """A number for every stretch of :data:`BLOCK` bytes, made from those of its two halves, from single bytes up."""
    numbers, size, factor = np.frombuffer(content, np.uint8).astype(np.uint64), 1, _FACTOR
    while size < BLOCK:
        numbers = numbers[:-size] * factor + numbers[size:] if len(numbers) > size else numbers[:0]
        numbers ^= numbers >> np.uint64(29)
        size *= 2
    return numbers
