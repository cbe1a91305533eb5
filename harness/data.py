"""Training data: an endless row of examples, the same for every batch size, device and number of processes.

The row is made in blocks. Block b is a function of the task, its version, the seed and b alone, so that a run can be
taken up at any step, and any process can make just the part of a batch that is its own.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness import streams
from harness.attention import Positions
from harness.layouts import PAD, Arranged, Causal
from harness.positions.base import PositionRule
from tasks.base import ABSENT, Task

BLOCK = 1024
"""Examples made at once."""

DRAWN_LATER = np.empty((1, 0), np.int64)
"""Stands for the positions of a block whose rule draws for whole batches."""


class TrainingBatch(NamedTuple):
    """One process's part of one batch. ``scored`` holds the places in the flattened ``tokens`` [B, T] whose prediction
    counts, ``targets`` what they should predict, ``total`` how many such places the whole batch has over all processes.
    """

    tokens: Tensor
    positions: Positions
    scored: Tensor
    targets: Tensor
    total: int


class TrainingData:
    """Batches for the steps of a run, by number."""

    def __init__(
        self, task: Task, layout: Causal, rule: PositionRule, lengths: Sequence[int], *, seed: int, batch: int
    ) -> None:
        self.task = task
        self.layout = layout
        self.rule = rule
        self.lengths = np.array(lengths)
        self.seed = seed
        self.batch = batch
        self.width = max(layout.width(task, length) for length in lengths)  # the same for blocks that are joined
        self._block = lru_cache(maxsize=2)(self._make_block)

    def __call__(self, step: int, rank: int = 0, world: int = 1) -> TrainingBatch:
        """The part of batch ``step`` that belongs to process ``rank`` of ``world``."""
        arranged, positions = self._rows(step * self.batch, (step + 1) * self.batch)
        if self.rule.scope == "batch":
            rng = streams.generator("positions", self.seed, "batch", step)
            positions = self.rule.sample(rng, arranged.lengths, arranged.tokens.shape[1], training=True)
        total = int(arranged.scored.sum())
        share = slice(rank * self.batch // world, (rank + 1) * self.batch // world)
        width = int(arranged.lengths[share].max())
        scored = np.flatnonzero(arranged.scored[share, :width])
        return TrainingBatch(
            tokens=torch.from_numpy(arranged.tokens[share, :width].copy()),
            positions=Positions(
                torch.from_numpy(positions[share if len(positions) > 1 else slice(1), :width].copy()),
                self.rule.consecutive,
            ),
            scored=torch.from_numpy(scored),
            targets=torch.from_numpy(arranged.targets[share, :width].ravel()[scored]),
            total=total,
        )

    def _rows(self, start: int, stop: int) -> tuple[Arranged, np.ndarray]:
        parts = []
        for block in range(start // BLOCK, (stop - 1) // BLOCK + 1):
            arranged, positions = self._block(block)
            rows = slice(max(start - block * BLOCK, 0), stop - block * BLOCK)
            parts.append(
                (Arranged(*(array[rows] for array in arranged)), positions[rows] if len(positions) > 1 else positions)
            )
        if len(parts) == 1:
            return parts[0]
        joined = Arranged(
            *(np.concatenate(arrays) for arrays in zip(*(arranged for arranged, _ in parts), strict=True))
        )
        shared = len(parts[0][1]) == 1
        return joined, parts[0][1] if shared else np.concatenate([positions for _, positions in parts])

    def _make_block(self, block: int) -> tuple[Arranged, np.ndarray]:
        name, version = type(self.task).__name__, self.task.version
        odds = self.task.weights(self.lengths.tolist())
        drawn = streams.generator("lengths", name, version, self.seed, block).choice(
            self.lengths, BLOCK, p=odds / odds.sum()
        )
        width = self.width
        tokens = np.full((BLOCK, width), PAD, np.int64)
        targets = np.full((BLOCK, width), PAD, np.int64)
        scored = np.zeros((BLOCK, width), bool)
        lengths = np.zeros(BLOCK, np.int64)
        channels = {name: np.full((BLOCK, width), ABSENT) for name in self.rule.needs}
        for length in np.unique(drawn):
            rows = np.flatnonzero(drawn == length)
            rng = streams.generator(name, version, "train", self.seed, int(length), block)
            batch = self.task.sample(rng, int(length), len(rows))
            part = self.layout.arrange(batch)
            wide = part.tokens.shape[1]
            tokens[rows, :wide] = part.tokens
            targets[rows, :wide] = part.targets
            scored[rows, :wide] = part.scored
            lengths[rows] = part.lengths
            for channel, numbers in self.layout.channels(batch, self.rule.needs).items():
                channels[channel][rows, :wide] = numbers
        arranged = Arranged(tokens, targets, scored, lengths)
        if self.rule.scope == "batch":
            return arranged, DRAWN_LATER
        rng = streams.generator("positions", self.seed, block)
        return arranged, self.rule.sample(rng, lengths, width, training=True, channels=channels)
