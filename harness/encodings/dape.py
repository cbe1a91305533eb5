"""Data-adaptive positional encoding: a network over the heads corrects a bias by the logits."""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.declarations.bounds import CountOrZero, Width
from harness.dimensions import Dimensions
from harness.encodings.alibi import ALiBi
from harness.encodings.base import Encoding
from harness.encodings.fire import FIRE
from harness.encodings.kerple_log import KerpleLog
from harness.encodings.pairs import Pairs
from harness.encodings.perceptron import Perceptron

PAIRS = 2**18
"""Pairs of tokens whose hidden vectors are held at once."""


class DAPE(Encoding):
    """Turns the scaled logits S of all heads into ``S + B + f([S; B])``, B a ``bias`` by position and f a perceptron
    from 2H channels over ``width`` hidden units to H, the same for every pair of tokens.

    Zheng et al. (2024), arXiv 2405.14722, and their code: leaky ReLU of slope 0.01, drawn as PyTorch draws linear
    layers, biases as ALiBi, KERPLE's logarithm (their best) and FIRE define them, the latter with leaky ReLU too and
    as many hidden units. ``threshold`` is FIRE's; 0 makes it the training length. With ``bias="fire"`` logits depend
    on the query's position too, not on distances alone.
    """

    kind = "content"
    modes = ("causal",)
    per_layer = True
    shift_variant_with = "bias=fire"

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        bias: Literal["alibi", "kerple_log", "fire"] = "kerple_log",
        width: Width = 32,
        threshold: CountOrZero = 512,
    ) -> None:
        super().__init__()
        self.prior: Encoding
        if bias == "alibi":
            self.prior = ALiBi(dimensions)
        elif bias == "kerple_log":
            self.prior = KerpleLog(dimensions)
        else:
            self.prior = FIRE(dimensions, width=width, threshold=threshold)
            self.prior.function.activation = F.leaky_relu
        self.shift_invariant = self.prior.shift_invariant
        self.correction = Perceptron([2 * dimensions.n_heads, width, dimensions.n_heads], F.leaky_relu)

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        step = max(1, PAIRS // (logits.shape[0] * logits.shape[-1]))
        parts = [
            self._adapted(part, self.prior.bias(positions, pairs.k_positions))
            for part, positions in zip(logits.split(step, dim=2), pairs.q_positions.split(step, dim=1), strict=True)
        ]
        return torch.cat(parts, dim=2)

    def _adapted(self, logits: Tensor, bias: Tensor) -> Tensor:
        both = torch.cat([logits, bias.expand_as(logits)], dim=1).movedim(1, -1)
        return logits + bias + self.correction(both).movedim(-1, 1)
