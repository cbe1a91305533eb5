"""Dot products with a table of vectors by distance, which the relative encodings share.

Tables are [R, d] or [H, R, d]; :class:`Rows` says which row each query has for each key. The products of queries with
all rows, [B, H, Lq, R], are small, and each pair picks its own. Only rows in the range that occurs are multiplied:
finding it is cheap and saves most of a table made for longer sequences. The vectors of all pairs, [Lq, Lk, d], are
built only where at least d sequences have the same positions, so that they take no more memory than the logits:
matrix products with them are faster than picking numbers, and gradients even more so.

One long sequence without gradients is a third case. At consecutive positions all pairs on a diagonal have the same row,
and diagonals far from the main one mostly share theirs, because distances are clipped. So the product with the row of
the farthest keys is added for all keys, and only near ones get what theirs differs by. These are the products of a
block of queries with the vectors of its diagonals, seen through a view in which a row begins one number before the
last.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

BLOCK = 64
"""Queries, or keys, whose products with the vectors of their diagonals are made at once."""

FEW = 2**12
"""Pairs of which picking numbers takes no longer than finding out that it need not be done."""


class Rows(NamedTuple):
    """Which row of a table belongs to each pair of a query and a key."""

    of: Callable[[Tensor], Tensor]
    """The row of each distance, query position - key position, same shape."""
    q_positions: Tensor
    """[B or 1, Lq]"""
    k_positions: Tensor
    """[B or 1, Lk]"""

    @property
    def transposed(self) -> "Rows":
        """Those of pairs of a key and a query."""
        return Rows(lambda distances: self.of(-distances), self.k_positions, self.q_positions)

    def of_pairs(self) -> Tensor:
        """[B or 1, Lq, Lk]"""
        return self.of(pairwise_distances(self.q_positions, self.k_positions))

    def of_farthest(self) -> int:
        """That of the last query and the first key."""
        return int(self.of(self.q_positions[0, -1] - self.k_positions[0, 0]))

    def of_diagonals(self) -> Tensor:
        """Those of the Lq + Lk - 1 diagonals at consecutive positions, from the lower left corner on."""
        farthest, nearest = self.q_positions[0, -1] - self.k_positions[0, 0], self.q_positions[0, 0]
        latest = int(nearest - self.k_positions[0, -1]) - 1
        return self.of(torch.arange(int(farthest), latest, -1, device=self.q_positions.device))

    def for_many(self, sequences: int, channels: int) -> bool:
        """Whether the vectors of all pairs take no more memory than a number per pair and sequence."""
        return len(self.q_positions) == len(self.k_positions) == 1 and sequences >= channels

    def blocks(self) -> Iterator[tuple[slice, "Rows"]]:
        """Blocks of queries and the rows of each."""
        for start in range(0, self.q_positions.shape[1], BLOCK):
            block = slice(start, min(start + BLOCK, self.q_positions.shape[1]))
            yield block, self._replace(q_positions=self.q_positions[:, block])


def add_query_products(logits: Tensor, q: Tensor, table: Tensor, rows: Rows) -> Tensor:
    """``logits + q_i . table[rows[i, j]]`` for logits [B, H, Lq, Lk] and ``q`` [B, H, Lq, d] that is scaled as they."""
    if not _along_diagonals(rows, q, table):
        return logits + _products(q, table, rows)
    table = table.to(q.dtype)
    far = rows.of_farthest()
    added = logits + q @ table[..., far, :, None]
    for block, here in rows.blocks():
        near, vectors = _differences(table, far, here)
        products = q[:, :, block] @ vectors.mT
        added[:, :, block, near] += view_of_pairs(products, near.stop - near.start)
    return added


def add_key_products(logits: Tensor, k: Tensor, table: Tensor, rows: Rows, scale: Tensor) -> Tensor:
    """``logits + scale_i k_j . table[rows[i, j]]`` for ``k`` [B, H, Lk, d] and ``scale`` [B or 1, H or 1, Lq, 1]."""
    if not _along_diagonals(rows, k, table):
        return torch.addcmul(logits, scale.to(k.dtype), _products(k, table, rows.transposed).mT)
    table = table.to(k.dtype)
    far = rows.of_farthest()
    added = torch.addcmul(logits, scale.to(k.dtype), (k @ table[..., far, :, None]).mT)
    near, vectors = _differences(table, far, rows)
    queries, keys = logits.shape[2], near.stop - near.start
    backwards = vectors.flip(-2)  # keys meet the queries in the order of the diagonals from the upper right corner on
    for start in range(0, keys, BLOCK):
        stop = min(start + BLOCK, keys)
        block = slice(near.start + start, near.start + stop)
        products = k[:, :, block] @ backwards[..., keys - stop : keys - start + queries - 1, :].mT
        added[..., block].addcmul_(scale.to(k.dtype), view_of_pairs(products, queries).mT)
    return added


def weighted_rows(weights: Tensor, table: Tensor, rows: Rows) -> Tensor:
    """``sum_j weights[i, j] table[rows[i, j]]`` for ``weights`` [B, H, Lq, Lk] -> [B, H, Lq, d]."""
    if _along_diagonals(rows, weights, table):
        table = table.to(weights.dtype)
        far = rows.of_farthest()
        summed = weights.sum(dim=-1, keepdim=True) * table[..., far, None, :]
        for block, here in rows.blocks():
            near, vectors = _differences(table, far, here)
            along = weights.new_zeros(*weights.shape[:2], block.stop - block.start, vectors.shape[-2])
            view_of_pairs(along, near.stop - near.start).copy_(weights[:, :, block, near])
            summed[:, :, block] += along @ vectors
        return summed
    if rows.for_many(len(weights), table.shape[-1]):
        return torch.einsum("bhij,hidj->bhid", weights, _vectors(table, rows, weights.dtype))
    of_pairs = rows.of_pairs()
    low, used = _used(table, of_pairs, weights.dtype)
    empty = weights.new_zeros(*weights.shape[:3], used.shape[-2])
    return empty.scatter_add(-1, (of_pairs - low)[:, None].expand(weights.shape), weights) @ used


def pairwise_distances(q_positions: Tensor, k_positions: Tensor) -> Tensor:
    """Query position - key position, [B, Lq], [B, Lk] -> [B, Lq, Lk]."""
    return q_positions[:, :, None] - k_positions[:, None, :]


def consecutive(*positions: Tensor) -> bool:
    """Whether these [B or 1, L] are whole numbers that count up in steps of one, the same for all sequences. Not asked
    of a GPU, which would have to wait.
    """
    if any(len(x) > 1 or x.is_floating_point() or x.is_cuda for x in positions):
        return False
    return all(torch.equal(x[:, 1:], x[:, :-1] + 1) for x in positions)


def _products(q: Tensor, table: Tensor, rows: Rows) -> Tensor:
    """``q_i . table[rows[i, j]]`` [B, H, Lq, Lk]."""
    if rows.for_many(len(q), q.shape[-1]):
        return torch.einsum("bhid,hidj->bhij", q, _vectors(table, rows, q.dtype))
    of_pairs = rows.of_pairs()
    low, used = _used(table, of_pairs, q.dtype)
    products = q @ used.mT
    return products.gather(-1, (of_pairs - low)[:, None].expand(*products.shape[:2], -1, -1))


def _vectors(table: Tensor, rows: Rows, precision: torch.dtype) -> Tensor:
    """Those of all pairs, [H or 1, Lq, d, Lk]."""
    table = table.to(precision)
    if consecutive(rows.q_positions, rows.k_positions):
        # Windows of the diagonals, those of the last query first: their gradient is faster than that of picking.
        keys = rows.k_positions.shape[1]
        vectors = table.index_select(-2, rows.of_diagonals()).unfold(-2, keys, 1).flip(-3)
    else:
        of_pairs = rows.of_pairs()
        vectors = table.index_select(-2, of_pairs.flatten()).unflatten(-2, of_pairs.shape[1:]).mT
    return vectors if table.dim() == 3 else vectors[None]


def _used(table: Tensor, rows: Tensor, precision: torch.dtype) -> tuple[int, Tensor]:
    """The first row that occurs, and the table from there to the last, in this precision."""
    low, high = (int(bound) for bound in rows.aminmax())
    return low, table[..., low : high + 1, :].to(precision)


def _along_diagonals(rows: Rows, x: Tensor, table: Tensor) -> bool:
    """Whether all pairs on a diagonal have the same row, of many pairs without gradients, whose sequences are not so
    many that their vectors are made (:meth:`Rows.for_many`).
    """
    if torch.is_grad_enabled() and (x.requires_grad or table.requires_grad):
        return False
    queries, keys = rows.q_positions.shape[1], rows.k_positions.shape[1]
    if queries * keys < FEW or rows.for_many(len(x), table.shape[-1]):
        return False
    return consecutive(rows.q_positions, rows.k_positions)


def _differences(table: Tensor, far: int, rows: Rows) -> tuple[slice, Tensor]:
    """The keys from the first on whose row is not ``far`` for one of the n queries, at least the last key, and what the
    vectors [H or 1, n + keys - 1, d] of their diagonals have more than that of ``far``.
    """
    along = rows.of_diagonals()
    queries, keys = rows.q_positions.shape[1], rows.k_positions.shape[1]
    same = int((along == far).cumprod(dim=0).sum())
    near = slice(min(max(0, same - queries + 1), keys - 1), keys)
    return near, table.index_select(-2, along[near.start :]) - table[..., far, None, :]


def view_of_pairs(along: Tensor, keys: int) -> Tensor:
    """Of numbers for each query and diagonal [B, H, n, n + keys - 1], contiguous, those of the pairs [B, H, n, keys],
    a view.
    """
    sequences, heads, row, _ = along.stride()
    count = along.shape[2]
    return along.as_strided(
        (*along.shape[:2], count, keys), (sequences, heads, row - 1, 1), along.storage_offset() + count - 1
    )
