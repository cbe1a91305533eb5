"""T5's bias: one learned number per head and bucket of distances."""

import math
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from harness.declarations.bounds import CountOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.encodings.precision import at_least_float32


class T5(Encoding):
    """Adds ``table[h, bucket(i - j)]`` to the scaled logits, one table for all layers.

    Raffel et al. (2020), arXiv 1910.10683, section 2.1, and their code: the first half of the ``buckets`` holds one
    distance each, the others grow logarithmically up to ``farthest``, and all that is farther shares the last.
    ``farthest=0`` takes the training length, so that training meets all buckets, or nearly (the least that leaves
    something to share, where training is shorter than that).
    ``bidirectional`` gives later keys buckets of their own, half of all; without it every later key counts as distance
    0. The table is drawn from N(0, 1/D). T5 itself does not divide logits by the square root of d.
    """

    kind = "bias"
    offers = ("distances",)
    fractional = False

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        both = 4 if options.bidirectional else 2
        exact = options.buckets // both
        if options.buckets % both:
            return f"buckets={options.buckets}: it must be a multiple of {both}"
        if options.farthest and options.farthest <= exact:
            return (
                f"farthest={options.farthest}: it must be above {exact}, "
                "the number of distances that have a bucket of their own, or 0 for the training length"
            )
        return ""

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        buckets: Annotated[int, Field(ge=2, le=2**16, multiple_of=2)] = 32,
        farthest: CountOrZero = 128,
        bidirectional: bool = False,
    ) -> None:
        super().__init__()
        directions = 2 if bidirectional else 1
        exact = buckets // directions // 2
        self.buckets = buckets
        self.farthest = farthest or max(dimensions.train_tokens, exact + 1)
        self.bidirectional = bidirectional
        self.table = nn.Parameter(torch.randn(dimensions.n_heads, buckets) * dimensions.d_model**-0.5)

    def distance_bias(self, distances: Tensor) -> Tensor:
        return at_least_float32(self.table)[:, self.bucket(distances)]

    def bucket(self, distances: Tensor) -> Tensor:
        """The bucket of each distance i - j, same shape, int64."""
        if not self.bidirectional:
            return _one_way(distances.clamp(min=0), self.buckets, self.farthest)
        half = self.buckets // 2
        return _one_way(distances.abs(), half, self.farthest) + half * (distances < 0)

    def horizon(self, *, causal: bool) -> int | None:
        reach = torch.arange(self.farthest + 1)
        return int((self.bucket(reach) == self.bucket(reach[-1])).int().argmax())

    def untrained(self, trained: Extent, tested: Extent) -> list[str]:
        def used(extent: Extent) -> set[int]:
            earliest = 0 if extent.causal else -extent.distance
            return set(self.bucket(torch.arange(earliest, extent.distance + 1)).tolist())

        new = used(tested) - used(trained)
        return [f"{len(new)} of {self.buckets} buckets were never trained"] if new else []


def _one_way(distances: Tensor, buckets: int, farthest: int) -> Tensor:
    exact = buckets // 2
    logarithmic = torch.log(distances.clamp(min=1).float() / exact) / math.log(farthest / exact) * (buckets - exact)
    return torch.where(distances < exact, distances.long(), (exact + logarithmic.long()).clamp(max=buckets - 1))
