"""The test examples of one length, some rows at a time.

A few hundred examples of tens of thousands of tokens are tens of megabytes; the arrays that are made from all of them
on the way to a score would be gigabytes.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from harness.layouts import PAD, Arranged, Layout
from tasks.base import ABSENT, Batch

AT_ONCE = 2**20
"""Tokens of examples that are handled at once, at most: each takes eight bytes in each of several arrays."""


def portions(batch: Batch) -> Iterator[Batch]:
    """A batch in parts of some rows: as many as have :data:`AT_ONCE` tokens, at least one. An empty batch is one."""
    tokens = batch.prompt.shape[1] + batch.answer.shape[1]
    size = max(1, AT_ONCE // max(1, tokens))
    for start in range(0, max(1, len(batch.answer)), size):
        yield batch.rows(slice(start, start + size))


def arranged(layout: Layout, batch: Batch, length: int) -> Arranged:
    """What :meth:`Layout.arrange` gives for a batch, tokens in int32."""
    parts = list(_parts(layout, batch, length))
    width = max(part.tokens.shape[1] for part in parts)
    return Arranged(
        _below_each_other([part.tokens for part in parts], width, PAD),
        _below_each_other([part.targets for part in parts], width, PAD),
        _below_each_other([part.scored for part in parts], width, False),
        np.concatenate([part.lengths for part in parts]),
    )


def channels(layout: Layout, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
    """What :meth:`Layout.channels` gives for a batch."""
    if not names:
        return {}
    parts = [layout.channels(part, length, names) for part in portions(batch)]
    width = max(part[names[0]].shape[1] for part in parts)
    return {name: _below_each_other([part[name] for part in parts], width, ABSENT) for name in names}


def longest(layout: Layout, batch: Batch, length: int) -> int:
    """How many tokens the longest example of a batch has as a layout arranges it."""
    return max(int(part.lengths.max(initial=0)) for part in _parts(layout, batch, length))


def _parts(layout: Layout, batch: Batch, length: int) -> Iterator[Arranged]:
    for part in portions(batch):
        tokens, targets, scored, lengths = layout.arrange(part, length)
        yield Arranged(tokens.astype(np.int32), targets.astype(np.int32), scored, lengths)


def _below_each_other(parts: list[np.ndarray], width: int, filler: int) -> np.ndarray:
    """Rows of several arrays in one, filled up to ``width``."""
    wide = [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=filler) for part in parts]
    return wide[0] if len(wide) == 1 else np.concatenate(wide)
