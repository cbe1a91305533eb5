"""The hooks by which a position encoding enters attention, all of which do nothing by default."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

Mode = Literal["causal", "bidirectional", "cross", "grid", "recurrent"]
"""Kinds of attention, and none at all: a recurrent model has no place where an encoding could enter attention."""


class Encoding(nn.Module):
    """A position encoding that does nothing: the base of all others.

    A concrete encoding is final: it overrides the hooks it needs and is not a base itself; shared mathematics is a
    function. Its constructor takes the network's :class:`~harness.shape.Shape` and then, keyword-only, the choices that
    its YAML file lists.

    Shapes: B sequences (or 1 where all have the same positions), H heads, L tokens, D model dimension, d head
    dimension. ``q`` and ``k`` prefix what belongs to queries and keys. Positions are explicit integer tensors, [B, L];
    angles and biases are float32 whatever the precision of the model, because bfloat16 cannot tell position 10000 from
    9984. Nothing is cached between calls and no buffer changes in them: what holds at a longer length is a frozen copy
    made by an extension (:mod:`harness.extensions`).

    The class-level declarations below are read from the source by the validator before PyTorch is imported, so they are
    written as literals. The contract tests hold every encoding to its declarations.
    """

    modes: ClassVar[tuple[Mode, ...]] = ("causal", "bidirectional")
    """The kinds of attention it is defined for."""

    shift_invariant: ClassVar[bool] = True
    """Whether adding one number to all positions changes nothing."""

    prefix_consistent: ClassVar[bool] = True
    """Whether a token's output is independent of later tokens and of the total length under causal attention.
    Where it is not, exact match is measured by decoding token by token."""

    per_layer: ClassVar[bool] = False
    """Whether every layer has its own instance."""

    offers: ClassVar[tuple[str, ...]] = ()
    """What test-time extensions can change about it, by attribute name: ``frequencies`` is a buffer of angular
    frequencies, highest first.
    """

    limited_by: ClassVar[str] = ""
    """The option that bounds its positions, for a table with one row each: positions are less than its value."""

    @property
    def longest(self) -> int | None:
        """How many positions it knows, ``None`` if there is no limit."""
        return getattr(self, self.limited_by) if self.limited_by else None

    def uses(self, hook: str) -> bool:
        """Whether this encoding overrides a hook."""
        return getattr(type(self), hook) is not getattr(Encoding, hook)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        """Change the token embeddings. ``x`` [B, L, D], ``tokens`` [B, L], ``positions`` [B, L] -> [B, L, D]."""
        return x

    def state(self, h: Tensor, positions: Tensor) -> Mapping[str, Tensor]:
        """What a layer derives from its own input ``h`` [B, L, D] (gates, phases), for :meth:`rotate` and
        :meth:`score`.
        """
        return {}

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Change queries and keys, [B, H, L, d] each. Their last dimension may grow, both alike."""
        return q, k

    def distance_bias(self, distances: Tensor) -> Tensor:
        """The bias of a logit that depends on the distance alone. ``distances`` = query position - key position [...]
        -> [H, ...], float32.

        Distances can be negative (later keys). Attention keeps such a bias as one vector per head and never builds the
        matrix.
        """
        raise LookupError(f"{type(self).__name__} has no bias by distance")

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """The bias of the logits where it does not depend on content, [B, Lq], [B, Lk] -> [B, H, Lq, Lk], float32."""
        distances = q_positions[:, :, None] - k_positions[:, None, :]
        return self.distance_bias(distances).transpose(0, 1)

    def score(
        self,
        logits: Tensor,
        q: Tensor,
        k: Tensor,
        q_positions: Tensor,
        k_positions: Tensor,
        visible: Tensor,
        state: Mapping[str, Tensor],
    ) -> Tensor:
        """Change the scaled logits [B, H, Lq, Lk] by content. ``q`` is scaled already; ``visible`` [B, 1, Lq, Lk] is
        false where a query must not look.

        Queries may be a chunk of all; keys are always all, and ``state`` holds every token.
        """
        return logits

    def weights(self, logits: Tensor, visible: Tensor) -> Tensor:
        """Attention weights [B, H, Lq, Lk] from the logits: a softmax over the visible keys."""
        return torch.softmax(logits.masked_fill(~visible, -torch.inf), dim=-1)

    def value(self, weights: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """What is added to attention's output besides weights times values: [B, H, Lq, Lk] -> [B, H, Lq, d]."""
        raise LookupError(f"{type(self).__name__} adds nothing to the values")

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """Which keys a query may look at besides what the architecture says, [B, Lq] and [B, Lk] -> [B, Lq, Lk],
        boolean.
        """
        return torch.ones(
            q_positions.shape[0],
            q_positions.shape[1],
            k_positions.shape[1],
            dtype=torch.bool,
            device=q_positions.device,
        )

    def logit_scale(self, q_positions: Tensor) -> Tensor:
        """A factor on the logits of each query, [B, Lq] -> [B, Lq], float32, on top of the logit axis."""
        return torch.ones_like(q_positions, dtype=torch.float32)
