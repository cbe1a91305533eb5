"""How many training examples are made at once.

A block is made length by length, and a sampler is fast when it makes many examples in one call. So a block grows with
the number of lengths, as far as memory allows. Which examples a run is trained on depends on the size of its blocks, so
a size other than :data:`FEWEST` is part of the run's identity.
"""

from collections.abc import Sequence

from tasks.base import Task

FEWEST = 1024
"""Examples of a block, at least."""

PER_LENGTH = 32
"""Examples of each length that a block should have."""

TOKENS = 2**24
"""Tokens of a block, at most, padding included: half a dozen bytes each."""


def size(task: Task, lengths: Sequence[int]) -> int:
    """The number of examples of a block for training on these lengths: a power of two."""
    longest = max(task.prompt_length(length) + task.answer_length(length) for length in (lengths[0], lengths[-1]))
    most = min(PER_LENGTH * len(lengths), TOKENS // max(1, longest))
    return max(FEWEST, 1 << max(0, most.bit_length() - 1))
