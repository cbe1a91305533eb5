"""The error for positions that a table does not have."""

from torch import Tensor


def check(positions: Tensor, limit: int, what: str) -> None:
    """Raise :class:`IndexError` if a position is not below ``limit``; ``what`` says what ends there and how to move it.

    Only on a CPU: elsewhere it would wait for the device, which has an error of its own. The validator refuses such
    runs before they start.
    """
    if positions.device.type == "cpu" and positions.numel() and (largest := int(positions.max())) >= limit:
        raise IndexError(f"position {largest} is beyond the {limit} {what}")
