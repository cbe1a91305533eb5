"""Logits that grow with the logarithm of the length."""

import math

import torch
from torch import Tensor

from harness.logits.base import LogitScale
from harness.shape import Shape


class LogN(LogitScale):
    """``max(1, ln n / ln n_train) / sqrt(d)`` for a query that sees n keys, ``n_train`` the most in training.

    Su (2023) in his code for ReRoPE; Chiang & Cholak (2022), arXiv 2202.12172, show why attention over n tokens needs
    logits that grow with log n. Within the training length it changes nothing.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.scale = shape.head_dimension**-0.5
        self.train_tokens = shape.train_tokens

    def factor(self, seen: Tensor) -> Tensor:
        growth = torch.log(seen.float()) / math.log(self.train_tokens)
        return growth.clamp(min=1)[None] * self.scale
