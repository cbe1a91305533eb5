"""Learned numbers that stay within bounds."""

from typing import Any

import torch
from torch import Tensor

from harness.encodings.precision import at_least_float32


def bounded(x: Tensor, least: float, most: float = torch.inf) -> Tensor:
    """``x`` clamped to [least, most], float32 or better. Where x is beyond a bound, a gradient passes only if following
    it leads back: a number that has crossed a bound is neither stuck there, as with a plain clamp, nor driven further
    away.
    """
    return _Bounded.apply(at_least_float32(x), least, most)


class _Bounded(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, least: float, most: float) -> Tensor:
        return x.clamp(least, most)

    @staticmethod
    def setup_context(context: Any, inputs: tuple[Tensor, float, float], output: Tensor) -> None:
        x, least, most = inputs
        context.save_for_backward(x)
        context.bounds = least, most

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (x,) = context.saved_tensors
        least, most = context.bounds
        outwards = ((x < least) & (gradient > 0)) | ((x > most) & (gradient < 0))
        return gradient.masked_fill(outwards, 0), None, None
