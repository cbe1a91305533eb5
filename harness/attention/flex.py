"""Attention by PyTorch's FlexAttention, which compiles the mask and a bias by distance into one GPU kernel.

A bias is never built as a matrix, in training neither; it stays in float32 beside queries in bfloat16, and blocks of
keys that no query may see are left out. What FlexAttention has no place for goes to
:func:`harness.attention.kernels.attend`, call by call: a run whose own encoding cannot use it is refused before
(:mod:`harness.training.attention_kernel`), a test-time extension that adds a window is computed all the same.

Only forward does PyTorch compile it on a CPU. On a GPU the gradient of a learned bias is summed by atomic additions,
whose order changes: two runs agree to rounding, not to the bit.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, flex_attention

from harness.attention import kernels
from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import biased, fusible, logit_factors
from harness.attention.positions import Positions
from harness.encodings.base import Encoding
from harness.logits.base import LogitScale

BLOCK = 128
"""Queries and keys of a block of the causal mask. Sequences are padded to whole blocks under it, with tokens that are
later than all others: with parts of a block, a mask and a bias together gave NaN in PyTorch's backward pass (pytorch
issue 153799).
"""

NARROWEST = 16
"""Channels of a head, at least: the kernel multiplies no narrower matrices. Widths are padded to powers of two, because
not all others compile.
"""

COMPILATIONS = 64
"""Kernels that a process may compile, for sizes and encodings. PyTorch's own limit is 8."""

compiled = torch.compile(flex_attention, fullgraph=True)  # an error at the limit, not a quadratic kernel in silence


def attend(inputs: AttentionInputs) -> Tensor:
    """Attention of q over k and v [B, H, Lq, d]. With a past it is :func:`harness.attention.kernels.attend`'s part."""
    q, k, v, encoding = inputs.q, inputs.k, inputs.v, inputs.encoding
    positions = inputs.k_positions
    usable = possible(encoding, inputs.logit, whole=_whole(positions)) and positions.visible is None
    if inputs.past or inputs.windowed or inputs.sinks is not None or not usable:
        return kernels.attend(inputs)
    length, width = v.shape[2:]
    where = positions.values
    factors = logit_factors(inputs)
    if encoding.uses("rotate"):
        q, k = encoding.rotate(q, k, where, where, inputs.state)
    blocks = -(-length // BLOCK)
    padding = blocks * BLOCK - length if inputs.causal else 0
    q, k, v = (_padded(x.to(v.dtype), padding) for x in (q * factors, k, v))
    change = _bias(q, positions, encoding) if biased(encoding) else None
    mask = _earlier(blocks, q.device) if inputs.causal else None
    with torch._dynamo.config.patch(recompile_limit=COMPILATIONS):
        attended = compiled(q, k, v, change, mask, scale=1.0)
    return attended[:, :, :length, :width]


def possible(encoding: Encoding, logit: LogitScale, *, whole: bool) -> bool:
    """Whether FlexAttention can do all that these two do, with positions that are ``whole`` numbers or not: turned and
    scaled queries and keys, and a bias by distances that can be counted.
    """
    return fusible(encoding, logit) and not encoding.uses("bias") and (whole or not encoding.uses("distance_bias"))


def _whole(positions: Positions) -> bool:
    return positions.values.dim() == 2 and not positions.values.is_floating_point()


def _padded(x: Tensor, tokens: int) -> Tensor:
    """[B, H, L, d] with so many tokens of zeros behind it, and zeros up to a width that the kernel takes."""
    width = x.shape[-1]
    return F.pad(x, (0, max(NARROWEST, 1 << (width - 1).bit_length()) - width, 0, tokens))


def _bias(q: Tensor, positions: Positions, encoding: Encoding) -> Callable[..., Tensor]:
    """What adds a bias by distance to a logit, as FlexAttention asks for it: a number read from one vector per head.
    It captures tensors only: a captured number that changes with the length does not always compile.
    """
    length = q.shape[2]
    if positions.consecutive:
        reach = length
        ahead = torch.arange(reach, reach + length, device=q.device)
    else:
        rising = positions.values - positions.values.amin()
        # A power of two, so that not every batch has sizes of its own to compile for.
        reach = 1 << int(rising.amax()).bit_length()
        keys = F.pad(rising, (0, length - rising.shape[1])).expand(len(q), -1).contiguous()
        queries = keys + reach
    vector = encoding.distance_bias(torch.arange(-reach, reach + 1, device=q.device))

    def by_index(score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return score + vector[h, ahead[i] - j]

    def by_position(score: Tensor, b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return score + vector[h, queries[b, i] - keys[b, j]]

    return by_index if positions.consecutive else by_position


def _earlier(count: int, device: torch.device) -> BlockMask:
    """Causal attention over ``count`` blocks: a row of blocks sees all blocks before its own, and its own in part."""
    numbers = torch.arange(count, dtype=torch.int32, device=device)
    return BlockMask.from_kv_blocks(
        torch.ones_like(numbers)[None, None],
        numbers[:, None].expand(1, 1, -1, count).contiguous(),
        numbers[None, None],
        numbers.expand(1, 1, count, -1).contiguous(),
        BLOCK_SIZE=BLOCK,
        mask_mod=_not_later,
    )


def _not_later(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
    return j <= i
