"""Logits that grow with the logarithm of the length."""

import math

import torch
from torch import Tensor

from harness.logits.base import LogitScale
from harness.shape import Shape


class LogN(LogitScale):
    """``max(1, ln(i + 1) / ln n) / sqrt(d)`` for the query at position i, n the number of positions in training.

    Su (2023) in his code for ReRoPE; Chiang & Cholak (2022), arXiv 2202.12172, show why attention over n tokens needs
    logits that grow with log n. Within the training length it changes nothing.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.scale = shape.head_dimension**-0.5
        self.train_tokens = shape.train_tokens

    def factor(self, q_positions: Tensor) -> Tensor:
        growth = torch.log(q_positions.float() + 1) / math.log(self.train_tokens)
        return growth.clamp(min=1)[:, None] * self.scale
