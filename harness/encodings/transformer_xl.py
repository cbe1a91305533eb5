"""The relative attention of Transformer-XL."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Base, CountOrZero, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, cosine_and_sine, geometric, waves
from harness.encodings.pairs import Pairs
from harness.encodings.precision import at_least_float32
from harness.encodings.relative import Rows, add_query_products, consecutive, pairwise_distances
from harness.encodings.requirements import odd_channels


class TransformerXL(Encoding):
    """``((q_i + u) . k_j + (q_i + v) . W R[i - j]) / sqrt(d)``, R the sinusoids over the model dimension, all sines
    before all cosines, with ``f_m = base ** (-2m / D)``; u, v [H, d] and W [H, d, D] of each layer are learned.

    Dai et al. (2019), arXiv 1901.02860, section 3.3. Distances beyond ``clamp``, on either side, count as ``clamp``:
    1000 as in the public models, whose training had no such bound; 0 is the largest distance between tokens of a
    training sequence. u, v and W are drawn from N(0, ``deviation`` squared), 0.02 as in their code, which can also
    share u and v among layers. Negative distances (later keys) are as in XLNet (Yang et al., 2019). Code that
    takes R at j - i (Ruoss et al., 2023) is the same with the sine half of W negated, so both learn alike.

    ``R[i - j]`` comes from sinusoids of i and of j by the addition theorem: a dot product of D channels for each pair,
    no table by distance, and positions may be fractions. Where many sequences have the same whole positions, or one
    long sequence has consecutive ones, the vectors ``W R`` of all distances are fewer than these products, and a table
    of them is made.
    """

    kind = "relative"
    per_layer = True
    offers = ("frequencies",)

    frequencies: Tensor

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int:
        return dimensions.d_model // 2

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        return odd_channels(dimensions.d_model, "the model")

    def __init__(
        self, dimensions: Dimensions, *, base: Base = 10000.0, clamp: CountOrZero = 1000, deviation: Deviation = 0.02
    ) -> None:
        super().__init__()
        self.register_buffer("frequencies", geometric(dimensions.d_model, base), persistent=False)
        self.clamp = clamp or max(1, dimensions.train_tokens - 1)
        self.u = nn.Parameter(deviation * torch.randn(dimensions.n_heads, dimensions.head_dim))
        self.v = nn.Parameter(deviation * torch.randn(dimensions.n_heads, dimensions.head_dim))
        self.project = nn.Parameter(
            deviation * torch.randn(dimensions.n_heads, dimensions.head_dim, dimensions.d_model)
        )

    def horizon(self, *, causal: bool) -> int | None:
        return self.clamp

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        return q + at_least_float32(self.u)[:, None], k

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        q = pairs.scale * (q + (at_least_float32(self.v) - at_least_float32(self.u))[:, None])
        here, where = pairs.q_positions, pairs.k_positions
        if here.is_floating_point() or here.is_cuda:  # on a GPU asking takes longer than computing
            return logits + self._turned(q, pairs)
        low = max(int(here.min() - where.max()), -self.clamp)
        high = min(int(here.max() - where.min()), self.clamp)
        rows = Rows(lambda distances: distances.clamp(low, high) - low, here, where)
        few = high - low < len(q) * q.shape[2] and rows.for_many(len(q), q.shape[-1])
        if not few and (torch.is_grad_enabled() or q.shape[2] == 1 or not consecutive(here, where)):
            return logits + self._turned(q, pairs)
        table = waves(torch.arange(low, high + 1, device=q.device), self.frequencies, "concatenated", q.dtype)
        return add_query_products(logits, q, table @ at_least_float32(self.project).mT, rows)

    def _turned(self, q: Tensor, pairs: Pairs) -> Tensor:
        """``q_i . W R[i - j]``, the scaled products with the position, [B, H, Lq, Lk]."""
        towards = torch.einsum("bhid,hdm->bhim", q, at_least_float32(self.project))
        distances = pairwise_distances(pairs.q_positions, pairs.k_positions)[:, None]
        position = self._near(towards, pairs)
        for bound, beyond in ((self.clamp, distances > self.clamp), (-self.clamp, distances < -self.clamp)):
            if not beyond.is_cuda and not beyond.any():
                continue
            there = waves(torch.tensor([bound], device=q.device), self.frequencies, "concatenated", q.dtype)
            position = torch.where(beyond, towards @ there.T, position)
        return position

    def _near(self, towards: Tensor, pairs: Pairs) -> Tensor:
        """``towards_i . R[i - j]`` [B, H, Lq, Lk]: with ``sin(a - b) = sin a cos b - cos a sin b`` and
        ``cos(a - b) = cos a cos b + sin a sin b`` a dot product of the query's part with the sinusoids of the key.

        Positions count from the first key, so that fractions are as exact far away as near 0.
        """
        first = pairs.k_positions[:, :1]
        turned = angles(pairs.q_positions - first, self.frequencies)[:, None]
        cosine, sine = cosine_and_sine(turned, towards.dtype)
        sines, cosines = towards.chunk(2, dim=-1)
        with_sine = cosines * sine - sines * cosine
        with_cosine = sines * sine + cosines * cosine
        keys = waves(pairs.k_positions - first, self.frequencies, "concatenated", towards.dtype)
        turned_towards = torch.cat([with_sine, with_cosine], dim=-1)
        if len(keys) == 1:  # the same for all: one product of matrices
            return turned_towards @ keys[0].T
        return turned_towards @ keys[:, None].transpose(-1, -2)

    def angular_frequencies(self) -> Tensor:
        return self.frequencies
