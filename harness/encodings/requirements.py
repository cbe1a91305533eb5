"""Requirements of encodings on the sizes of a network, checked without PyTorch."""

import math

from harness.dimensions import Dimensions

LARGEST_LOGARITHM = 69.0
"""The logarithm of the largest base, about 1e30."""


def odd_channels(channels: int, of: str) -> str:
    """An objection to an odd number of channels, ``of`` a head or the model; empty if there is none."""
    if channels % 2 == 0:
        return ""
    return f"{channels} channels of {of} do not make pairs: the number must be even"


def is_nope_layer(dimensions: Dimensions, interval: int) -> bool:
    """Whether every ``interval``-th layer, or the last one of fewer layers, is this one."""
    return (dimensions.layer + 1) % max(2, min(interval, dimensions.n_layers)) == 0


def base_objection(base: float, tokens: int, slowest: float) -> str:
    """An objection to ``base=0``, for which :func:`harness.encodings.frequencies.base_for` finds a base."""
    if base:
        return ""
    if tokens < 7:
        return f"base=0: it must be set where training has {tokens} tokens, less than the shortest period"
    if slowest > 0 and math.log(tokens / math.tau) / slowest > LARGEST_LOGARITHM:
        return f"base=0: it must be set where so few pairs turn: one that fits {tokens} tokens would be above 1e30"
    return ""
