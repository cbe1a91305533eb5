"""Data-adaptive positional encoding: a network over the heads corrects a bias by the logits."""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.encodings.alibi import geometric_slopes
from harness.encodings.base import Encoding, Pairs
from harness.shape import Shape

PAIRS = 2**18
"""Pairs of tokens whose hidden vectors are held at once."""


class DAPE(Encoding):
    """Turns the scaled logits S of all heads into ``S + B + f([S; B])``, B a ``bias`` by position and f a perceptron
    from 2H channels over ``width`` hidden units to H, the same for every pair of tokens.

    Zheng et al. (2024), arXiv 2405.14722, and their code: leaky ReLU of slope 0.01, drawn as PyTorch draws linear
    layers, biases as ALiBi, KERPLE's logarithm (their best) and FIRE define them, the latter with leaky ReLU too.
    ``threshold`` is FIRE's; 0 makes it the training length. With ``bias="fire"`` logits depend on the query's position
    and not on distances alone.
    """

    kind = "content"
    modes = ("causal",)
    per_layer = True

    def __init__(
        self,
        shape: Shape,
        *,
        bias: Literal["alibi", "kerple_log", "fire"] = "kerple_log",
        width: int = 32,
        threshold: int = 512,
    ) -> None:
        super().__init__()
        if width < 1:
            raise ValueError(f"width={width}: it must be at least 1")
        if threshold < 0:
            raise ValueError(f"threshold={threshold}: it must be above 0, or 0 for the training length")
        self.prior = {
            "alibi": lambda: _ALiBi(shape.heads),
            "kerple_log": lambda: _KerpleLog(shape.heads),
            "fire": lambda: _FIRE(shape.heads, threshold or shape.train_tokens),
        }[bias]()
        self.widen = nn.Linear(2 * shape.heads, width)
        self.narrow = nn.Linear(width, shape.heads)

    def score(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        step = max(1, PAIRS // (logits.shape[0] * logits.shape[-1]))
        with torch.autocast(logits.device.type, enabled=False):
            parts = [
                self._adapted(part, self.prior(positions, pairs.k_positions))
                for part, positions in zip(logits.split(step, dim=2), pairs.q_positions.split(step, dim=1), strict=True)
            ]
        return torch.cat(parts, dim=2)

    def _adapted(self, logits: Tensor, bias: Tensor) -> Tensor:
        both = torch.cat([logits, bias.expand_as(logits)], dim=1).movedim(1, -1)
        return logits + bias + self.narrow(F.leaky_relu(self.widen(both))).movedim(-1, 1)


class _ALiBi(nn.Module):
    slopes: Tensor

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.register_buffer("slopes", geometric_slopes(heads), persistent=False)

    def forward(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return -self.slopes[:, None, None] * _distances(q_positions, k_positions)[:, None]


class _KerpleLog(nn.Module):
    """``-p_h ln(1 + a_h |i - j|)``, p from U(0, 2), a from U(0, 1), both at least 0.01."""

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.p = nn.Parameter(2 * torch.rand(heads))
        self.a = nn.Parameter(torch.rand(heads))

    def forward(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        p, a = (x.float().clamp(min=0.01)[:, None, None] for x in (self.p, self.a))
        return -p * torch.log1p(a * _distances(q_positions, k_positions)[:, None])


class _FIRE(nn.Module):
    """``g_h(psi(|i - j|) / psi(max(i, |m L|)))``, ``psi(x) = ln(|c| x + 1)``, c from 0.1, m from 1, L the threshold."""

    def __init__(self, heads: int, threshold: float) -> None:
        super().__init__()
        self.threshold = threshold
        self.c = nn.Parameter(torch.tensor(0.1))
        self.multiplier = nn.Parameter(torch.tensor(1.0))
        self.widen = nn.Linear(1, 32)
        self.narrow = nn.Linear(32, heads)

    def forward(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        reach = torch.maximum(q_positions.to(torch.float32), (self.multiplier * self.threshold).abs())[:, :, None]
        distances = _distances(q_positions, k_positions)
        relative = torch.log1p(self.c.abs() * distances) / (torch.log1p(self.c.abs() * reach) + 1e-6)
        return self.narrow(F.leaky_relu(self.widen(relative[..., None]))).movedim(-1, 1)


def _distances(q_positions: Tensor, k_positions: Tensor) -> Tensor:
    """[B, Lq], [B, Lk] -> [B, Lq, Lk], float32."""
    return (q_positions[:, :, None] - k_positions[:, None, :]).abs().to(torch.float32)
