"""Augmented positions."""

import math
from collections.abc import Mapping
from typing import Annotated

import numpy as np
from pydantic import Field

from harness.declarations.bounds import NotNegative
from harness.positions.base import NO_MAXIMA, PositionRule, Sequences


class CAPE(PositionRule):
    """In training token i has position ``(i + d + e_i) * exp(g)``, in evaluation i. d is uniform in +-``global_shift``,
    e_i in +-``local_shift``, g in +-``ln(global_scale)``; d and g are drawn once per sequence, e_i for every token.

    Likhomanenko et al. (2021), arXiv 2106.03143 (CAPE), for sequences: they add sinusoids of these positions
    (``encoding=sinusoidal``). ``centred`` counts i from the middle of the sequence, as they do, in evaluation too:
    positions are then -(n - 1) / 2 to (n - 1) / 2 for n tokens, prompt and answer together. Positions can be negative.
    A public port of their code (gcambara/cape) has all three draws and the centring off by default; the defaults here
    move a short sequence by a few tokens.
    """

    fractional = True

    def __init__(
        self,
        *,
        global_shift: NotNegative = 5.0,
        local_shift: NotNegative = 0.5,
        global_scale: Annotated[float, Field(ge=1, le=1000)] = 1.03,
        centred: bool = False,
    ) -> None:
        self.global_shift = global_shift
        self.local_shift = local_shift
        self.global_scale = global_scale
        self.centred = self.two_sided = centred

    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        if not sequences.training:
            told = np.arange(sequences.width, dtype=np.float32)[None]
            return np.minimum(told - middles(sequences.lengths), middles(sequences.lengths)) if self.centred else told
        count, most = len(sequences.lengths), int(sequences.lengths.max(initial=0))
        farthest = math.log(self.global_scale)
        shifts = rng.uniform(-self.global_shift, self.global_shift, (count, 1))
        scales = rng.uniform(-farthest, farthest, (count, 1))
        positions = np.zeros((count, sequences.width), np.float32)
        shifted = rng.uniform(-self.local_shift, self.local_shift, (count, most))
        middle = middles(sequences.lengths) if self.centred else 0
        positions[:, :most] = augmented(shifts, shifted, scales, middle)
        if self.centred:  # behind a shorter sequence it would go on past the end of the longest
            positions[np.arange(sequences.width) >= sequences.lengths[:, None]] = 0
        return positions

    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        last = (tokens - 1) / 2 if self.centred else tokens - 1
        if not training:
            return math.ceil(last)
        return math.ceil((last + self.global_shift + self.local_shift) * self.global_scale)


def middles(lengths: np.ndarray) -> np.ndarray:
    """The middle of the positions 0 to n - 1 of sequences of these lengths [N] -> [N, 1] float32."""
    return (lengths[:, None] - 1).astype(np.float32) / 2


def augmented(
    global_shifts: np.ndarray, local_shifts: np.ndarray, log_scales: np.ndarray, middle: np.ndarray | float = 0
) -> np.ndarray:
    """The positions, counted from a ``middle``, that these draws make, [N, 1], [N, T], [N, 1] and [N, 1] -> [N, T]
    float32.
    """
    shifted = np.arange(local_shifts.shape[1]) - np.float64(middle) + np.float64(global_shifts) + local_shifts
    return (shifted * np.exp(np.float64(log_scales))).astype(np.float32)
