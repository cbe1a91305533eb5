"""Rotary position embedding."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from torch import Tensor

from harness.declarations.bounds import BaseOrZero
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles, base_for, geometric
from harness.encodings.requirements import base_objection, odd_channels
from harness.encodings.rotary import layout_here, pairs_beside, rotate_both


class RoPE(Encoding):
    """Turns pair m of the channels of queries and keys by ``i f_m``, ``f_m = base ** (-2m / r)``, so that logits depend
    on distances.

    Su et al. (2021), arXiv 2104.09864, equation 34, where r is the head dimension d. ``layout="interleaved"`` pairs
    neighbouring channels as the paper does, ``"half"`` pairs channel m with m + r/2 as Llama does; from random weights
    both learn alike.

    ``fraction`` below 1 turns the first ``r = fraction d`` channels only, as GPT-J and GPT-NeoX (0.25) do. ``kept``
    below 1 is p-RoPE (Barbero et al., 2024, arXiv 2410.06205): the highest ``floor(kept r / 2)`` frequencies stay as
    they are, the others become 0, so that their channels carry content alone.

    ``base=0`` scales to training: the slowest kept pair, K - 1, completes one period within its N tokens,
    ``base = (N / 2 pi) ** (r / (2 (K - 1)))``.
    """

    kind = "rotary"
    offers = ("frequencies", "attention_factor", "distances")

    frequencies: Tensor

    @staticmethod
    def frequency_count(dimensions: Dimensions, options: Any) -> int:
        return int(options.fraction * dimensions.head_dim + 1e-6) // 2

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        channels = int(options.fraction * dimensions.head_dim + 1e-6)
        if options.fraction < 1 and (channels < 2 or channels % 2):
            return (
                f"fraction={options.fraction}: it must make an even number of the {dimensions.head_dim} channels "
                "of a head"
            )
        kept = int(options.kept * channels / 2 + 1e-6)
        if kept < 1 <= channels // 2:
            return f"kept={options.kept}: it must keep at least one of {channels // 2} pairs"
        return odd_channels(channels, "a head") or base_objection(
            options.base, dimensions.train_tokens, 2 * (kept - 1) / channels
        )

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        base: BaseOrZero = 10000.0,
        layout: Literal["interleaved", "half"] = "half",
        fraction: Annotated[float, Field(gt=0, le=1)] = 1.0,
        kept: Annotated[float, Field(gt=0, le=1)] = 1.0,
    ) -> None:
        super().__init__()
        channels = int(fraction * dimensions.head_dim + 1e-6)  # not 57 for 0.29 of 200
        pairs = int(kept * channels / 2 + 1e-6)
        frequencies = geometric(channels, base or base_for(dimensions.train_tokens, 2 * (pairs - 1) / channels))
        frequencies[pairs:] = 0
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.attention_factor = 1.0
        self.layout = layout

    def channel_order(self, channels: int) -> Tensor | None:
        return pairs_beside(self.layout, 2 * len(self.frequencies), channels)

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        def turned(positions: Tensor) -> Tensor:
            return angles(positions, self.frequencies)

        return rotate_both(
            q, k, q_positions, k_positions, turned, layout_here(self.layout, state), self.attention_factor
        )

    def angular_frequencies(self) -> Tensor:
        return self.frequencies
