"""The error for positions that an encoding does not have."""

from collections.abc import Callable

import torch
from torch import Tensor


def check(positions: Tensor, limit: int, what: str) -> None:
    """Refuse a position that is not below ``limit``; ``what`` says what ends there and how to move it."""
    check_at_most(positions, limit - 1, lambda largest: f"position {largest} is beyond the {limit} {what}")


def check_at_most(numbers: Tensor, most: float, message: Callable[[str], str]) -> None:
    """Raise :class:`IndexError` if a number is above ``most``, with a message about the largest. On a GPU looking would
    cost a wait: there the device is told to look for itself, and the next call that waits for it raises its error. The
    validator refuses such runs, as far as it can know, before they start.
    """
    if numbers.device.type == "cpu" and numbers.numel() and (largest := numbers.max().item()) > most:
        raise IndexError(message(f"{largest:.0f}"))
    if numbers.device.type == "cuda":
        torch._assert_async((numbers <= most).all(), message("?"))
