"""The receptive field of convolutions, computed without PyTorch."""

FARTHEST = 2**20
"""Tokens on which an output may depend: padding, and so memory, grows with them."""


def receptive_field(kernel: int, dilation: int, layers: int) -> int:
    """Tokens on which an output of ``layers`` convolutions depends, dilated by 1, ``dilation``, ``dilation`` ** 2..."""
    return 1 + (kernel - 1) * sum(dilation**i for i in range(layers))


def dilation_objection(kernel: int, dilation: int, layers: int) -> str:
    """An objection to convolutions that do not see every token of their receptive field, or too many; empty if there is
    none.
    """
    if dilation > kernel:
        return f"dilation={dilation}: it must be at most kernel={kernel}, or tokens are passed over"
    if receptive_field(kernel, dilation, layers) > FARTHEST:
        return f"dilation={dilation}: {layers} layers would see more than {FARTHEST} tokens each"
    return ""
