"""How far a share of right answers may be from the true one."""

import math
from statistics import NormalDist


def wilson(right: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """Wilson's interval (1927) of the share ``right / total`` of independent examples, NaN of nothing."""
    if not total:
        return math.nan, math.nan
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, whole = right / total, 2 * (total + z**2)
    centre = (2 * right + z**2) / whole
    half = z / whole * math.sqrt(4 * right * (1 - share) + z**2)
    return 0.0 if right == 0 else centre - half, 1.0 if right == total else centre + half


def difference(right: int, total: int, right_before: int, total_before: int) -> tuple[float, float]:
    """The 95 % interval of ``right / total`` less ``right_before / total_before``, of examples that were drawn
    independently: Newcombe's (1998, method 10), made of Wilson's two. Where both have answered the same examples it is
    too wide rather than too narrow, unless they tend to be right on different ones.
    """
    one, other = right / total, right_before / total_before
    (low, high), (low_before, high_before) = wilson(right, total), wilson(right_before, total_before)
    down = math.hypot(one - low, high_before - other)
    up = math.hypot(high - one, other - low_before)
    return one - other - down, one - other + up
