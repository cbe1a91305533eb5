"""The error for positions that an encoding does not have."""

from collections.abc import Callable

import torch
from torch import Tensor


def check(positions: Tensor, limit: int, what: str) -> None:
    """Refuse a position that is not below ``limit``; ``what`` says what ends there and how to move it."""
    check_at_most(positions, limit - 1, lambda largest: f"position {largest} is beyond the {limit} {what}")


def check_at_most(numbers: Tensor, most: float, message: Callable[[str], str]) -> None:
    """Raise :class:`IndexError` if a number is above ``most``, with a message about the largest. On a GPU reading it
    would need a synchronization: there the check runs on the device, and the next synchronizing call raises its error.
    The validator refuses such runs before they start, where it can.
    """
    if numbers.device.type == "cpu" and numbers.numel() and (largest := numbers.max().item()) > most:
        raise IndexError(message(f"{largest:.0f}"))
    if numbers.device.type == "cuda":
        torch._assert_async((numbers <= most).all(), message("?"))
