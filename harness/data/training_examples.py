"""Training data: an infinite stream of examples, the same for every batch size, device and number of processes.

The stream is generated in blocks. Block b is a function of the task, its version, the seed and b alone, so that a run
can be resumed at any step, and any process can generate just its own part of a batch.
"""

from collections.abc import Container, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.data import blocks
from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import PAD
from harness.positions.base import PositionRule, Sequences
from harness.rng import generator
from tasks.base import ABSENT, Batch, Task

DRAWN_LATER = np.empty((1, 0), np.int64)
"""Placeholder for the positions of a block whose rule samples once per batch."""


class TrainingBatch(NamedTuple):
    """One process's part of one batch. ``scored`` holds the indices into the flattened ``tokens`` [B, T] whose
    prediction counts, ``targets`` the tokens to predict there, ``total`` the number of scored tokens of the whole batch
    over all processes.
    """

    tokens: Tensor
    positions: Positions
    scored: Tensor
    targets: Tensor
    total: int


class TrainingData:
    """The training batches of a run, by step."""

    def __init__(
        self,
        task: Task,
        layout: Layout,
        rule: PositionRule,
        lengths: Sequence[int],
        *,
        seed: int,
        batch: int,
        multiple: int = 1,
    ) -> None:
        """``multiple``: batches are padded to a width that is a multiple of it, or to the largest width of all."""
        self.task = task
        self.layout = layout
        self.rule = rule
        self.lengths = list(lengths)
        self.seed = seed
        self.batch = batch
        self.multiple = multiple
        self.block = blocks.size(task, lengths)
        self.width = max(layout.width(task, length) for length in lengths)  # the same for blocks that are joined
        self.made: dict[int, tuple[int, int]] = {}
        """By step the tokens of a batch that was made, and its positions with padding, over all processes."""
        self._ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="data")
        self._blocks: dict[int, Future[tuple[TokenBatch, np.ndarray]]] = {}

    def __call__(self, step: int, rank: int = 0, world: int = 1) -> TrainingBatch:
        """The part of batch ``step`` that belongs to process ``rank`` of ``world``."""
        arranged, positions = self._rows(step * self.batch, (step + 1) * self.batch)
        if self.rule.scope == "batch":
            rng = generator("positions", self.seed, "batch", step)
            positions = self.rule.sample(rng, Sequences(arranged.lengths, arranged.tokens.shape[1], training=True))
        total = int(arranged.scored.sum())
        shares = [slice(n * self.batch // world, (n + 1) * self.batch // world) for n in range(world)]
        widths = [self._padded(int(arranged.lengths[rows].max())) for rows in shares]
        padded = sum((rows.stop - rows.start) * wide for rows, wide in zip(shares, widths, strict=True))
        self.made[step] = int(arranged.lengths.sum()), padded
        share, width = shares[rank], widths[rank]
        scored = np.flatnonzero(arranged.scored[share, :width])
        return TrainingBatch(
            tokens=torch.from_numpy(arranged.tokens[share, :width].astype(np.int64)),
            positions=make_positions(
                positions[share if len(positions) > 1 else slice(1), :width],
                arranged.lengths[share],
                width,
                self.rule,
                self.layout,
            ),
            scored=torch.from_numpy(scored),
            targets=torch.from_numpy(arranged.targets[share, :width].ravel()[scored].astype(np.int64)),
            total=total,
        )

    def _padded(self, longest: int) -> int:
        """The width of a batch whose longest example has so many tokens."""
        return min(-(-longest // self.multiple) * self.multiple, self.width)

    def _block(self, number: int) -> tuple[TokenBatch, np.ndarray]:
        """A block; the next one is generated in the background, so that training does not wait for it."""
        for wanted in (number, number + 1):
            if wanted not in self._blocks:
                self._blocks[wanted] = self._ahead.submit(self._make_block, wanted)
        self._blocks = {kept: block for kept, block in self._blocks.items() if number - 1 <= kept <= number + 1}
        return self._blocks[number].result()

    def _rows(self, start: int, stop: int) -> tuple[TokenBatch, np.ndarray]:
        parts = []
        for block in range(start // self.block, (stop - 1) // self.block + 1):
            arranged, positions = self._block(block)
            rows = slice(max(start - block * self.block, 0), stop - block * self.block)
            parts.append(
                (TokenBatch(*(array[rows] for array in arranged)), positions[rows] if len(positions) > 1 else positions)
            )
        if len(parts) == 1:
            return parts[0]
        joined = TokenBatch(
            *(np.concatenate(arrays) for arrays in zip(*(arranged for arranged, _ in parts), strict=True))
        )
        shared = len(parts[0][1]) == 1
        return joined, parts[0][1] if shared else np.concatenate([positions for _, positions in parts])

    def _make_block(self, block: int) -> tuple[TokenBatch, np.ndarray]:
        size, width = self.block, self.width
        tokens, targets = (np.full((size, width), PAD, np.int32) for _ in range(2))
        scored, lengths = np.zeros((size, width), bool), np.zeros(size, np.int64)
        channels = {name: np.full((size, width), ABSENT) for name in self.rule.needs}
        for length, rows, batch in examples(self.task, self.lengths, seed=self.seed, block=block):
            part = self.layout.arrange(batch, length)
            wide = part.tokens.shape[1]
            tokens[rows, :wide] = part.tokens
            targets[rows, :wide] = part.targets
            scored[rows, :wide] = part.scored
            lengths[rows] = part.lengths
            for channel, numbers in self.layout.channels(batch, length, self.rule.needs).items():
                channels[channel][rows, :wide] = numbers
        arranged = TokenBatch(tokens, targets, scored, lengths)
        if self.rule.scope == "batch":
            return arranged, DRAWN_LATER
        rng = generator("positions", self.seed, block)
        return arranged, self.rule.sample(rng, Sequences(lengths, width, training=True, channels=channels))


def make_positions(
    positions: np.ndarray, lengths: np.ndarray, width: int, rule: PositionRule, layout: Layout
) -> Positions:
    """The model's positions from those of a rule, ``positions`` [N or 1, T], for rows of ``lengths`` [N] tokens. Under
    a bidirectional layout the padding is masked.
    """
    padded = layout.bidirectional and bool((lengths < width).any())
    visible = torch.from_numpy(np.arange(width) < lengths[:, None]) if padded else None
    return Positions(torch.from_numpy(positions.copy()), rule.consecutive, visible)


def examples(
    task: Task, lengths: Sequence[int], *, seed: int, block: int, only: Container[int] | None = None
) -> Iterator[tuple[int, np.ndarray, Batch]]:
    """The examples of one block by length, with their row indices in it; of all ``lengths`` or ``only`` some."""
    name, version = type(task).__name__, task.version
    odds = task.length_weights(list(lengths))
    rng = generator("lengths", name, version, seed, block)
    chosen = rng.choice(np.array(lengths), blocks.size(task, lengths), p=odds / odds.sum())
    where = {length: np.flatnonzero(chosen == length) for length in np.unique(chosen).tolist()}
    if task.together:
        rng = generator(name, version, "train", seed, "together", block)
        drawn = task.sample_together(rng, {length: len(rows) for length, rows in where.items()})
    for length, rows in where.items():
        if only is not None and length not in only:
            continue
        if task.together:
            yield length, rows, drawn[length]
        else:
            rng = generator(name, version, "train", seed, length, block)
            yield length, rows, task.sample(rng, length, len(rows))
