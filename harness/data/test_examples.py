"""The test examples of one length, some rows at a time.

A few hundred examples of tens of thousands of tokens are tens of megabytes; the arrays that are made from all of them
on the way to a score would be gigabytes.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import PAD
from tasks.base import ABSENT, Batch

AT_ONCE = 2**20
"""Tokens of examples that are handled at once, at most: each takes eight bytes in each of several arrays."""


def portions(batch: Batch) -> Iterator[Batch]:
    """A batch in parts of some rows: as many as have :data:`AT_ONCE` tokens, at least one. An empty batch is one."""
    tokens = batch.prompt.shape[1] + batch.answer.shape[1]
    size = max(1, AT_ONCE // max(1, tokens))
    for start in range(0, max(1, len(batch.answer)), size):
        yield batch.rows(slice(start, start + size))


def arrange(layout: Layout, batch: Batch, length: int) -> TokenBatch:
    """What :meth:`Layout.arrange` gives for a batch, tokens in int32."""
    shape = len(batch.answer), layout.width(layout.task, length)
    tokens, targets = np.full(shape, PAD, np.int32), np.full(shape, PAD, np.int32)
    scored, lengths = np.zeros(shape, bool), np.zeros(shape[0], np.int64)
    width = first = 0
    for part in portions(batch):
        laid_out = layout.arrange(part, length)
        rows, wide = slice(first, first + len(laid_out.tokens)), laid_out.tokens.shape[1]
        tokens[rows, :wide], targets[rows, :wide] = laid_out.tokens, laid_out.targets
        scored[rows, :wide], lengths[rows] = laid_out.scored, laid_out.lengths
        width, first = max(width, wide), rows.stop
    return TokenBatch(tokens[:, :width], targets[:, :width], scored[:, :width], lengths)


def channels(layout: Layout, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
    """What :meth:`Layout.channels` gives for a batch."""
    if not names:
        return {}
    parts = [layout.channels(part, length, names) for part in portions(batch)]
    width = max(part[names[0]].shape[1] for part in parts)

    def padded(numbers: np.ndarray) -> np.ndarray:
        return np.pad(numbers, ((0, 0), (0, width - numbers.shape[1])), constant_values=ABSENT)

    return {name: np.concatenate([padded(part[name]) for part in parts]) for name in names}


def longest(layout: Layout, batch: Batch, length: int) -> int:
    """How many tokens the longest example of a batch has as a layout arranges it."""
    return max(int(layout.arrange(part, length).lengths.max(initial=0)) for part in portions(batch))
