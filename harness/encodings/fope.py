"""Fourier position embedding."""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.declarations.bounds import Base, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, cosine_and_sine, geometric
from harness.encodings.precision import at_least_float32
from harness.encodings.requirements import odd_channels
from harness.encodings.rotary import combine


class FoPE(Encoding):
    """Rotary embedding in which every pair turns by a mixture of frequencies, and none that training leaves unfinished
    takes part.

    Hua et al. (2024), arXiv 2412.17739, and their code. Of RoPE's frequencies the n with a period of at most the
    training length are kept. Pair o of head h, o below ``min(n, d / 4)``, uses ``C = sum_m c_hmo cos(i f_m)`` and ``S =
    sum_m s_hmo sin(i f_m)`` in the place of cosine and sine; all other pairs use the constant 1 for both, sine too, as
    their code does (the paper speaks of frequency 0, whose sine would be 0). C and S do not make a rotation: logits
    depend on more than the distance.

    c and s are a part of the identity (every ``ceil(n / o)``-th row where there are more frequencies than pairs) plus
    Xavier's normal noise times ``gain``, drawn for every layer. They stay as drawn, as in their code, or are
    ``learned``.
    """

    kind = "rotary"
    depends_on = "positions"
    shift_invariant = False
    per_layer = True

    frequencies: Tensor
    cosines: Tensor
    sines: Tensor

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        channels, tokens = dimensions.head_dim, dimensions.train_tokens
        if channels < 4 or tokens < 7:  # the fastest pair turns once in 6.3 tokens
            return (
                f"none of the pairs that {channels} channels of a head make can be used, as at least 4 channels "
                f"and a period within the {tokens} tokens of training are needed"
            )
        return odd_channels(channels, "a head")

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: Base = 10000.0,
        layout: Literal["interleaved", "half"] = "half",
        gain: Deviation = 0.3,
        learned: bool = False,
    ) -> None:
        super().__init__()
        every = geometric(dimensions.head_dim, base)
        frequencies = every[every >= math.tau / dimensions.train_tokens]
        self.pairs = min(len(frequencies), dimensions.head_dim // 4)
        self.register_buffer("frequencies", frequencies, persistent=False)
        for name in ("sines", "cosines"):
            drawn = _coefficients(dimensions.n_heads, len(frequencies), self.pairs, gain)
            if learned:
                self.register_parameter(name, nn.Parameter(drawn))
            else:
                self.register_buffer(name, drawn)
        self.layout = layout

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        def turn(x: Tensor, positions: Tensor) -> Tensor:
            cosines, sines = cosine_and_sine(angles(positions, self.frequencies), self.precision)
            cos = torch.einsum("bln,hno->bhlo", cosines, at_least_float32(self.cosines))
            sin = torch.einsum("bln,hno->bhlo", sines, at_least_float32(self.sines))
            constant = (0, x.shape[-1] // 2 - self.pairs)
            return combine(x, F.pad(cos, constant, value=1.0), F.pad(sin, constant, value=1.0), self.layout)

        return turn(q, q_positions), turn(k, k_positions)


def _coefficients(heads: int, frequencies: int, pairs: int, gain: float) -> Tensor:
    """[H, n, o]; the noise's deviation comes from all three sizes, as where their code draws all heads at once."""
    drawn = nn.init.xavier_normal_(torch.empty(heads, frequencies, pairs), gain=gain)
    rows = torch.arange(pairs) * math.ceil(frequencies / pairs)
    inside = rows < frequencies
    drawn[:, rows[inside], torch.arange(pairs)[inside]] += 1
    return drawn
