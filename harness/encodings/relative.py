"""Dot products with a table of vectors by distance, which the relative encodings share.

``rows`` [B or 1, Lq, Lk] is the table row, of [R, d] or [H, R, d], for each query and key. The products of queries with
all rows, [B, H, Lq, R], are small; the vectors of all pairs, [Lq, Lk, d], are never built. Only the range of rows that
occurs is multiplied: finding it is cheap and saves most of a table made for longer sequences.
"""

import torch
from torch import Tensor


def query_products(q: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """``q_i . table[rows[i, j]]`` for ``q`` [B, H, Lq, d] -> [B, H, Lq, Lk], not scaled."""
    low, used = _used(table, rows, q.dtype)
    products = q @ used.transpose(-1, -2)
    return products.gather(-1, (rows - low)[:, None].expand(*products.shape[:2], -1, -1))


def key_products(k: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """``k_j . table[rows[i, j]]`` for ``k`` [B, H, Lk, d] -> [B, H, Lq, Lk], not scaled."""
    return query_products(k, table, rows.transpose(-1, -2)).transpose(-1, -2)


def weighted_rows(weights: Tensor, table: Tensor, rows: Tensor) -> Tensor:
    """``sum_j weights[i, j] table[rows[i, j]]`` for ``weights`` [B, H, Lq, Lk] -> [B, H, Lq, d]."""
    low, used = _used(table, rows, weights.dtype)
    empty = weights.new_zeros(*weights.shape[:3], used.shape[-2])
    return empty.scatter_add(-1, (rows - low)[:, None].expand(weights.shape), weights) @ used


def pairwise_distances(q_positions: Tensor, k_positions: Tensor) -> Tensor:
    """Query position - key position, [B, Lq], [B, Lk] -> [B, Lq, Lk]."""
    return q_positions[:, :, None] - k_positions[:, None, :]


def _used(table: Tensor, rows: Tensor, precision: torch.dtype) -> tuple[int, Tensor]:
    """The first row that occurs, and the table from there to the last, in this precision."""
    low, high = (int(bound) for bound in rows.aminmax())
    return low, table[..., low : high + 1, :].to(precision)
