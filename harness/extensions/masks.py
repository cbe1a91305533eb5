"""Wrappers of encodings that mask keys or change their distances.

They count tokens, not positions: a key is identified by its index, and a query's index is found among the keys by its
position. So positions must rise from token to token, in steps of any size, as all rules of conf/positions make them;
where tokens share positions, a query gets the index of the first token that has its position or a later one. Logit
scales still count the keys that a query would see without a mask.
"""

import torch
from torch import Tensor

from harness.encodings.base import Encoding
from harness.encodings.pairs import Remapped
from harness.extensions.wrapper import Wrapper


def token_indices(q_positions: Tensor, k_positions: Tensor) -> tuple[Tensor, Tensor]:
    """The token indices of queries and keys, [B, Lq, 1] and [1, 1, Lk], int64.

    Padding may have any positions: the running maximum leaves those of a sequence's own tokens unchanged and moves the
    others behind them.
    """
    if k_positions.dim() != 2:
        raise ValueError("a window counts tokens in a row: it is not defined on a grid")
    rising = k_positions.cummax(dim=1).values.contiguous()
    queries = torch.searchsorted(rising, q_positions.contiguous())
    keys = torch.arange(k_positions.shape[1], device=k_positions.device)
    return queries[:, :, None], keys[None, None, :]


class Windowed(Wrapper):
    """A query sees the last ``size`` keys, itself included, and under bidirectional attention as many after it."""

    def __init__(self, inner: Encoding, size: int) -> None:
        super().__init__(inner)
        self.size = size

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        query, key = token_indices(q_positions, k_positions)
        return self.inner.visible(q_positions, k_positions) & ((query - key).abs() < self.size)


class Chunked(Wrapper):
    """A query sees the keys of its own chunk of ``size`` tokens."""

    def __init__(self, inner: Encoding, size: int) -> None:
        super().__init__(inner)
        self.size = size

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        query, key = token_indices(q_positions, k_positions)
        return self.inner.visible(q_positions, k_positions) & (query // self.size == key // self.size)


class Anchored(Wrapper):
    """A query sees the last ``size`` keys and the first ``first`` keys of all."""

    def __init__(self, inner: Encoding, first: int, size: int) -> None:
        super().__init__(inner)
        self.first = first
        self.size = size

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        query, key = token_indices(q_positions, k_positions)
        near = (query - key).abs() < self.size
        return self.inner.visible(q_positions, k_positions) & (near | (key < self.first))


class Compacted(Wrapper):
    """The first ``first`` keys get the positions right before the last ``size``, as in a cache of these keys alone."""

    def __init__(self, inner: Encoding, first: int, size: int) -> None:
        super().__init__(inner)
        self.first = first
        self.size = size

    def remapped(self, q_positions: Tensor, k_positions: Tensor) -> Remapped:
        place, position = _first_in_window(q_positions, k_positions, self.size)
        key = torch.arange(k_positions.shape[1], device=k_positions.device)
        where = (key < self.first) & (place > self.first)[:, :, None]
        return Remapped(where, q_positions - position + self.first, key[None].to(k_positions.dtype))


class Capped(Wrapper):
    """Keys before the last ``size`` get the distance of the first of those."""

    def __init__(self, inner: Encoding, size: int) -> None:
        super().__init__(inner)
        self.size = size

    def remapped(self, q_positions: Tensor, k_positions: Tensor) -> Remapped:
        place, position = _first_in_window(q_positions, k_positions, self.size)
        where = torch.arange(k_positions.shape[1], device=k_positions.device) < place[:, :, None]
        return Remapped(where, q_positions - position, torch.zeros_like(k_positions))


def can_remap(encoding: Encoding) -> bool:
    """Whether the distances of keys can be changed."""
    return "distances" in encoding.offers and not encoding.uses("remapped")


def _first_in_window(q_positions: Tensor, k_positions: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """The index and the position of the first of the last ``size`` keys of each query, [B, Lq] each."""
    query, _ = token_indices(q_positions, k_positions)
    place = (query[..., 0] - size + 1).clamp(min=0)
    return place, k_positions.gather(1, place)
