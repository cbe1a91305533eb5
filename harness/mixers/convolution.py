"""A short causal convolution over tokens, as it stands before the state of recurrent layers."""

import torch
from torch import Tensor, nn


class ShortConvolution(nn.Conv1d):
    """Every channel by itself over the last ``width`` tokens; the last tap meets the current token. What was before the
    first token is zero.
    """

    def __init__(self, channels: int, width: int, *, bias: bool) -> None:
        super().__init__(channels, channels, width, groups=channels, bias=bias)

    def run(self, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """x [B, L, E] and the ``width`` - 1 tokens before it [B, width - 1, E] -> [B, L, E] and the last ones of x."""
        reach = self.kernel_size[0] - 1
        if before is None:
            before = x.new_zeros(x.shape[0], reach, x.shape[2])
        x = torch.cat([before, x], dim=1)
        return self(x.mT).mT, x[:, x.shape[1] - reach :]
