"""Dot products with a table of vectors by distance, which the relative encodings share.

``rows`` [B or 1, Lq, Lk] is the table row, of [R, d] or [H, R, d], for each query and key. The products of queries with
all rows, [B, H, Lq, R], are small, and each pair picks its own. Only rows in the range that occurs are multiplied:
finding it is cheap and saves most of a table made for longer sequences. The vectors of all pairs, [Lq, Lk, d], are
built only where at least d sequences have the same positions, so that they take no more memory than the logits:
matrix products with them are faster than picking numbers, and gradients even more so.
"""

import torch
from torch import Tensor


def query_products(q: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """``q_i . table[rows[i, j]]`` for ``q`` [B, H, Lq, d] -> [B, H, Lq, Lk], not scaled."""
    if for_many(rows, len(q), q.shape[-1]):
        return torch.einsum("bhid,hijd->bhij", q, _vectors(table, rows, q.dtype))
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
