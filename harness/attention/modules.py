"""Attention with a position encoding: one call, several kernels.

The explicit kernel, softmax(q k + bias) v with every hook in it, is the truth. The others give the same numbers faster
where the encoding's hooks allow it: PyTorch's fused attention without a bias, with a bias that is never built as a
matrix because it depends on the distance alone, or with a bias in chunks of queries. A bias is added in float32 also
where the model is in bfloat16. FlexAttention is another, for runs that ask for it (:mod:`harness.attention.flex`). No
kernel's memory grows faster than linearly with the length once gradients are off.

Letters: B sequences, H heads, Lq and Lk queries and keys, d head dimension.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.encodings.base import Encoding
from harness.encodings.pairs import Pairs
from harness.encodings.precision import raised
from harness.logits.base import LogitScale

CHUNK = 512
"""Queries handled at once where logits or biases are built, at most."""

PAIRS = 2**19
"""Pairs of a query and a key handled at once there, at most: with 4 heads their float32 logits take 8 MiB."""


class Positions(NamedTuple):
    """Where tokens stand, and whether every row counts up in steps of one. ``values`` are integers [B or 1, L], float32
    where a rule tells fractions, [B or 1, L, C] where a position has C numbers. ``visible`` [B, L] is false for tokens
    that only they themselves may look at, such as padding; ``None`` if there are none.
    """

    values: Tensor
    consecutive: bool
    visible: Tensor | None = None

    def of(self, rows: slice) -> "Positions":
        """Those of some rows."""
        values = self.values[rows] if len(self.values) > 1 else self.values
        return Positions(values, self.consecutive, None if self.visible is None else self.visible[rows])

    def to(self, device: torch.device) -> "Positions":
        """The same on a device."""
        visible = None if self.visible is None else self.visible.to(device)
        return Positions(self.values.to(device), self.consecutive, visible)


class Attending(nn.Module):
    """A place of a network where queries meet keys, whatever made them. Extensions exchange its encoding."""

    def __init__(self, encoding: Encoding, logit: LogitScale, *, causal: bool) -> None:
        super().__init__()
        self.encoding = encoding
        self.logit = logit
        self.causal = causal
        self.kernel: Callable[..., Tensor] = attend
        """What computes it: a function with the parameters of :func:`explicit`, which all others agree with."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, positions: Positions, state: Mapping[str, Tensor]) -> Tensor:
        """Attention of q over k and v, [B, H, L, d] each."""
        return self.kernel(q, k, v, positions, self.encoding, self.logit, causal=self.causal, state=state)


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
    if q.dtype.itemsize < torch.float32.itemsize and (biased(encoding) or q.device.type == "cpu"):
        # A fused kernel rounds the bias to the precision of q, so q is given that of the bias, which is that of logits
        # in the explicit kernel. Without a bias too on a CPU, where the backward pass is slow in bfloat16.
        with torch.autocast(q.device.type, enabled=False):
            exact = attend(q.float(), k.float(), v.float(), positions, encoding, logit, causal=causal, state=state)
        return exact.to(v.dtype)
    q, k = _rotated(q, k, positions.values, encoding, state)
    q = (q * logit_factors(q, positions, encoding, logit, causal=causal)).to(q.dtype)
    width = v.shape[-1]
    if q.shape[-1] != width:  # fused kernels are for heads of one width: with others PyTorch builds the matrix
        v = F.pad(v, (0, q.shape[-1] - width))
    if not biased(encoding) and positions.visible is None:
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=1.0)[..., :width]
    by_distance = positions.consecutive and encoding.uses("distance_bias") and not encoding.uses("bias")
    if by_distance and positions.visible is None:
        return _biased_by_distance(q, k, v, encoding, causal=causal)[..., :width]
    return _masked(q, k, v, positions, encoding, causal=causal)[..., :width]


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
    every = attention_weights(q, k, positions, encoding, logit, _chunks(q), causal=causal, state=state)
    for rows, weights in zip(_chunks(q), every, strict=True):
        keys = weights.shape[-1]
        chunk = weights.to(v.dtype) @ v[:, :, :keys]
        if encoding.uses("value"):
            chunk = chunk + encoding.value(weights, where[:, rows], where[:, :keys]).to(v.dtype)
        chunks.append(chunk)
    return torch.cat(chunks, dim=2)


def attention_weights(
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
    """The weights that some of the queries give to the keys, [B, H, queries, keys] float32 for each slice of them: to
    all keys, or under causal attention to those up to the last of these queries, beyond which none of them looks.
    """
    scale = logit_factors(q, positions, encoding, logit, causal=causal)
    turned, every = _rotated(q, k, positions.values, encoding, state)
    scaled = raised(turned) * scale
    for rows in queries:
        seen = slice(rows.stop if causal else k.shape[2])
        keys, here, where = every[:, :, seen], positions.values[:, rows], positions.values[:, seen]
        logits = _logits(scaled[:, :, rows], keys, here, where, encoding)
        visible = encoding.visible(here, where)[:, None]
        if (allowed := _allowed(rows, keys, positions, causal=causal)) is not None:
            visible = visible & allowed
        if encoding.uses("remapped"):
            other = encoding.remapped(here, where)
            q_there, k_there = encoding.rotate(
                q[:, :, rows], k[:, :, seen], other.q_positions, other.k_positions, state
            )
            q_there = raised(q_there) * scale[:, :, rows]
            there = _logits(q_there, k_there, other.q_positions, other.k_positions, encoding)
            logits = torch.where(other.where[:, None], there, logits)
        pairs = Pairs(rows, here, where, visible, scale[:, :, rows])
        logits = logit.by_distance(encoding.modify_logits(logits, turned[:, :, rows], keys, pairs, state), here, where)
        yield encoding.attention_weights(logits, visible)


def fusible(encoding: Encoding, logit: LogitScale) -> bool:
    """Whether a fused kernel can do all that these two do."""
    return not logit.uses_distances() and not any(
        encoding.uses(hook) for hook in ("remapped", "modify_logits", "attention_weights", "value", "visible")
    )


def biased(encoding: Encoding) -> bool:
    """Whether the encoding adds something to the logits that does not depend on content."""
    return encoding.uses("bias") or encoding.uses("distance_bias")


def _rotated(
    q: Tensor, k: Tensor, positions: Tensor, encoding: Encoding, state: Mapping[str, Tensor]
) -> tuple[Tensor, Tensor]:
    return encoding.rotate(q, k, positions, positions, state) if encoding.uses("rotate") else (q, k)


def logit_factors(q: Tensor, positions: Positions, encoding: Encoding, logit: LogitScale, *, causal: bool) -> Tensor:
    """What scales the dot products of each query, [B or 1, H or 1, L, 1], float32, float64 where q is."""
    seen = _seen(q, positions.visible, causal=causal)
    seen = seen.to(torch.float64) if q.dtype == torch.float64 else seen
    factor = logit.factor(seen.flatten()).unflatten(1, seen.shape).transpose(0, 1)
    if encoding.uses("logit_scale"):
        factor = factor * encoding.logit_scale(positions.values)[:, None]
    return factor[..., None]


def _seen(q: Tensor, visible: Tensor | None, *, causal: bool) -> Tensor:
    """How many keys each query sees [B or 1, L]."""
    length = q.shape[2]
    if visible is None:
        every = torch.arange(1, length + 1, device=q.device)
        return (every if causal else torch.full_like(every, length))[None]
    seen = visible.cumsum(1) if causal else visible.sum(1, keepdim=True).expand(-1, length)
    return seen + ~visible


def _logits(q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, encoding: Encoding) -> Tensor:
    """Scaled and biased logits [B, H, Lq, Lk], float32 also where the rest of the model is in bfloat16."""
    with torch.autocast(q.device.type, enabled=False):
        logits = raised(q) @ raised(k).transpose(-1, -2)
    if biased(encoding):
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


def _masked(q: Tensor, k: Tensor, v: Tensor, positions: Positions, encoding: Encoding, *, causal: bool) -> Tensor:
    """Any other bias, and tokens that must not be looked at, are built for a chunk of queries at a time."""
    where = positions.values
    chunks = []
    for rows in _chunks(q):
        keys = rows.stop if causal else k.shape[2]
        allowed = _allowed(rows, k[:, :, :keys], positions, causal=causal)
        mask = allowed
        if biased(encoding):
            mask = encoding.bias(where[:, rows], where[:, :keys])
            mask = mask if allowed is None else mask.masked_fill(~allowed, -torch.inf)
        chunks.append(
            F.scaled_dot_product_attention(q[:, :, rows], k[:, :, :keys], v[:, :, :keys], attn_mask=mask, scale=1.0)
        )
    return torch.cat(chunks, dim=2)


def _chunks(q: Tensor) -> Iterator[slice]:
    length = q.shape[2]
    size = max(1, min(CHUNK, PAIRS // length))
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def _allowed(rows: slice, k: Tensor, positions: Positions, *, causal: bool) -> Tensor | None:
    """Which of the first keys each of these queries may look at, [B or 1, 1, Lq, Lk], ``None`` for all."""
    keys = torch.arange(k.shape[2], device=k.device)
    queries = torch.arange(rows.start, rows.stop, device=k.device)[:, None]
    allowed = (keys <= queries)[None, None] if causal else None
    if positions.visible is None:
        return allowed
    shown = positions.visible[:, None, None, : k.shape[2]]
    return (shown if allowed is None else shown & allowed) | (keys == queries)
