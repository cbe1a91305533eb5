"""What recurrences over matrix states share when they are computed a chunk of tokens at a time.

Inside a chunk all tokens are computed at once with matrix products; from chunk to chunk only the state is passed on. So
training takes few sequential steps, and a long sequence takes the memory of one chunk and one state.

Letters: B sequences, H heads, L tokens, N chunks of C tokens, d channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

CHUNK = 64
"""Tokens of a chunk, at most."""


def chunked(x: Tensor) -> Tensor:
    """Cut [B, H, L, ...] into chunks [B, H, N, C, ...], the last one padded with zeros."""
    size = min(CHUNK, x.shape[2])
    missing = -x.shape[2] % size
    return F.pad(x, (0, 0) * (x.dim() - 3) + (0, missing)).unflatten(2, (-1, size))


def joined(outputs: list[Tensor], length: int) -> Tensor:
    """Put chunks [B, H, C, ...] together to [B, H, L, ...], without what the last one was filled up with."""
    return torch.cat(outputs, dim=2)[:, :, :length]


def log_decays(log_decay: Tensor) -> Tensor:
    """The log of what is left at token i of what token j wrote: the sum of the log decays of tokens j + 1 to i,
    [..., C] -> [..., C, C], minus infinity for j > i.

    Each sum is taken by itself and not as a difference of sums from the chunk's beginning, which loses digits where
    decays are strong; and nothing is divided by a product that has vanished.
    """
    size = log_decay.shape[-1]
    every = log_decay[..., :, None].expand(*log_decay.shape, size)
    later = torch.ones(size, size, dtype=torch.bool, device=log_decay.device).triu()
    return every.masked_fill(later, 0).cumsum(dim=-2).masked_fill(later.triu(1), -torch.inf)
