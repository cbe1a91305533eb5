"""The hooks by which a position encoding enters attention, all of which do nothing by default."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

import torch
from torch import Tensor

from harness.declarations.bounds import Bounded
from harness.dimensions import Dimensions
from harness.encodings.extent import Extent
from harness.encodings.pairs import Pairs, Remapped
from harness.encodings.precision import PreciseModule, without_autocast

Kind = Literal["none", "absolute", "relative", "bias", "rotary", "content"]
"""Added to embeddings; content times position in the logits; a bias by position alone; queries and keys turned;
anything that depends on what the tokens are.
"""

Mode = Literal["causal", "bidirectional", "cross", "grid", "attention-free"]
"""Kinds of attention, and none at all: recurrent networks and convolutions have no place for an encoding to enter."""


HOOKS = (
    "state", "distance_bias", "bias", "remapped", "products", "modify_logits", "attention_weights", "value", "visible",
    "logit_scale", "carry", "carry_through_attention", "carry_through_feed_forward",
)  # fmt: skip
CHANGES = ("embed", "rotate")
"""Hooks that give back what they were given, changed, in the precision that it came in."""


class Encoding(Bounded, PreciseModule):
    """A position encoding that does nothing: the base of all others.

    A concrete encoding is final: it overrides the hooks it needs and is not a base itself; shared mathematics is a
    function. Its constructor takes the network's :class:`~harness.dimensions.Dimensions` and then, keyword-only, the
    choices that its YAML file lists.

    Shapes: B sequences (or 1 where all have the same positions), H heads, L tokens, D model dimension, d head
    dimension. ``q`` and ``k`` prefix what belongs to queries and keys. Positions are explicit tensors: [B, L] integers,
    or float32 where a rule gives fractions and :attr:`fractional` allows it; [B, L, C] for C = :attr:`channels` > 1.
    Angles and biases are float32 whatever the precision of the model, because bfloat16 cannot tell position 10000 from
    9984, or float64 in a model converted to that (:attr:`precision`). Hooks need not ensure it: each runs outside
    autocast and receives float32 or better (:mod:`harness.encodings.precision`). Nothing is cached between calls and no
    buffer changes in them: what holds at a longer length is a frozen copy made by an extension
    (:mod:`harness.extensions`).

    The class-level declarations below are read from the source by the validator before PyTorch is imported, so they are
    written as literals. The contract tests hold every encoding to its declarations.
    """

    kind: ClassVar[Kind] = "none"
    """Where it enters the model."""

    modes: ClassVar[tuple[Mode, ...]] = ("causal", "bidirectional")
    """The kinds of attention it is defined for."""

    shift_invariant: bool = True
    """Whether adding one number to all positions changes nothing: with its default options if asked of the class, with
    its own if asked of an instance.
    """

    shift_variant_with: ClassVar[str] = ""
    """The choice with which an instance of a class that is shift-invariant is not, such as ``bias=fire``."""

    prefix_consistent: ClassVar[bool] = True
    """Whether a token's output is independent of later tokens and of the total length under causal attention.
    Where it is not, exact match is measured by decoding token by token."""

    per_layer: ClassVar[bool] = False
    """Whether every layer has its own instance, which knows its number: ``dimensions.layer``."""

    carries: ClassVar[bool] = False
    """Whether it hands something from block to block beside the hidden vectors (:meth:`carry`): only an architecture
    whose blocks do so (``Model.carries``) can have it.
    """

    layer_kinds: ClassVar[tuple[str, ...]] = ()
    """What the layers of a network are by :meth:`layer_kind`, where they differ by number: a run whose network lacks
    layers of one of these kinds is refused, because it would have another encoding.
    """

    softmax: ClassVar[bool] = True
    """Whether attention weights are a softmax of the logits; where they are not, :meth:`attention_weights` is its own.
    """

    depends_on: Literal["positions", "distances", "order"] = "distances"
    """What it uses of positions, to determine what a test needs but training does not cover: each position by itself,
    their distances, or nothing but the order of the tokens. With its default options on the class, with its own on an
    instance.
    """

    fractional: ClassVar[bool] = True
    """Whether positions may lie between integers; a table with one row per position has none there."""

    channels: int = 1
    """Numbers that make a position: 2 on a grid. With its default options if asked of the class, with its own if asked
    of an instance.
    """

    channels_option: ClassVar[str] = ""
    """The option that sets :attr:`channels`, if one does."""

    pretrained: ClassVar[bool] = False
    """Whether it is what a saved network was trained with: only an architecture that reads one (``Model.reads``) can
    give it its numbers.
    """

    offers: ClassVar[tuple[str, ...]] = ()
    """What test-time extensions can change about it. ``frequencies``: a buffer of angular frequencies, highest first.
    ``attention_factor``: a number that queries and keys are multiplied by as they are turned. ``distances``: logits
    depend on positions only through hooks that receive them for pairs (:meth:`rotate`, :meth:`bias`). ``table``: an
    ``nn.Embedding`` called ``table`` whose rows are, after the first ``offset``, those of positions 0 to ``rows`` - 1.
    """

    limited_by: ClassVar[str] = ""
    """The option that bounds its positions, for a table with one row each: positions are less than its value."""

    unlimited_with: ClassVar[str] = ""
    """The choice with which :attr:`limited_by` is no bound, such as ``beyond=clamp``."""

    distances_limited_by: ClassVar[str] = ""
    """The option that bounds the distances of its positions, for a table with one row each: they are less than its
    value.
    """

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        """Why ``options``, by name, are invalid in a network of these dimensions; empty if they are valid.

        This and the three below are called before PyTorch is loaded, for our own classes from their source: they use
        nothing but their arguments and what their module imports from modules without PyTorch. Bounds of a single
        option belong in the constructor's signature instead (:mod:`harness.declarations.bounds`).
        """
        return ""

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int | None:
        """How many frequencies it has, where it offers them; ``None`` where that is not known in advance."""
        return None

    @staticmethod
    def widest_span(dimensions: Dimensions, options: Any) -> int | None:
        """How far apart the first and the last position of a sequence can be, ``None`` if there is no limit."""
        return None

    @staticmethod
    def layer_kind(dimensions: Dimensions, options: Any) -> str:
        """Which of :attr:`layer_kinds` the layer ``dimensions.layer`` is, where there are any."""
        return ""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        for hook in {*HOOKS, *CHANGES} & vars(cls).keys():
            setattr(cls, hook, without_autocast(vars(cls)[hook], keeps=hook in CHANGES))

    def for_layers(self, another: Callable[[int], Self], count: int) -> Iterator["Encoding"]:
        """The encodings of the ``count`` layers of one stack, from the first on, taken one by one as the layers are
        made. ``self`` is an instance that belongs to this stack; ``another`` makes one more for the layer of a number.

        This is what all layers share, or one of its own for each where :attr:`per_layer` says so. An encoding whose
        layers have something in common gives it to each: a parameter or a module of ``self``, held under the same name
        by all of them. It then is counted, trained and saved once, and stays common in what extensions make of copies.
        """
        if self.per_layer:
            yield from map(another, range(count))
        else:
            yield from itertools.repeat(self, count)

    @property
    def longest(self) -> int | None:
        """How many positions it has, ``None`` if there is no limit."""
        option, _, value = self.unlimited_with.partition("=")
        if not self.limited_by or (option and getattr(self, option) == value):
            return None
        return getattr(self, self.limited_by)

    def horizon(self, *, causal: bool) -> int | None:
        """The position or distance, whichever it depends on, from which on all are equivalent; ``None`` if none are."""
        return None

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        """What a test needs from this encoding but training never used, such as table rows or buckets, a line each.
        Positions, distances and the pairs of :meth:`angular_frequencies` are reported without it.
        """
        return []

    def angular_frequencies(self) -> Tensor:
        """The angle by which each pair of channels rotates from one position to the next, in radians [n]; empty if
        there are no such pairs.
        """
        return torch.empty(0)

    def uses(self, hook: str) -> bool:
        """Whether this encoding overrides a hook."""
        return getattr(type(self), hook) is not getattr(Encoding, hook)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        """Change the token embeddings. ``x`` [B, L, D], ``tokens`` [B, L], ``positions`` [B, L] -> [B, L, D]."""
        return x

    def state(self, h: Tensor, positions: Tensor) -> Mapping[str, Tensor]:
        """What a layer derives from its own input ``h`` [B, L, D] (gates, phases), for :meth:`rotate` and
        :meth:`modify_logits`. It is always of all tokens so far, those in a key-value cache among them.
        """
        return {}

    def carry(self, positions: Tensor) -> Tensor:
        """What goes from block to block beside the hidden vectors, as it enters the first block that attends:
        ``positions`` [B, L] -> [B or 1, H or 1, L, c].

        All hooks that receive a layer's state find in it, under ``carried``, what has come to this layer
        [B, H, L, c]. It keeps its precision; what attention and the feed-forward layer tell it comes in theirs.
        """
        raise LookupError(f"{type(self).__name__} carries nothing")

    def carry_through_attention(self, carried: Tensor, attended: Tensor) -> Tensor:
        """What is carried on from a layer's attention. ``attended`` is the mean of all ``carried`` [B, H, L, c] by the
        weights of attention, as its output is that of the values.
        """
        return carried

    def carry_through_feed_forward(self, carried: Tensor, y: Tensor) -> Tensor:
        """What is carried on from a feed-forward layer, which makes ``y`` [B, L, D] of the hidden vectors."""
        return carried

    def channel_order(self, channels: int) -> Tensor | None:
        """The order [d] of the ``channels`` of a head in which :meth:`rotate` is fastest, ``None`` for their own: asked
        once, when attention is made. Where attention follows it, the layer's state holds it under ``channel_order``.
        For encodings without other hooks that see queries or keys.
        """
        return None

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Change queries [B, H, Lq, d] and keys [B, H, Lk, d], whose last dimension may grow, both alike. Where
        ``state`` is used, queries are those of the last Lq of the Lk tokens, of which ``state`` is.
        """
        return q, k

    def distance_bias(self, distances: Tensor) -> Tensor:
        """The bias of a logit that depends on the distance alone. ``distances`` = query position - key position [...]
        -> [H, ...], float32.

        Distances can be negative (later keys). Attention keeps one vector per head and never builds the matrix.
        """
        raise LookupError(f"{type(self).__name__} has no bias by distance")

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """The bias of the logits where it does not depend on content, [B, Lq], [B, Lk] -> [B, H, Lq, Lk], float32."""
        distances = q_positions[:, :, None] - k_positions[:, None, :]
        return self.distance_bias(distances).transpose(0, 1)

    def remapped(self, q_positions: Tensor, k_positions: Tensor) -> Remapped:
        """Pairs whose logits are those of other positions."""
        raise LookupError(f"{type(self).__name__} takes all pairs where they are")

    def products(self, q: Tensor, k: Tensor, rows: slice, state: Mapping[str, Tensor]) -> Tensor:
        """What logits are made of before any bias: dot products of queries [B, H, Lq, d], scaled, with keys
        [B, H, Lk, d] -> [B, H, Lq, Lk], both as :meth:`rotate` left them. The queries are those of the tokens ``rows``.
        """
        return q @ k.mT

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        """Change the scaled and biased logits [B, H, Lq, Lk], float32, by content.

        ``q`` [B, H, Lq, d] and ``k`` [B, H, Lk, d] are as :meth:`rotate` left them, not scaled; ``state`` holds all
        tokens, also those behind the keys at hand. Logits of pairs that are not visible are arbitrary, but finite,
        before and after, and attention may write into what this returns.
        """
        return logits

    def attention_weights(self, logits: Tensor, visible: Tensor) -> Tensor:
        """Attention weights [B, H, Lq, Lk] from the logits: a softmax over the visible keys."""
        # Adding takes a fifth of the time of filling, and its gradient none.
        hidden = torch.zeros(visible.shape, dtype=logits.dtype, device=logits.device)
        return torch.softmax(logits + hidden.masked_fill_(~visible, -torch.inf), dim=-1)

    def value(self, weights: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """What is added to attention's output besides weights times values: [B, H, Lq, Lk] -> [B, H, Lq, d]."""
        raise LookupError(f"{type(self).__name__} adds nothing to the values")

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """Which keys a query may look at besides what the architecture says, [B, Lq] and [B, Lk] -> [B, Lq, Lk],
        boolean.
        """
        shape = (*q_positions.shape[:2], k_positions.shape[1])
        return torch.ones(shape, dtype=torch.bool, device=q_positions.device)

    def logit_scale(self, q_positions: Tensor) -> Tensor:
        """A factor on the logits of each query, [B, Lq] -> [B, Lq], on top of the logit axis."""
        return torch.ones_like(q_positions, dtype=self.precision)
