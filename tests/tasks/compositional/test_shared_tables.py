"""Tables of probabilities are made once for all lengths: one for each of 500 lengths would be gigabytes."""

import numpy as np
import pytest

from tasks.base import Task
from tasks.compositional.listops import ListOps
from tasks.compositional.pcfg_set import PCFGSet


@pytest.mark.parametrize("kind", [ListOps, PCFGSet])
def test_a_sample_does_not_depend_on_the_lengths_asked_for_before(kind: type[Task]) -> None:
    fresh, used = kind(), kind()
    used.sample(np.random.default_rng(0), 90, 1)
    for length in (4, 17, 60):
        one, other = (task.sample(np.random.default_rng(length), length, 50) for task in (fresh, used))
        assert np.array_equal(one.prompt, other.prompt)
        assert np.array_equal(one.answer, other.answer)
