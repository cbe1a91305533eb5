"""Distances in bins."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.distances import power_of_two


@given(st.integers(1, 2**40))
def test_the_exponent_of_the_power_of_two_below(distance: int) -> None:
    assert power_of_two(np.array([distance])) == distance.bit_length() - 1
