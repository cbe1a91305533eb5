"""Pairs of a query and a key, as hooks of an encoding receive them and give them back."""

from typing import NamedTuple

from torch import Tensor


class Pairs(NamedTuple):
    """The queries and keys whose logits are at hand. Queries may be a chunk of all; keys are all, or under causal
    attention the first ones up to the last query of the chunk. Those behind it no query of the chunk may look at.
    """

    rows: slice
    """Which of all tokens the queries are."""
    q_positions: Tensor
    """[B, Lq]"""
    k_positions: Tensor
    """[B, Lk]"""
    visible: Tensor
    """[B or 1, 1, Lq, Lk], false where a query must not look."""
    scale: Tensor
    """What dot products are multiplied by to be logits, [B or 1, H or 1, Lq, 1], float32."""


class Remapped(NamedTuple):
    """Pairs whose logits are computed as if they stood at other positions."""

    where: Tensor
    """[B, Lq, Lk], true for these pairs."""
    q_positions: Tensor
    """Where their queries stand then, [B, Lq]; fractions are possible."""
    k_positions: Tensor
    """Where their keys stand then, [B, Lk]."""
