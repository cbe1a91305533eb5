"""The table that :mod:`harness.extensions.hierarchical` puts in the place of a learned one."""

from torch import Tensor, nn


class TwoDigits(nn.Module):
    """Rows 0 to n ** 2 - 1 from n rows, computed as they are asked for: n ** 2 of them can take gigabytes."""

    def __init__(self, rows: Tensor, alpha: float) -> None:
        super().__init__()
        self.alpha = alpha
        self.register_buffer("digits", (rows - alpha * rows[0]) / (1 - alpha), persistent=False)

    digits: Tensor

    def forward(self, positions: Tensor) -> Tensor:
        """[...] -> [..., D]."""
        count = len(self.digits)
        return self.alpha * self.digits[positions // count] + (1 - self.alpha) * self.digits[positions % count]
