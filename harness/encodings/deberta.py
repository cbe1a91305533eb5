"""Disentangled attention: content to position and position to content."""

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.declarations.bounds import CountOrZero, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.pairs import Pairs
from harness.encodings.precision import at_least_float32
from harness.encodings.relative import Rows, add_key_products, add_query_products


class DeBERTa(Encoding):
    """``(q_i . k_j + q_i . K[t] + k_j . Q[t]) / sqrt(3 d)`` with ``t = clip(bucket(i - j) + span, 0, 2 span - 1)``.

    He et al. (2020), arXiv 2006.03654, section 3.1; ``terms`` leaves out one of the last two, and the 3 counts those
    there are. Without ``buckets`` every distance is its own and span is ``farthest``, 512 as in the paper; 0 is the
    number of tokens of the longest training sequence. ``buckets`` above 0 (256 in DeBERTa-v3) is the span: distances up
    to half of it are their own, farther ones share buckets that grow logarithmically up to ``farthest``.

    In DeBERTa K and Q are projections P W, two for every layer, of a table P [2 span, D] that all layers of a stack
    have in common: so with ``shared``. P is then drawn from N(0, ``deviation`` squared) and W from N(0, 1 / D), without
    biases as in the paper, which gives K and Q the deviation that they have without it. The public code draws W as all
    its weights and, in later versions, normalises P. Without ``shared`` every layer learns its own K and Q
    [H, 2 span, d] directly, drawn from N(0, ``deviation`` squared).

    The last term takes t at (i, j) as the public code does; in the paper it is at (j, i), which renames the rows of Q.
    """

    kind = "relative"
    per_layer = True
    fractional = False

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        least = options.buckets // 2 + 2
        if (options.farthest or dimensions.train_tokens) < least:
            return f"farthest={options.farthest}: it must be at least {least}"
        return ""

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        farthest: CountOrZero = 512,
        buckets: Annotated[int, Field(ge=0, le=2**16, multiple_of=2)] = 0,
        terms: Literal["both", "content_to_position", "position_to_content"] = "both",
        deviation: Deviation = 0.02,
        shared: bool = False,
    ) -> None:
        super().__init__()
        self.farthest = farthest or dimensions.train_tokens
        self.buckets = buckets
        self.span = buckets or self.farthest
        rows = 2 * self.span
        self.table = nn.Parameter(deviation * torch.randn(rows, dimensions.d_model)) if shared else None
        size = (dimensions.n_heads, dimensions.d_model if shared else rows, dimensions.head_dim)
        spread = dimensions.d_model**-0.5 if shared else deviation
        self.keys = nn.Parameter(spread * torch.randn(size)) if terms != "position_to_content" else None
        """K, or with a shared table the projection to it."""
        self.queries = nn.Parameter(spread * torch.randn(size)) if terms != "content_to_position" else None

    def for_layers(self, another: Callable[[int], Self], count: int) -> Iterator[Encoding]:
        for number in range(count):
            layer = another(number)
            layer.table = self.table
            yield layer

    def vectors(self, learned: Tensor) -> Tensor:
        """K or Q [H, 2 span, d] from what is learned of it."""
        return learned if self.table is None else at_least_float32(self.table) @ at_least_float32(learned)

    def logit_scale(self, q_positions: Tensor) -> Tensor:
        terms = 1 + (self.keys is not None) + (self.queries is not None)
        return torch.full_like(q_positions, terms**-0.5, dtype=self.precision)

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        rows = Rows(self.row, pairs.q_positions, pairs.k_positions)
        if self.keys is not None:
            logits = add_query_products(logits, pairs.scale * q, self.vectors(self.keys), rows)
        if self.queries is not None:
            logits = add_key_products(logits, k, self.vectors(self.queries), rows, pairs.scale)
        return logits

    def horizon(self, *, causal: bool) -> int | None:
        reach = torch.arange(self.farthest + 1) * (1 if causal else -1)
        return int((self.row(reach) == self.row(reach[-1])).int().argmax())

    def row(self, distances: Tensor) -> Tensor:
        """``t`` for each distance i - j, same shape."""
        return (self.bucket(distances) + self.span).clamp(0, 2 * self.span - 1)

    def bucket(self, distances: Tensor) -> Tensor:
        """The bucket of each distance, with its sign, same shape, int64."""
        if not self.buckets:
            return distances
        exact = self.buckets // 2
        far = distances.abs().clamp(min=exact).float()
        # The divisor is rounded as the dividend is, or a distance of farthest - 1 comes out just above the last bucket.
        growth = torch.log(far / exact) / torch.log(far.new_tensor((self.farthest - 1) / exact)) * (exact - 1)
        return torch.where(distances.abs() <= exact, distances, distances.sign() * (growth.ceil().long() + exact))

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        def used(extent: Extent) -> set[int]:
            earliest = 0 if extent.causal else -extent.distance
            return set(self.row(torch.arange(earliest, extent.distance + 1)).tolist())

        new = used(tested) - used(trained)
        every = f"{self.span} vectors of earlier keys" if tested.causal else f"{2 * self.span} vectors"
        return [f"{len(new)} of {every} keep their initial values"] if new else []
