"""Dropout in several networks at once, in each of them what is dropped where it is trained by itself."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from harness.data.training_examples import TrainingBatch
from harness.layouts.special_tokens import PAD


class Widths:
    """For each network the random numbers of a step and the tokens of the longest row of its own batch. Rows are
    filled up to the longest of all networks; what is dropped is drawn as if they were not.
    """

    def __init__(self) -> None:
        self.generators: list[torch.Generator] = []
        self.widths: list[int] = []
        self.padded = 0

    def prepare(self, batches: Sequence[TrainingBatch], seeds: Sequence[int]) -> None:
        """Begin a step."""
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.widths = [int((batch.tokens != PAD).any(dim=0).nonzero().max()) + 1 for batch in batches]
        self.padded = batches[0].tokens.shape[1]


class MemberDropout(nn.Module):
    """``nn.Dropout`` on x [B, T, ...] under ``torch.func.vmap``, while training."""

    def __init__(self, p: float, widths: Widths) -> None:
        super().__init__()
        self.p = p
        self.widths = widths

    def forward(self, x: Tensor) -> Tensor:
        return _Dropped.apply(x, self.p, self.widths)


class _Dropped(torch.autograd.Function):
    """Only its rule for ``vmap`` is ever used: what that calls has gradients of its own."""

    @staticmethod
    def forward(x: Tensor, p: float, widths: Widths) -> Tensor:
        raise NotImplementedError

    @staticmethod
    def setup_context(context: Any, inputs: Any, output: Tensor) -> None:
        return

    @staticmethod
    def vmap(info: Any, dimensions: tuple[int | None, ...], x: Tensor, p: float, widths: Widths) -> tuple[Tensor, int]:
        assert dimensions[0] is not None
        x = x.movedim(dimensions[0], 0)
        kept = torch.zeros_like(x)
        for part, generator, width in zip(kept, widths.generators, widths.widths, strict=True):
            shape = (x.shape[1], width if x.shape[2] == widths.padded else x.shape[2], *x.shape[3:])
            part[:, : shape[1]] = torch.empty(shape, dtype=x.dtype).bernoulli_(1 - p, generator=generator).div_(1 - p)
        return x * kept, 0
