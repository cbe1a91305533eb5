"""Attention with a position encoding: one call, several kernels.

The explicit kernel, softmax(q k + bias) v with every hook in it, is the truth. The others give the same numbers faster
where the encoding's hooks allow it: PyTorch's fused attention without a bias, with a bias that is never built as a
matrix because it depends on the distance alone, or with a bias in chunks of queries. No kernel's memory grows faster
than linearly with the length once gradients are off.

Letters: B sequences, H heads, Lq and Lk queries and keys, d head dimension.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.encodings.base import Encoding, Pairs
from harness.logits.base import LogitScale
from harness.shape import Shape

CHUNK = 512
"""Queries handled at once where logits or biases are built, at most."""

PAIRS = 2**19
"""Pairs of a query and a key handled at once there, at most: with 4 heads their float32 logits take 8 MiB."""


class Positions(NamedTuple):
    """Where tokens stand, and whether every row counts up in steps of one. ``values`` are integers [B or 1, L], float32
    where a rule tells fractions, [B or 1, L, C] where a position has C numbers.
    """

    values: Tensor
    consecutive: bool


class Attention(nn.Module):
    """Multi-head self-attention whose logits, queries, keys and values the encoding may change."""

    def __init__(self, shape: Shape, encoding: Encoding, logit: LogitScale, *, causal: bool) -> None:
        super().__init__()
        self.heads = shape.heads
        self.encoding = encoding
        self.logit = logit
        self.causal = causal
        self.project = nn.Linear(shape.dimension, 3 * shape.dimension, bias=False)
        self.output = nn.Linear(shape.dimension, shape.dimension, bias=False)

    def forward(self, x: Tensor, positions: Positions) -> Tensor:
        """x [B, L, D] -> [B, L, D]."""
        batch, length, _ = x.shape
        q, k, v = self.project(x).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        state = self.encoding.state(x, positions.values)
        attended = attend(q, k, v, positions, self.encoding, self.logit, causal=self.causal, state=state)
        return self.output(attended.transpose(1, 2).reshape(batch, length, -1))


def attend(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    positions: Positions,
    encoding: Encoding,
    logit: LogitScale,
    *,
    causal: bool,
    state: Mapping[str, Tensor],
) -> Tensor:
    """Attention of q over k and v, [B, H, L, d] each, by the fastest kernel that the encoding's hooks allow."""
    if not fusible(encoding, logit):
        return explicit(q, k, v, positions, encoding, logit, causal=causal, state=state)
    biased = encoding.uses("bias") or encoding.uses("distance_bias")
    if q.dtype != torch.float32 and (biased or q.device.type == "cpu"):
        # A fused kernel would round the bias to the precision of q; on a CPU its backward pass is slow in bfloat16.
        return explicit(q, k, v, positions, encoding, logit, causal=causal, state=state)
    q, k = _rotated(q, k, positions.values, encoding, state)
    q = (q * _factor(q, positions.values, encoding, logit, causal=causal)).to(q.dtype)
    width = v.shape[-1]
    if q.shape[-1] != width:  # fused kernels are for heads of one width: with others PyTorch builds the matrix
        v = F.pad(v, (0, q.shape[-1] - width))
    if not biased:
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=1.0)[..., :width]
    if positions.consecutive and encoding.uses("distance_bias") and not encoding.uses("bias"):
        return _biased_by_distance(q, k, v, encoding, causal=causal)[..., :width]
    return _biased(q, k, v, positions.values, encoding, causal=causal)[..., :width]


def explicit(
    q: Tensor,
    k: Tensor,
    v: Tensor,
    positions: Positions,
    encoding: Encoding,
    logit: LogitScale,
    *,
    causal: bool,
    state: Mapping[str, Tensor],
) -> Tensor:
    """The definition: every hook in its place, logits and weights in float32, in chunks of queries."""
    where = positions.values
    chunks = []
    every = weights_of(q, k, positions, encoding, logit, _chunks(q), causal=causal, state=state)
    for rows, weights in zip(_chunks(q), every, strict=True):
        chunk = weights.to(v.dtype) @ v
        if encoding.uses("value"):
            chunk = chunk + encoding.value(weights, where[:, rows], where).to(v.dtype)
        chunks.append(chunk)
    return torch.cat(chunks, dim=2)


def weights_of(
    q: Tensor,
    k: Tensor,
    positions: Positions,
    encoding: Encoding,
    logit: LogitScale,
    queries: Iterable[slice],
    *,
    causal: bool,
    state: Mapping[str, Tensor],
) -> Iterator[Tensor]:
    """The weights that some of the queries give to all keys, [B, H, queries, L] float32 for each slice of them."""
    where = positions.values
    scale = _factor(q, where, encoding, logit, causal=causal)
    turned, keys = _rotated(q, k, where, encoding, state)
    scaled = turned.float() * scale
    for rows in queries:
        here = where[:, rows]
        logits = _logits(scaled[:, :, rows], keys, here, where, encoding)
        visible = encoding.visible(here, where)[:, None]
        if causal:
            visible = visible & _earlier(rows, k)
        if encoding.uses("elsewhere"):
            other = encoding.elsewhere(here, where)
            q_there, k_there = encoding.rotate(q[:, :, rows], k, other.q_positions, other.k_positions, state)
            q_there = q_there.float() * scale[:, :, rows]
            there = _logits(q_there, k_there, other.q_positions, other.k_positions, encoding)
            logits = torch.where(other.where[:, None], there, logits)
        pairs = Pairs(rows, here, where, visible, scale[:, :, rows])
        logits = logit.by_distance(encoding.score(logits, turned[:, :, rows], keys, pairs, state), here, where)
        yield encoding.weights(logits, visible)


def fusible(encoding: Encoding, logit: LogitScale) -> bool:
    """Whether a fused kernel can do all that these two do."""
    return not logit.uses_distances() and not any(
        encoding.uses(hook) for hook in ("elsewhere", "score", "weights", "value", "visible")
    )


def _rotated(
    q: Tensor, k: Tensor, positions: Tensor, encoding: Encoding, state: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    return encoding.rotate(q, k, positions, positions, state) if encoding.uses("rotate") else (q, k)


def _factor(q: Tensor, positions: Tensor, encoding: Encoding, logit: LogitScale, *, causal: bool) -> Tensor:
    """What scales the dot products of each query, [B or 1, H or 1, L, 1], float32."""
    length = q.shape[2]
    seen = torch.arange(1, length + 1, device=q.device) if causal else torch.full((length,), length, device=q.device)
    factor = logit.factor(seen)[None]
    if encoding.uses("logit_scale"):
        factor = factor * encoding.logit_scale(positions)[:, None]
    return factor[..., None]


def _logits(q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, encoding: Encoding) -> Tensor:
    """Scaled and biased logits [B, H, Lq, Lk], float32 also where the rest of the model is in bfloat16."""
    with torch.autocast(q.device.type, enabled=False):
        logits = q.float() @ k.float().transpose(-1, -2)
    if encoding.uses("bias") or encoding.uses("distance_bias"):
        logits = logits + encoding.bias(q_positions, k_positions)
    return logits


def _biased_by_distance(q: Tensor, k: Tensor, v: Tensor, encoding: Encoding, *, causal: bool) -> Tensor:
    """A bias by distance is one vector per head. Its matrix for the queries in reverse order is that vector seen
    through overlapping windows: a view, so nothing is copied, and gradients reach the vector.
    """
    chunks = []
    for rows in _chunks(q):
        keys = rows.stop if causal else k.shape[2]
        distances = torch.arange(rows.stop - 1, rows.start - keys, -1, device=q.device)
        vector = encoding.distance_bias(distances)
        if causal:
            vector = vector.masked_fill(distances < 0, -torch.inf)
        mask = vector.unfold(-1, keys, 1)[None]  # row r belongs to query rows.stop - 1 - r
        if q.is_cuda:  # CUDA kernels need aligned rows
            mask = mask.contiguous()
        chunk = F.scaled_dot_product_attention(
            q[:, :, rows].flip(2), k[:, :, :keys], v[:, :, :keys], attn_mask=mask, scale=1.0
        )
        chunks.append(chunk.flip(2))
    return torch.cat(chunks, dim=2)


def _biased(q: Tensor, k: Tensor, v: Tensor, positions: Tensor, encoding: Encoding, *, causal: bool) -> Tensor:
    """Any other bias is built for a chunk of queries at a time."""
    chunks = []
    for rows in _chunks(q):
        keys = rows.stop if causal else k.shape[2]
        mask = encoding.bias(positions[:, rows], positions[:, :keys])
        if causal:
            mask = mask.masked_fill(~_earlier(rows, k[:, :, :keys]), -torch.inf)
        chunks.append(
            F.scaled_dot_product_attention(q[:, :, rows], k[:, :, :keys], v[:, :, :keys], attn_mask=mask, scale=1.0)
        )
    return torch.cat(chunks, dim=2)


def _chunks(q: Tensor) -> Iterator[slice]:
    length = q.shape[2]
    size = max(1, min(CHUNK, PAIRS // length))
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def _earlier(rows: slice, k: Tensor) -> Tensor:
    """[Lq, Lk], true for keys that are not later than the query."""
    return torch.arange(k.shape[2], device=k.device) <= torch.arange(rows.start, rows.stop, device=k.device)[:, None]
