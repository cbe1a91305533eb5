"""The numbers that figures of a position encoding show, computed through the encoding's hooks."""

import numpy as np
import torch
from torch import Tensor

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attention_weights
from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.models.base import Model


@torch.no_grad()
def vectors(encoding: Encoding, dimensions: Dimensions, tokens: Tensor) -> np.ndarray:
    """The vectors added to the embeddings of these tokens [n] at positions 0 .. n - 1, [n, D]."""
    nothing = torch.zeros(1, len(tokens), dimensions.d_model)
    return encoding.embed(nothing, tokens[None], torch.arange(len(tokens))[None])[0].numpy()


def level_vectors(encoding: Encoding, dimensions: Dimensions, tokens: Tensor, level: int) -> np.ndarray:
    """:func:`vectors` of the numbers 0 .. n - 1 on one level, with 0 on all others, minus their mean, which contains
    the contribution of the others, [n, D].
    """
    nothing = torch.zeros(1, len(tokens), dimensions.d_model)
    positions = torch.zeros(1, len(tokens), encoding.channels, dtype=torch.long)
    positions[..., level] = torch.arange(len(tokens))
    with torch.no_grad():
        rows = encoding.embed(nothing, tokens[None], positions)[0]
    return (rows - rows.mean(0)).numpy()


def similarity(rows: np.ndarray) -> np.ndarray:
    """The cosine between every two rows [n, D] -> [n, n]; the diagonal is 1."""
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return unit @ unit.T


@torch.no_grad()
def bias(encoding: Encoding, count: int) -> np.ndarray:
    """The bias of each head for the last of ``count`` queries, by distance 0 .. count - 1, [H, count]. NaN where the
    query does not see the key.
    """
    query, keys = _last_query(count)
    rows = encoding.bias(query, keys)[0, :, 0]
    if encoding.uses("remapped"):
        other = encoding.remapped(query, keys)
        rows = torch.where(other.where[0, 0], encoding.bias(other.q_positions, other.k_positions)[0, :, 0], rows)
    return _mask_invisible(encoding, query, keys, rows).flip(-1).numpy()


@torch.no_grad()
def kernel(encoding: Encoding, dimensions: Dimensions, count: int) -> np.ndarray:
    """The dot product of a rotated query and a rotated key of ones, by distance 0 .. count - 1, averaged over heads
    [count]: how a rotary encoding weighs two equal vectors. NaN where the query does not see the key.
    """
    query, keys = _last_query(count)
    products = _product(encoding, dimensions, query, keys)
    if encoding.uses("remapped"):
        other = encoding.remapped(query, keys)
        there = _product(encoding, dimensions, other.q_positions, other.k_positions)
        products = torch.where(other.where[0, 0], there, products)
    return _mask_invisible(encoding, query, keys, products).flip(-1).numpy()


@torch.no_grad()
def phases(frequencies: Tensor, count: int) -> np.ndarray:
    """The phase of each pair of channels at positions 0 .. count - 1, in periods from 0 to 1, [pairs, count].

    A position written as digits: pair m is the digit of weight ``2 pi / f_m``, which wraps around at every period.
    """
    turns = torch.arange(count, dtype=torch.float64) * frequencies[:, None].double() / (2 * torch.pi)
    return (turns % 1).numpy()


@torch.no_grad()
def attention(model: Model, reader: Model, tokens: Tensor, positions: Positions) -> np.ndarray:
    """The attention weight of the last visible of n tokens on every token before it in the first layer, averaged over
    sequences [B, n], by distance in tokens: [H, n], NaN for tokens that are never seen.

    ``reader`` is ``model`` or a wrapper of it: its last call of the first layer counts.
    """
    layer = next(module for module in model.modules() if isinstance(module, Attending))
    kernel = layer.kernel
    calls: list[AttentionInputs] = []

    def recorded(inputs: AttentionInputs) -> Tensor:
        calls.append(inputs)
        return kernel(inputs)

    layer.kernel = recorded
    try:
        reader(tokens, positions)
    finally:
        layer.kernel = kernel
    visible = calls[-1].k_positions.visible
    length = calls[-1].k.shape[2] if visible is None else int(visible.sum(dim=1).min())
    (weights,) = attention_weights(calls[-1], [slice(length - 1, length)])
    mean = weights[:, :, 0, :length].mean(0).flip(-1)
    rows = torch.full((len(mean), tokens.shape[1]), torch.nan)
    rows[:, :length] = mean.masked_fill(mean == 0, torch.nan)
    return rows.numpy()


@torch.no_grad()
def grid_bias(encoding: Encoding, reach: int) -> np.ndarray:
    """The bias of each head by the row and the column of the query minus the key's, -reach .. reach each,
    [H, 2 reach + 1, 2 reach + 1]. NaN beyond the offsets that a table knows.
    """
    for known in range(reach, -1, -1):
        query, keys = _center_cell(known)
        try:
            rows = encoding.bias(query, keys)[0, :, 0]
        except IndexError:  # a table ends before this
            continue
        square = rows.unflatten(-1, (2 * known + 1, -1)).flip(-1, -2).numpy()
        beyond = reach - known
        return np.pad(square, ((0, 0), (beyond, beyond), (beyond, beyond)), constant_values=np.nan)
    raise LookupError("no offset has a bias")


@torch.no_grad()
def grid_kernel(encoding: Encoding, dimensions: Dimensions, reach: int) -> np.ndarray:
    """:func:`kernel` by the row and the column of the query minus the key's, -reach .. reach each, relative to that of
    a cell and itself, [2 reach + 1, 2 reach + 1]: the similarity of a cell to all others.
    """
    products = _product(encoding, dimensions, *_center_cell(reach)).unflatten(-1, (2 * reach + 1, -1)).flip(-1, -2)
    return (products / products[reach, reach]).numpy()


def _last_query(count: int) -> tuple[Tensor, Tensor]:
    """The positions of the last of ``count`` tokens [1, 1] and of all [1, count]."""
    keys = torch.arange(count)[None]
    return keys[:, -1:], keys


def _center_cell(reach: int) -> tuple[Tensor, Tensor]:
    """The cell in the middle of a square [1, 1, 2] and all its cells, row by row [1, (2 reach + 1) ** 2, 2]."""
    steps = torch.arange(2 * reach + 1)
    return torch.full((1, 1, 2), reach), torch.cartesian_prod(steps, steps)[None]


def _product(encoding: Encoding, dimensions: Dimensions, query: Tensor, keys: Tensor) -> Tensor:
    """The dot products of ones at a query's position and at those of keys, the mean of all heads [Lk]."""
    q, k = (torch.ones(1, dimensions.n_heads, where.shape[1], dimensions.head_dim) for where in (query, keys))
    q, k = encoding.rotate(q, k, query, keys, {})
    return (q * k).sum(-1)[0].mean(0)


def _mask_invisible(encoding: Encoding, query: Tensor, keys: Tensor, rows: Tensor) -> Tensor:
    """The rows [..., Lk] with NaN where the query does not see the key."""
    return rows.masked_fill(~encoding.visible(query, keys)[0, 0], torch.nan)
