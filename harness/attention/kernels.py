"""Attention with a position encoding: one call, several kernels.

The explicit kernel, softmax(q k + bias) v with every hook in it, is the truth. The others give the same numbers faster
where the encoding's hooks allow it: PyTorch's fused attention without a bias, with a bias that is never built as a
matrix because it depends on the distance alone, or with a bias in chunks of queries. A bias is added in float32 also
where the model is in bfloat16. Under a window these give a chunk of queries no keys but those of its windows.
FlexAttention is another, for runs that ask for it (:mod:`harness.attention.flex`). No kernel's memory grows faster than
linearly with the length once gradients are off.

Letters: B sequences, H heads, Lq and Lk queries and keys, d head dimension.
"""

from collections.abc import Iterable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.attention import sinks
from harness.attention.inputs import AttentionInputs
from harness.attention.visibility import allowed, count_seen, seen_by_all, seen_keys, up_to_last_key, within
from harness.encodings.base import Encoding
from harness.encodings.pairs import Pairs
from harness.encodings.precision import at_least_float32
from harness.logits.base import LogitScale

CHUNK = 512
"""Queries handled at once where logits or biases are built, at most."""

PAIRS = 2**20
"""Pairs of a query and a key whose logits or biases are built at once, at most: 16 MiB in float32 with 4 heads.
A bias by distance is a view, of which nothing is built: it is handled in chunks of whole :data:`CHUNK` queries.
"""

FEWEST = 64
"""Queries whose logits are built at once, at least: products of fewer with all keys take a quarter longer."""

NARROW = 128
"""Queries handled at once under a window, unless it is wider: fewer would be more calls, more would be more keys."""


def attend(inputs: AttentionInputs) -> Tensor:
    """Attention of q over k and v [B, H, Lq, d], by the fastest kernel that the encoding's hooks allow."""
    q, k, v, encoding = inputs.q, inputs.k, inputs.v, inputs.encoding
    if not fusible(encoding, inputs.logit):
        return explicit(inputs)
    if q.dtype.itemsize < torch.float32.itemsize and (biased(encoding) or q.device.type == "cpu"):
        # A fused kernel rounds the bias to the precision of q, so q is given that of the bias, which is that of logits
        # in the explicit kernel. Without a bias too on a CPU, where the backward pass is slow in bfloat16.
        with torch.autocast(q.device.type, enabled=False):
            exact = attend(inputs._replace(q=q.float(), k=k.float(), v=v.float()))
        return exact.to(v.dtype)
    q, k = _rotated(inputs)
    q = (q * logit_factors(inputs)).to(q.dtype)
    width = v.shape[-1]
    # Fused kernels are for heads of one width: with others PyTorch builds the matrix.
    wider = max(q.shape[-1], width)
    q, k, v = (x if x.shape[-1] == wider else F.pad(x, (0, wider - x.shape[-1])) for x in (q, k, v))
    inputs = inputs._replace(q=q, k=k, v=v)
    plain = inputs.k_positions.visible is None
    if (
        not biased(encoding)
        and plain
        and not inputs.windowed
        and (not inputs.past or not inputs.causal or q.shape[2] == 1)
    ):
        # A single query behind a past is the last token, which sees everything.
        causal = inputs.causal and not inputs.past
        return _fused(inputs, q, k, v, causal=causal)[..., :width]
    by_distance = inputs.k_positions.consecutive and encoding.uses("distance_bias") and not encoding.uses("bias")
    if by_distance and plain:
        return _biased_by_distance(inputs)[..., :width]
    return _masked(inputs)[..., :width]


def explicit(inputs: AttentionInputs) -> Tensor:
    """The definition: every hook in its place, logits and weights in float32, in chunks of queries."""
    v, encoding = inputs.v, inputs.encoding
    chunks = []
    # The last queries see most keys. They come first, so that what all others need fits into the memory that they free.
    queries = list(_chunks(inputs))[::-1]
    for rows, weights in zip(queries, attention_weights(inputs, queries), strict=True):
        keys = weights.shape[-1]
        chunk = weights.to(v.dtype) @ v[:, :, :keys]
        if encoding.uses("value"):
            here, where = inputs.q_positions.values[:, rows], inputs.k_positions.values[:, :keys]
            added = encoding.value(weights, here, where).to(v.dtype)
            chunk = chunk + F.pad(added, (0, chunk.shape[-1] - added.shape[-1]))  # what is carried is no value
        chunks.append(chunk)
    return torch.cat(chunks[::-1], dim=2)


def attention_weights(inputs: AttentionInputs, queries: Iterable[slice]) -> Iterator[Tensor]:
    """The weights that some of the queries give to the keys, [B, H, queries, keys] float32 for each slice of them: to
    all keys, or under causal attention to those up to the last of these queries, beyond which none of them looks.
    """
    encoding, state = inputs.encoding, inputs.state
    scale = logit_factors(inputs)
    turned, every = _rotated(inputs)
    scaled = at_least_float32(turned) * scale
    for rows in queries:
        seen = up_to_last_key(inputs, rows)
        keys, here, where = every[:, :, seen], inputs.q_positions.values[:, rows], inputs.k_positions.values[:, seen]
        tokens = slice(inputs.past + rows.start, inputs.past + rows.stop)
        logits = _logits(inputs, scaled[:, :, rows], keys, here, where, tokens)
        visible = _visible(inputs, rows, seen)
        if encoding.uses("remapped"):
            other = encoding.remapped(here, where)
            q_there, k_there = encoding.rotate(
                inputs.q[:, :, rows], inputs.k[:, :, seen], other.q_positions, other.k_positions, state
            )
            q_there = at_least_float32(q_there) * scale[:, :, rows]
            there = _logits(inputs, q_there, k_there, other.q_positions, other.k_positions, tokens)
            logits = torch.where(other.where[:, None], there, logits)
        pairs = Pairs(tokens, here, where, visible, scale[:, :, rows])
        logits = encoding.modify_logits(logits, turned[:, :, rows], keys, pairs, state)
        logits = inputs.logit.by_distance(logits, here, where)
        if inputs.sinks is None:
            yield _weights(inputs, rows, logits, visible)
        else:
            sink = at_least_float32(inputs.sinks)[:, None, None].expand(*logits.shape[:-1], 1)
            everywhere = F.pad(visible, (0, 1), value=True)
            yield encoding.attention_weights(torch.cat([logits, sink], dim=-1), everywhere)[..., :-1]


def _weights(inputs: AttentionInputs, rows: slice, logits: Tensor, visible: Tensor) -> Tensor:
    """What the encoding's hook gives, [B, H, Lq, Lk]. Without gradients its default is computed in the memory of the
    logits, of which only those of keys that some query does not see are touched before the softmax.
    """
    if torch.is_grad_enabled() or inputs.encoding.uses("attention_weights") or not logits.is_contiguous():
        return inputs.encoding.attention_weights(logits, visible)
    first = seen_by_all(inputs, rows)
    logits[..., first:].masked_fill_(~visible[..., first:], -torch.inf)
    return torch.softmax(logits, dim=-1)


def _visible(inputs: AttentionInputs, rows: slice, seen: slice) -> Tensor:
    """Which of the keys ``seen`` each of these queries may look at, [B or 1, 1, Lq, Lk]."""
    near = allowed(inputs, rows, seen)
    if near is not None and not inputs.encoding.uses("visible"):
        return near
    here, where = inputs.q_positions.values[:, rows], inputs.k_positions.values[:, seen]
    visible = inputs.encoding.visible(here, where)[:, None]
    return visible if near is None else visible & near


def fusible(encoding: Encoding, logit: LogitScale) -> bool:
    """Whether a fused kernel can do all that these two do."""
    return not logit.uses_distances and not any(
        encoding.uses(hook)
        for hook in ("remapped", "products", "modify_logits", "attention_weights", "value", "visible")
    )


def biased(encoding: Encoding) -> bool:
    """Whether the encoding adds something to the logits that does not depend on content."""
    return encoding.uses("bias") or encoding.uses("distance_bias")


def _rotated(inputs: AttentionInputs) -> tuple[Tensor, Tensor]:
    if not inputs.encoding.uses("rotate"):
        return inputs.q, inputs.k
    where = inputs.q_positions.values, inputs.k_positions.values
    return inputs.encoding.rotate(inputs.q, inputs.k, *where, inputs.state)


def logit_factors(inputs: AttentionInputs) -> Tensor:
    """What scales the dot products of each query, [B or 1, H or 1, Lq, 1], float32, float64 where q is."""
    seen = count_seen(inputs)
    seen = seen.to(torch.float64) if inputs.q.dtype == torch.float64 else seen
    factor = inputs.logit.factor(seen.flatten()).unflatten(1, seen.shape).transpose(0, 1)
    if inputs.encoding.uses("logit_scale"):
        factor = factor * inputs.encoding.logit_scale(inputs.q_positions.values)[:, None]
    return factor[..., None]


def _logits(
    inputs: AttentionInputs, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, tokens: slice
) -> Tensor:
    """Scaled and biased logits [B, H, Lq, Lk] of the queries of these tokens, float32 also where the rest of the model
    is in bfloat16.
    """
    with torch.autocast(q.device.type, enabled=False):
        logits = inputs.encoding.products(at_least_float32(q), at_least_float32(k), tokens, inputs.state)
    return logits + inputs.encoding.bias(q_positions, k_positions) if biased(inputs.encoding) else logits


def _fused(
    inputs: AttentionInputs, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None, *, causal: bool = False
) -> Tensor:
    """PyTorch's fused attention of scaled queries, beside the sinks of the heads if they have any."""
    if inputs.sinks is not None:
        return sinks.attended(q, k, v, inputs.sinks, mask, causal=causal, fused=inputs.fused)
    return inputs.fused(q, k, v, attn_mask=mask, is_causal=causal, scale=1.0)


def _biased_by_distance(inputs: AttentionInputs) -> Tensor:
    """A bias by distance is one vector per head. Its matrix for the queries in reverse order is that vector seen
    through overlapping windows: a view, so nothing is copied, and gradients reach the vector.
    """
    q, k, v = inputs.q, inputs.k, inputs.v
    chunks = []
    # CUDA kernels need aligned rows, so the matrix is built for them.
    for rows, keys in _tiles(inputs, builds=q.is_cuda):
        last, first = inputs.past + rows.stop - 1 - keys.start, inputs.past + rows.start - keys.stop
        distances = torch.arange(last, first, -1, device=q.device)
        vector = inputs.encoding.distance_bias(distances)
        if (near := within(inputs, distances, 0)) is not None:
            vector = vector.masked_fill(~near, -torch.inf)
        mask = vector.unfold(-1, keys.stop - keys.start, 1)[None]  # row r belongs to query rows.stop - 1 - r
        if q.is_cuda:
            mask = mask.contiguous()
        chunks.append(_fused(inputs, q[:, :, rows].flip(2), k[:, :, keys], v[:, :, keys], mask).flip(2))
    return torch.cat(chunks, dim=2)


def _masked(inputs: AttentionInputs) -> Tensor:
    """Any other bias, and tokens that must not be looked at, are built for a chunk of queries at a time."""
    q, k, v, encoding = inputs.q, inputs.k, inputs.v, inputs.encoding
    chunks = []
    # From the last on, for the same reason as in the explicit kernel.
    for rows, keys in list(_tiles(inputs))[::-1]:
        mask = near = allowed(inputs, rows, keys)
        if biased(encoding):
            mask = encoding.bias(inputs.q_positions.values[:, rows], inputs.k_positions.values[:, keys])
            if near is not None:  # filling takes several times as long as copying
                first = seen_by_all(inputs, rows)
                filled = mask[..., first:].masked_fill(~near[..., first:], -torch.inf)
                mask = torch.cat([mask[..., :first], filled], dim=-1) if first else filled
        chunks.append(_fused(inputs, q[:, :, rows], k[:, :, keys], v[:, :, keys], mask))
    return torch.cat(chunks[::-1], dim=2)


def _tiles(inputs: AttentionInputs, *, builds: bool = True) -> Iterator[tuple[slice, slice]]:
    """Which queries a fused kernel handles at once, and the keys that they may look at. ``builds``: whether a mask of
    all their pairs is built.
    """
    size, most = CHUNK, inputs.k.shape[2]
    if inputs.windowed:
        size = min(CHUNK, max(NARROW, inputs.window))
        most = min(most, size + inputs.window * (1 if inputs.causal else 2))
    if builds:
        size = max(1, min(size, PAIRS // most))
    for rows in _chunks(inputs, size):
        yield rows, seen_keys(inputs, rows)


def _chunks(inputs: AttentionInputs, size: int = 0) -> Iterator[slice]:
    """Which queries are handled at once: ``size`` of them, or as many as all keys allow."""
    length, keys = inputs.q.shape[2], inputs.k.shape[2]
    # An eighth of the keys at most, so that under causal attention few pairs of a chunk are of later keys.
    share = keys // 8 if keys > 2 * CHUNK else CHUNK
    size = size or max(FEWEST, min(CHUNK, PAIRS // keys, share))
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))
