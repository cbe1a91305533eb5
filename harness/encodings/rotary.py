"""Rotation of pairs of channels, the mathematics that the rotary encodings share."""

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor

from harness.encodings.frequencies import cosine_and_sine
from harness.encodings.precision import at_least_float32

Layout = Literal["interleaved", "half"]


def rotate(x: Tensor, angles: Tensor, layout: Layout, factor: float | Tensor = 1.0) -> Tensor:
    """Turn the pairs among the first 2n channels of ``x`` [B, H, L, d] by ``angles``, [B, L, n] for all heads or
    [B, H, L, n], and multiply them by ``factor``, a number or of the shape of the angles, in the precision of x or
    float32.

    ``layout="interleaved"`` pairs channels (2m, 2m + 1), ``"half"`` channels (m, m + n).
    """
    cos, sin = cosine_and_sine(angles, at_least_float32(x).dtype)
    return combine(x, cos * factor, sin * factor, layout)


def rotate_both(
    q: Tensor,
    k: Tensor,
    q_positions: Tensor,
    k_positions: Tensor,
    angles: Callable[[Tensor], Tensor],
    layout: Layout,
    factor: float = 1.0,
) -> tuple[Tensor, Tensor]:
    """Queries and keys turned, as by :func:`rotate`, by what ``angles`` makes of their positions: once where both have
    the same.
    """

    def turn(positions: Tensor) -> tuple[Tensor, Tensor]:
        cos, sin = cosine_and_sine(angles(positions), at_least_float32(q).dtype)
        return (cos * factor, sin * factor) if factor != 1 else (cos, sin)

    turn_q = turn(q_positions)
    turn_k = turn_q if k_positions is q_positions else turn(k_positions)
    return combine(q, *turn_q, layout), combine(k, *turn_k, layout)


def pairs_beside(layout: Layout, turning: int, channels: int) -> Tensor | None:
    """The order of ``channels``, of which the first ``turning`` turn, in which the two of a pair are neighbours;
    ``None`` where they are so anyway. Encodings give it as ``Encoding.channel_order``.
    """
    if layout == "interleaved":
        return None
    every = torch.arange(channels)
    return torch.cat([every[:turning].unflatten(0, (2, -1)).T.flatten(), every[turning:]])


def layout_here(layout: Layout, state: Mapping[str, Tensor]) -> Layout:
    """How pairs lie in the queries and keys at hand, which attention may have put in :func:`pairs_beside`."""
    return "interleaved" if "channel_order" in state else layout


def combine(x: Tensor, cos: Tensor, sin: Tensor, layout: Layout) -> Tensor:
    """Pairs (a, b) among the first 2n channels of ``x`` become (a cos - b sin, a sin + b cos); shapes as in
    :func:`rotate`.
    """
    if cos.dim() == 3:
        cos, sin = cos[:, None], sin[:, None]
    turning = 2 * cos.shape[-1]
    pairs, rest = at_least_float32(x[..., :turning]), x[..., turning:]
    if layout == "interleaved" and not torch.compiler.is_compiling():
        turned = _as_complex(pairs, torch.complex(cos, sin))
    elif layout == "interleaved":  # PyTorch compiles no complex numbers
        first, second = pairs[..., 0::2], pairs[..., 1::2]
        turned = torch.stack([first * cos - second * sin, first * sin + second * cos], dim=-1).flatten(-2)
    else:
        first, second = pairs.chunk(2, dim=-1)
        turned = torch.cat([first * cos - second * sin, first * sin + second * cos], dim=-1)
    turned = turned.to(x.dtype)
    return torch.cat([turned, rest], dim=-1) if rest.shape[-1] else turned


def _as_complex(x: Tensor, turn: Tensor) -> Tensor:
    """Neighbouring channels of ``x`` [B, H, L, 2n] as complex numbers, times ``turn`` [B or 1, H or 1, L, n]: a quarter
    of the time of six products of real numbers in strides, to the same numbers.

    Heads come last meanwhile, as they lie in memory behind a projection, so that gradients need no copies. A turn that
    heads and sequences share is laid out for every head: then one loop runs over tokens, heads and pairs at once, in a
    third of the time of a loop for the few pairs of each.
    """
    x, turn = x.transpose(1, 2), turn.transpose(1, 2)
    if len(turn) == 1 < len(x) and turn.shape[2] == 1:
        turn = turn.expand(-1, -1, x.shape[2], -1).contiguous()
    return torch.view_as_real(_complex(x) * turn).flatten(-2).transpose(1, 2)


def _complex(x: Tensor) -> Tensor:
    """Neighbouring channels [..., 2n] as complex numbers [..., n]: a view, where memory is laid out for that."""
    *strides, last = x.stride()
    if last != 1 or x.storage_offset() % 2 or any(stride % 2 for stride in strides):
        x = x.contiguous()
        x = x.clone() if x.storage_offset() % 2 else x
    return torch.view_as_complex(x.unflatten(-1, (-1, 2)))
