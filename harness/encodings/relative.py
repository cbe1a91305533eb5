"""Dot products with a table of vectors by distance, which the relative encodings share.

``rows`` [B or 1, Lq, Lk] is the table row, of [R, d] or [H, R, d], for each query and key. The products of queries with
all rows, [B, H, Lq, R], are small, and each pair picks its own. Only rows in the range that occurs are multiplied:
finding it is cheap and saves most of a table made for longer sequences. The vectors of all pairs, [Lq, Lk, d], are
built only where at least d sequences have the same positions, so that they take no more memory than the logits:
matrix products with them are faster than picking numbers, and gradients even more so.

One long sequence without gradients is a third case. Where rows depend on the difference of the numbers of query and key
alone, as at consecutive positions, the vectors of all differences are few. The products of a block of queries with them
are one product of matrices, and what each pair needs of it is a view, in which a row begins one number before the last.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

BLOCK = 64
"""Queries whose products with the vectors of all diagonals are made at once."""

FEW = 2**12
"""Pairs of which picking numbers takes no longer than finding out that it need not be done."""


def query_products(q: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """``q_i . table[rows[i, j]]`` for ``q`` [B, H, Lq, d] -> [B, H, Lq, Lk], not scaled."""
    if for_many(rows, len(q), q.shape[-1]):
        return torch.einsum("bhid,hijd->bhij", q, _vectors(table, rows, q.dtype))
    if _along_diagonals(rows, q, table):
        return torch.cat([_skewed(q[:, :, block], table, rows[0, block]) for block in _blocks(rows)], dim=2)
    low, used = _used(table, rows, q.dtype)
    products = q @ used.transpose(-1, -2)
    return products.gather(-1, (rows - low)[:, None].expand(*products.shape[:2], -1, -1))


def key_products(k: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """``k_j . table[rows[i, j]]`` for ``k`` [B, H, Lk, d] -> [B, H, Lq, Lk], not scaled."""
    return query_products(k, table, rows.transpose(-1, -2)).transpose(-1, -2)


def weighted_rows(weights: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """``sum_j weights[i, j] table[rows[i, j]]`` for ``weights`` [B, H, Lq, Lk] -> [B, H, Lq, d]."""
    if for_many(rows, len(weights), table.shape[-1]):
        vectors = _vectors(table, rows, weights.dtype)
        return torch.einsum("bhij,hijd->bhid", weights, vectors)
    if _along_diagonals(rows, weights, table):
        return torch.cat([_summed(weights[:, :, block], table, rows[0, block]) for block in _blocks(rows)], dim=2)
    low, used = _used(table, rows, weights.dtype)
    empty = weights.new_zeros(*weights.shape[:3], used.shape[-2])
    return empty.scatter_add(-1, (rows - low)[:, None].expand(weights.shape), weights) @ used


def pairwise_distances(q_positions: Tensor, k_positions: Tensor) -> Tensor:
    """Query position - key position, [B, Lq], [B, Lk] -> [B, Lq, Lk]."""
    return q_positions[:, :, None] - k_positions[:, None, :]


def for_many(rows: Tensor, sequences: int, channels: int) -> bool:
    """Whether the vectors of all pairs take no more memory than a number per pair and sequence."""
    return len(rows) == 1 and sequences >= channels


def _vectors(table: Tensor, rows: Tensor, precision: torch.dtype) -> Tensor:
    """[H or 1, Lq, Lk, d]"""
    vectors = table.to(precision).index_select(-2, rows.flatten()).unflatten(-2, rows.shape[1:])
    return vectors if table.dim() == 3 else vectors[None]


def _used(table: Tensor, rows: Tensor, precision: torch.dtype) -> tuple[int, Tensor]:
    """The first row that occurs, and the table from there to the last, in this precision."""
    low, high = (int(bound) for bound in rows.aminmax())
    return low, table[..., low : high + 1, :].to(precision)


def _along_diagonals(rows: Tensor, x: Tensor, table: Tensor) -> bool:
    """Whether all pairs on a diagonal have the same row, of many pairs without gradients. Not asked of a GPU, which
    would have to wait.
    """
    if torch.is_grad_enabled() and (x.requires_grad or table.requires_grad):
        return False
    if rows.is_cuda or len(rows) > 1 or min(rows.shape[1:]) < 2 or rows.numel() < FEW:
        return False
    return torch.equal(rows[:, 1:, 1:], rows[:, :-1, :-1])


def _blocks(rows: Tensor) -> Iterator[slice]:
    """Queries that are handled at once: a block of n of them and m keys has n + m - 1 diagonals."""
    size = min(BLOCK, rows.shape[2])
    return (slice(start, min(start + size, rows.shape[1])) for start in range(0, rows.shape[1], size))


def _by_diagonal(table: Tensor, rows: Tensor, precision: torch.dtype) -> Tensor:
    """The vectors [H or 1, n + m - 1, d] of the diagonals of ``rows`` [n, m], from the lower left corner on."""
    return table.to(precision).index_select(-2, torch.cat([rows[:, 0].flip(0), rows[0, 1:]]))


def _skewed(q: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """:func:`query_products` of n queries with m keys, a view."""
    count, keys = rows.shape
    products = q @ _by_diagonal(table, rows, q.dtype).transpose(-1, -2)
    return _view_of_pairs(products, count, keys)


def _summed(weights: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """:func:`weighted_rows` of n queries and m keys."""
    count, keys = rows.shape
    vectors = _by_diagonal(table, rows, weights.dtype)
    along = weights.new_zeros(*weights.shape[:3], vectors.shape[-2])
    _view_of_pairs(along, count, keys).copy_(weights)
    return along @ vectors


def _view_of_pairs(along: Tensor, count: int, keys: int) -> Tensor:
    """Of numbers for each query and diagonal [B, H, n, n + m - 1], contiguous, those of the pairs [B, H, n, m]."""
    sequences, heads, row, _ = along.stride()
    return along.as_strided(
        (*along.shape[:2], count, keys), (sequences, heads, row - 1, 1), along.storage_offset() + count - 1
    )
