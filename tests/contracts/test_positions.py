"""Every position rule of conf/positions keeps what a rule promises."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import choices

from harness import build
from harness.composition import composer
from harness.positions.base import PositionRule
from harness.positions.random_offset import RandomOffset
from harness.positions.randomized import Randomized


def make(name: str) -> PositionRule:
    with composer() as hydra:
        return build.rule(hydra.run([f"positions={name}"]))


RULES = {name: make(name) for name in choices("positions")}


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(sorted(RULES)),
    lengths=st.lists(st.integers(1, 80), min_size=1, max_size=12),
    extra=st.integers(0, 9),
    training=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_positions_rise_stay_in_range_and_are_reproducible(
    name: str, lengths: list[int], extra: int, training: bool, seed: int
) -> None:
    rule, width = RULES[name], max(lengths) + extra

    def draw() -> np.ndarray:
        return rule.sample(np.random.default_rng(seed), np.array(lengths), width, training=training)

    positions = draw()
    assert np.array_equal(positions, draw())
    assert positions.shape[1] == width
    assert len(positions) in (1, len(lengths))
    assert positions.dtype == np.int64
    assert positions.min() >= 0
    assert positions.max() <= max(rule.largest(width, training=training), rule.largest(max(lengths), training=training))
    for row, length in enumerate(lengths):
        own = positions[row if len(positions) > 1 else 0, :length]
        assert (np.diff(own) == 1).all() if rule.consecutive else (np.diff(own) > 0).all()


@pytest.mark.parametrize("name", ["randomized", "random_offset"])
def test_too_many_tokens_are_refused_with_the_number_that_would_do(name: str) -> None:
    with pytest.raises(ValueError, match="must be at least 5000"):
        RULES[name].largest(5000, training=True)


def test_randomized_positions_are_a_uniform_choice() -> None:
    """Each of the C(6, 3) = 20 sets of three positions below six is equally likely, also beside longer sequences."""
    rule = Randomized(maximum=6)
    lengths = np.array([3, 5] * 10_000)
    drawn = rule.sample(np.random.default_rng(0), lengths, 5, training=True)[::2, :3]
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 20
    assert np.abs(counts - 500).max() < 5 * np.sqrt(500)


def test_randomized_positions_can_be_sequential_in_evaluation() -> None:
    rule = Randomized(maximum=10, evaluation="sequential")
    assert rule.sample(np.random.default_rng(0), np.array([50]), 50, training=False).tolist() == [list(range(50))]
    assert rule.largest(50, training=False) == 49


def test_random_offsets_start_anywhere() -> None:
    rule = RandomOffset(maximum=12)
    starts = rule.sample(np.random.default_rng(0), np.array([3] * 10_000), 3, training=True)[:, 0]
    values, counts = np.unique(starts, return_counts=True)
    assert values.tolist() == list(range(10))
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)
