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
