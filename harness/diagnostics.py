"""Numbers behind the pictures of a position encoding, read from the encoding itself through its hooks."""

import numpy as np
import torch
from torch import Tensor

from harness.encodings.base import Encoding
from harness.shape import Shape


@torch.no_grad()
def vectors(encoding: Encoding, shape: Shape, count: int) -> np.ndarray:
    """What is added to the embedding of a token at positions 0 .. count - 1, [count, D]."""
    positions = torch.arange(count)[None]
    nothing = torch.zeros(1, count, shape.dimension)
    return encoding.embed(nothing, torch.zeros_like(positions), positions)[0].numpy()


def similarity(rows: np.ndarray) -> np.ndarray:
    """The cosine between every two rows [n, D] -> [n, n]; the diagonal is 1."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T


@torch.no_grad()
def bias(encoding: Encoding, count: int) -> np.ndarray:
    """The bias of each head for the last of ``count`` queries, by distance 0 .. count - 1, [H, count]."""
    keys = torch.arange(count - 1, -1, -1)[None]
    return encoding.bias(torch.tensor([[count - 1]]), keys)[0, :, 0].numpy()


@torch.no_grad()
def kernel(encoding: Encoding, shape: Shape, count: int) -> np.ndarray:
    """The dot product of a query and a key of ones, turned, by distance 0 .. count - 1, over that at distance 0:
    what a rotary encoding makes of two vectors that would be alike, [count].
    """
    ones = torch.ones(1, shape.heads, count, shape.head_dimension)
    positions = torch.arange(count)[None]
    last = torch.full_like(positions, count - 1)
    q, k = encoding.rotate(ones, ones, last, positions, {})
    products = (q * k).sum(-1)[0].mean(0).flip(0)
    return (products / products[0].abs().clamp(min=1e-12)).numpy()


@torch.no_grad()
def phases(frequencies: Tensor, count: int) -> np.ndarray:
    """Where in its turn each pair of channels is at positions 0 .. count - 1, in turns from 0 to 1, [pairs, count].

    A position written as digits: pair m is the digit of weight ``2 pi / f_m``, which begins anew at every full turn.
    """
    turns = torch.arange(count, dtype=torch.float64) * frequencies[:, None].double() / (2 * torch.pi)
    return (turns % 1).numpy()
