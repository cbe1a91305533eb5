"""Lays out the test examples of one length, some rows at a time.

A few hundred examples of tens of thousands of tokens are tens of megabytes; the intermediate arrays of all of them at
once would be gigabytes.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import PAD
from tasks.base import ABSENT, Batch

AT_ONCE = 2**20
"""The most tokens of examples that are processed at once: each takes eight bytes in each of several arrays."""


def portions(batch: Batch) -> Iterator[Batch]:
    """Split a batch into parts of at most :data:`AT_ONCE` tokens, at least one row each. An empty batch is one part."""
    tokens = batch.prompt.shape[1] + batch.answer.shape[1]
    size = max(1, AT_ONCE // max(1, tokens))
    for start in range(0, max(1, len(batch.answer)), size):
        yield batch.rows(slice(start, start + size))


def arrange(layout: Layout, batch: Batch, length: int) -> TokenBatch:
    """:meth:`Layout.arrange` for a batch, in parts, with tokens in int32."""
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
    """:meth:`Layout.channels` for a batch, in parts."""
    if not names:
        return {}
    parts = [layout.channels(part, length, names) for part in portions(batch)]
    width = max(part[names[0]].shape[1] for part in parts)

    def padded(numbers: np.ndarray) -> np.ndarray:
        return np.pad(numbers, ((0, 0), (0, width - numbers.shape[1])), constant_values=ABSENT)

    return {name: np.concatenate([padded(part[name]) for part in parts]) for name in names}


def longest(layout: Layout, batch: Batch, length: int) -> int:
    """The number of tokens of the longest example of a batch under a layout."""
    return max(int(layout.arrange(part, length).lengths.max(initial=0)) for part in portions(batch))


def repetition(prompt: np.ndarray) -> dict[str, int]:
    """How many distinct prompts there are among these [N, P], and how many times the most frequent one occurs."""
    _, count = np.unique(prompt, axis=0, return_counts=True)
    return {"different": len(count), "most_frequent": int(count.max())}
