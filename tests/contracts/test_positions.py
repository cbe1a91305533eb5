"""Every position rule of conf/positions keeps what a rule promises."""

import hashlib
import importlib
from collections.abc import Callable

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT, choices

from harness.checks.batteries.positions import Subject, as_declared, channels_decide
from harness.config.schema import Run
from harness.positions.abacus import Abacus
from harness.positions.base import PositionRule, Sequences
from harness.positions.cape import CAPE
from harness.positions.coupled import Coupled
from harness.positions.coupled_levels import CoupledLevels
from harness.positions.grid import Grid
from harness.positions.random_offset import RandomOffset
from harness.positions.randomized import Randomized
from harness.positions.randomized_floats import RandomizedFloats
from tasks.base import ABSENT


def make(name: str) -> PositionRule:
    options = yaml.safe_load((ROOT / "conf" / "positions" / f"{name}.yaml").read_text())
    module, _, rule = options.pop("_target_").rpartition(".")
    return getattr(importlib.import_module(module), rule)(**options)


RULES = {name: make(name) for name in choices("positions")} | {"cape centred": CAPE(centred=True)}


@settings(max_examples=120, deadline=None)
@given(
    name=st.sampled_from(sorted(RULES)),
    lengths=st.lists(st.integers(1, 80), min_size=1, max_size=12),
    extra=st.integers(0, 9),
    training=st.booleans(),
    seed=st.integers(0, 2**32),
)
def test_positions_are_what_a_rule_declares_stay_in_range_and_are_reproducible(
    name: str, lengths: list[int], extra: int, training: bool, seed: int
) -> None:
    as_declared(RULES[name], lengths, extra, seed, training=training)


@pytest.mark.parametrize("name", sorted(name for name, rule in RULES.items() if rule.needs))
def test_channels_decide_the_order_of_positions(name: str) -> None:
    channels_decide(Subject(RULES[name]))


@pytest.mark.parametrize("name", sorted(name for name, rule in RULES.items() if rule.needs))
def test_training_meets_more_positions_than_evaluation(name: str) -> None:
    rule = RULES[name] if name != "grid" else Grid(maximum=40)
    channels = dict.fromkeys(rule.needs, np.tile(np.arange(1, 6), (2000, 1)))
    told = {
        training: rule.sample(
            np.random.default_rng(0), Sequences(np.full(2000, 5), 5, training=training, channels=channels)
        ).max()
        for training in (True, False)
    }
    assert told[True] == rule.largest(5, training=True, maxima=dict.fromkeys(rule.needs, 5))
    assert told[False] == rule.largest(5, training=False, maxima=dict.fromkeys(rule.needs, 5)) < told[True]


@pytest.mark.parametrize(("rule", "needed"), [(Coupled(maximum=10), 22), (Grid(maximum=10), 22)])
def test_too_large_numbers_of_a_channel_are_refused(rule: PositionRule, needed: int) -> None:
    maxima = dict.fromkeys(rule.needs, 20)
    with pytest.raises(ValueError, match=f"must be at least {needed}"):
        rule.largest(50, training=True, maxima=maxima)
    assert type(rule)(maximum=needed).largest(50, training=True, maxima=maxima) == needed - 1  # type: ignore[call-arg]


def test_levels_start_apart_and_anywhere_below_their_maxima() -> None:
    """Training moves all of a level by one number: places up to 3 below 9 and segments up to 2 below 6 leave 5 x 3
    pairs of starts, all equally likely.
    """
    rule, rows = CoupledLevels(maximum_place=9, maximum_segment=6), 15_000
    place, segment = np.array([ABSENT, 3, 0, 1, 2]), np.array([ABSENT, 1, 2, ABSENT, 1])
    channels = {"place": np.tile(place, (rows, 1)), "segment": np.tile(segment, (rows, 1))}

    def told(*, training: bool) -> np.ndarray:
        rng = np.random.default_rng(0)
        return rule.sample(rng, Sequences(np.full(rows, 5), 5, training=training, channels=channels))

    evaluated = told(training=False)
    assert evaluated[0].tolist() == [[0, 0], [4, 2], [1, 3], [2, 0], [3, 2]]
    moved = told(training=True) - evaluated
    for level, numbers in enumerate((place, segment)):
        assert (moved[:, numbers == ABSENT, level] == 0).all()
        assert (np.ptp(moved[:, numbers != ABSENT, level], axis=1) == 0).all()
    starts, counts = np.unique(moved[:, 1] + 1, axis=0, return_counts=True)
    assert starts.tolist() == [[s, t] for s in range(1, 6) for t in range(1, 4)]
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_each_level_has_a_maximum_of_its_own() -> None:
    maxima = {"place": 20, "segment": 5}
    rule = CoupledLevels(maximum_place=22, maximum_segment=30)
    assert rule.largest_each(50, training=True, maxima=maxima) == (21, 29)
    assert rule.largest_each(50, training=False, maxima=maxima) == (21, 6)
    assert rule.largest(50, training=False, maxima=maxima) == 21
    kept = CoupledLevels(maximum_place=0, maximum_segment=7)
    assert kept.largest_each(50, training=True, maxima=maxima) == (21, 6)
    for wrong, level, needed in [({"maximum_place": 21}, "place", 22), ({"maximum_segment": 6}, "segment", 7)]:
        with pytest.raises(ValueError, match=f"maximum_{level}=.*have {level}s up to .* at least {needed}$"):
            CoupledLevels(**wrong).largest(50, training=True, maxima=maxima)


def test_a_level_without_a_maximum_starts_at_one() -> None:
    channels = dict.fromkeys(("place", "segment"), np.tile(np.arange(3), (500, 1)))
    rule = CoupledLevels(maximum_place=0, maximum_segment=9)
    drawn = rule.sample(np.random.default_rng(0), Sequences(np.full(500, 3), 3, training=True, channels=channels))
    assert set(drawn[:, 0, 0]) == {1}
    assert set(drawn[:, 0, 1]) == set(range(1, 7))


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        (Abacus, {"offset": -1}),
        (CAPE, {"global_shift": -1.0}),
        (CAPE, {"local_shift": -0.1}),
        (CAPE, {"global_scale": 0.9}),
        (RandomizedFloats, {"maximum": 0}),
    ],
)
def test_options_that_make_no_sense(rule: type[PositionRule], options: dict) -> None:
    (key, value), *_ = options.items()
    with pytest.raises(ValueError, match=f"^{key}={value}: it must be"):
        rule(**options)


@pytest.mark.parametrize("name", ["randomized", "random_offset", "pose"])
def test_too_many_tokens_are_refused_with_the_number_that_would_do(name: str) -> None:
    with pytest.raises(ValueError, match="must be at least 5000"):
        RULES[name].largest(5000, training=True)


def test_randomized_positions_are_a_uniform_choice() -> None:
    """Each of the C(6, 3) = 20 sets of three positions below six is equally likely, also beside longer sequences."""
    rule = Randomized(maximum=6)
    lengths = np.array([3, 5] * 10_000)
    drawn = rule.sample(np.random.default_rng(0), Sequences(lengths, 5, training=True))[::2, :3]
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(counts) == 20
    assert np.abs(counts - 500).max() < 5 * np.sqrt(500)


def test_randomized_positions_can_be_sequential_in_evaluation() -> None:
    rule = Randomized(maximum=10, evaluation="sequential")
    assert rule.sample(np.random.default_rng(0), Sequences(np.array([50]), 50, training=False)).tolist() == [
        list(range(50))
    ]
    assert rule.largest(50, training=False) == 49


def test_random_offsets_start_anywhere() -> None:
    rule = RandomOffset(maximum=12)
    starts = rule.sample(np.random.default_rng(0), Sequences(np.array([3] * 10_000), 3, training=True))[:, 0]
    values, counts = np.unique(starts, return_counts=True)
    assert values.tolist() == list(range(10))
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)


def test_a_batch_can_share_one_draw() -> None:
    """Sequences of one length share it, those of a shorter one a part of it, still a uniform choice."""
    rule = Randomized(maximum=6, scope="batch")
    counts: dict[tuple[int, ...], int] = {}
    for seed in range(4000):
        drawn = rule.sample(np.random.default_rng(seed), Sequences(np.array([3, 5, 3, 5]), 5, training=True))
        assert np.array_equal(drawn[0, :3], drawn[2, :3])
        assert np.array_equal(drawn[1], drawn[3])
        assert set(drawn[0, :3]) < set(drawn[1])
        short = tuple(drawn[0, :3].tolist())
        counts[short] = counts.get(short, 0) + 1
    assert len(counts) == 20
    assert max(abs(count - 200) for count in counts.values()) < 5 * np.sqrt(200)


def test_random_fractions_are_uniform_order_statistics() -> None:
    """The i-th of n uniform numbers is i / (n + 1) of the range on average, also beside longer sequences."""
    lengths = np.array([3, 5] * 10_000)
    drawn = RandomizedFloats(maximum=100).sample(np.random.default_rng(0), Sequences(lengths, 6, training=False))
    assert np.abs(drawn[::2, :3].mean(axis=0) - 100 * np.arange(1, 4) / 4).max() < 1
    assert np.abs(drawn[1::2, :5].mean(axis=0) - 100 * np.arange(1, 6) / 6).max() < 1


def test_cape_draws_in_its_ranges() -> None:
    rule = CAPE(global_shift=2.0, local_shift=0.25, global_scale=1.5)
    drawn = rule.sample(np.random.default_rng(0), Sequences(np.full(4000, 9), 9, training=True)).astype(float)
    farthest = 10.25 * 1.5
    assert 0.95 * farthest < drawn.max() <= farthest
    assert drawn.min() == pytest.approx(-2.25 * 1.5, rel=0.05)
    slopes = (drawn[:, 8] - drawn[:, 0]) / 8
    assert 1 / 1.6 < slopes.min() < 0.7
    assert 1.45 < slopes.max() < 1.6


def test_pose_skips_once_and_in_the_first_half() -> None:
    rule = RULES["pose"]
    drawn = rule.sample(np.random.default_rng(0), Sequences(np.full(4000, 9), 9, training=True))
    steps = np.diff(drawn, axis=1)
    assert ((steps > 1).sum(axis=1) <= 1).all()
    assert set(np.unique((steps > 1).argmax(axis=1)[steps.max(axis=1) > 1] + 1)) == {1, 2, 3, 4, 5}
    assert drawn[:, 0].max() == 0
    assert drawn[:, -1].min() == 8
    assert drawn[:, -1].max() == 511


def test_even_floats_are_the_middles_of_equal_parts() -> None:
    """``(2i - 1) / (2 max(n_train, n))`` of the range for token i from 1 (Shimizu et al., 2026)."""
    rule = RandomizedFloats(maximum=100, evaluation="even", least=4)
    told = rule.sample(np.random.default_rng(0), Sequences(np.array([2, 4, 5]), 6, training=False))
    for row, tokens in zip(told, (2, 4, 5), strict=True):
        expected = [100 * (2 * i - 1) / (2 * max(4, tokens)) for i in range(1, tokens + 1)]
        assert np.allclose(row[:tokens], expected)
    assert told.dtype == np.float32
    assert told.max() <= rule.largest(6, training=False)
    drawn = rule.sample(np.random.default_rng(0), Sequences(np.array([5]), 5, training=True))
    assert not np.allclose(drawn, told[2, :5]), "training draws"
    with pytest.raises(ValueError, match="least=0: it must be at least 1"):
        RandomizedFloats(least=0)


DRAWN = {
    "abacus": "389f32ebfc1e1c8a",
    "cape": "1f3d2322a18ec422",
    "coupled": "4f2419992ba5ce64",
    "coupled_levels": "8b8ee067f1bba99e",
    "grid": "14c12832e0bf4438",
    "pose": "d15623389c06c89d",
    "random_offset": "57e8fbbb644c0312",
    "randomized": "703729000d6c2117",
    "randomized_floats": "f027614a5460eb2f",
    "sequential": "a86d2edb2c0c4e93",
}
"""A digest of what each rule gives in training and in evaluation to the same sequences."""


@pytest.mark.parametrize("name", DRAWN)
def test_positions_are_those_of_published_runs(name: str) -> None:
    rule, digest = RULES[name], hashlib.sha256()
    some = np.random.default_rng(1).integers(ABSENT, 30, (4, 20))
    channels = {channel: np.roll(some, shift, axis=1) for shift, channel in enumerate(rule.needs)}
    for training in (True, False):
        sequences = Sequences(np.array([5, 20, 9, 1]), 20, training=training, channels=channels)
        positions = rule.sample(np.random.default_rng(7), sequences)
        digest.update(str((positions.dtype, positions.shape)).encode() + np.ascontiguousarray(positions).tobytes())
    assert digest.hexdigest()[:16] == DRAWN[name]


@pytest.mark.parametrize(
    "words",
    [
        ("encoding=nope", "positions=randomized", "logit=scale_invariant"),
        ("encoding=fox", "positions=randomized", "extension=[extrapolate,window]"),
        ("encoding=rope", "positions=random_offset", "extension=truncate"),
        ("encoding=rope", "positions=randomized", "positions.evaluation=sequential", "extension=truncate"),
    ],
)
def test_a_rule_is_possible_where_something_looks_at_its_positions(
    words: tuple[str, ...], composed: Callable[..., Run]
) -> None:
    assert composed(*words).positions.name == words[1].removeprefix("positions=")
