"""Means, intervals and tests over seeds and tasks: published numbers, simulated coverage and error rates."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from harness.results.statistics import aggregates, bootstrap, comparison, detectable, lengths, profiles, ranks, seeds
from harness.results.statistics.shares import wilson

SIMULATIONS = 20_000


@pytest.fixture(scope="module")
def published() -> dict[str, np.ndarray]:
    """Kazemnejad et al. (2023): ten configurations and three seeds of five encodings."""
    table = pd.read_csv(ROOT / "tests" / "golden" / "kazemnejad2023_overall.csv")
    groups = table.groupby(["encoding", "dataset", "configuration"]).exact_match.apply(list)
    return {name: bootstrap.padded(part.tolist()) for name, part in groups.groupby("encoding")}


def test_interquartile_means_of_published_results(published: dict[str, np.ndarray]) -> None:
    known = {"none": 0.559, "t5_relative_bias": 0.515, "alibi": 0.267, "rotary": 0.027, "abs_sinusoid": 0.016}
    for name, value in known.items():
        assert published[name].shape == (10, 3)
        assert aggregates.interquartile_mean(published[name]) == pytest.approx(value, abs=0.0006)
        assert seeds.interquartile_mean(published[name].ravel()) == pytest.approx(value, abs=0.0006)
    for name, ends in {"none": (0.552, 0.566), "t5_relative_bias": (0.487, 0.548)}.items():
        interval = bootstrap.over_seeds(published[name], aggregates.interquartile_mean)
        assert interval == pytest.approx(ends, abs=0.002), "drawn with other random numbers"
        assert interval == bootstrap.over_seeds(published[name], aggregates.interquartile_mean), "the same every time"


def test_ranks_and_tests_of_published_results(published: dict[str, np.ndarray]) -> None:
    means = np.stack([scores.mean(axis=1) for scores in published.values()], axis=1)
    mean_ranks = dict(zip(published, ranks.ranks(means).mean(axis=0), strict=True))
    assert (mean_ranks["t5_relative_bias"], mean_ranks["none"]) == pytest.approx((1.6, 1.8))
    assert ranks.friedman(means) == pytest.approx(4e-6, abs=0.5e-6)
    assert ranks.critical_difference(10, 5) == pytest.approx(1.93, abs=0.005)
    nope, t5 = published["none"], published["t5_relative_bias"]
    assert comparison.wilcoxon(nope.mean(axis=1), t5.mean(axis=1)) == pytest.approx(0.56, abs=0.005)
    for other, value in {"t5_relative_bias": 0.59, "alibi": 0.78, "rotary": 0.94}.items():
        found = comparison.probability_of_improvement(nope, published[other])
        assert found.probability == pytest.approx(value, abs=0.005)
        assert found.over_tasks[0] <= found.over_seeds[0] <= found.probability
        assert found.probability <= found.over_seeds[1] <= found.over_tasks[1]


def test_below_ten_tasks_there_is_no_critical_difference() -> None:
    scores = np.random.default_rng(0).random((9, 4))
    assert math.isnan(ranks.friedman(scores))
    assert math.isnan(ranks.critical_difference(9, 4))


def covered(low: np.ndarray, high: np.ndarray, truth: float) -> float:
    return float(((low <= truth) & (truth <= high)).mean())


@pytest.mark.parametrize("count", [3, 5, 10])
def test_t_intervals_cover_as_often_as_they_say_and_bootstraps_of_few_seeds_do_not(count: int) -> None:
    drawn = pd.DataFrame(np.random.default_rng(count).normal(0.5, 0.1, (SIMULATIONS, count)))
    number = pd.Series(count, drawn.index)
    low, high = seeds.t_intervals(drawn.mean(axis=1), drawn.std(axis=1), number, bounded=pd.Series(True, drawn.index))
    assert covered(low, high, 0.5) == pytest.approx(0.95, abs=0.01)
    if count == 3:
        few = drawn.to_numpy()[:300]
        ends = [bootstrap.over_seeds(row[None], aggregates.mean) for row in few]
        assert covered(*np.array(ends).T, 0.5) < 0.85


@pytest.mark.slow
@pytest.mark.parametrize("count", [3, 5, 10])
def test_corrected_bootstraps_over_seeds_cover_as_often_as_they_say(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve tasks of different difficulty and different spread."""
    monkeypatch.setattr(bootstrap, "RESAMPLES", 500)
    generator = np.random.default_rng(count)
    truth, spread = generator.uniform(0.1, 0.9, 12), generator.uniform(0.02, 0.1, 12)
    ends = [
        bootstrap.over_seeds(generator.normal(truth, spread, (count, 12)).T, aggregates.mean, corrected=True)
        for _ in range(1500)
    ]
    assert covered(*np.array(ends).T, truth.mean()) == pytest.approx(0.95, abs=0.025), "0.02 and the simulation's error"


def test_wilson_covers_as_often_as_it_says() -> None:
    """On average over shares: for a single share no interval of counts can be exact."""
    for total in (3, 5, 10):
        ends = np.array([wilson(right, total) for right in range(total + 1)])
        shares = np.random.default_rng(0).random(SIMULATIONS)
        right = np.random.default_rng(1).binomial(total, shares)
        inside = (ends[right, 0] <= shares) & (shares <= ends[right, 1])
        assert inside.mean() == pytest.approx(0.95, abs=0.02)
    assert wilson(0, 3)[0] == 0
    assert wilson(3, 3) == pytest.approx((0.4385, 1.0), abs=1e-4)
    assert all(math.isnan(end) for end in wilson(0, 0))


def simulated(means: list[float], count: int, trials: int) -> list[tuple[np.ndarray, np.ndarray]]:
    drawn = np.random.default_rng(count).normal(means, 0.1, (trials, count, len(means)))
    number = np.full(len(means), count)
    return [ranks.possible_ranks(own.mean(axis=0), own.std(axis=0, ddof=1), number) for own in drawn]


@pytest.mark.parametrize("count", [3, 5, 10])
def test_equal_methods_are_seldom_told_apart(count: int) -> None:
    """The chance that any pair of six equal methods differs is at most a twentieth, and half a percent of error."""
    found = simulated([0.5] * 6, count, 2000)
    assert np.mean([(best > 1).any() or (worst < 6).any() for best, worst in found]) < 0.06


def test_possible_ranks_hold_the_true_ranks_and_part_what_differs() -> None:
    found = simulated([0.9, 0.7, 0.68, 0.1], 5, 1000)
    inside = [(best <= [1, 2, 3, 4]).all() and (worst >= [1, 2, 3, 4]).all() for best, worst in found]
    assert np.mean(inside) > 0.94
    assert np.median([worst[0] for _, worst in found]) < 4
    best, worst = ranks.possible_ranks(np.array([0.9, 0.1]), np.array([np.nan, np.nan]), np.array([1, 1]))
    assert (best.tolist(), worst.tolist()) == ([1, 1], [2, 2]), "single seeds decide nothing"


@pytest.mark.slow
def test_tests_over_tasks_keep_their_level_where_methods_are_equal() -> None:
    generator = np.random.default_rng(0)
    friedman = [ranks.friedman(generator.random((12, 4))) < 0.05 for _ in range(1500)]
    assert np.mean(friedman) == pytest.approx(0.05, abs=0.02)
    wilcoxon = [comparison.wilcoxon(*generator.random((2, 12))) < 0.05 for _ in range(1500)]
    assert np.mean(wilcoxon) == pytest.approx(0.05, abs=0.02)


def test_welch_is_that_of_scipy() -> None:
    from scipy import stats

    generator = np.random.default_rng(0)
    one, other = generator.normal(0, 1, 4), generator.normal(1, 3, 6)
    facts = [(np.array([part.mean()]), np.array([part.std(ddof=1)]), np.array([len(part)])) for part in (one, other)]
    (p_value,) = comparison.welch(*zip(*facts, strict=True))
    assert p_value == pytest.approx(stats.ttest_ind(one, other, equal_var=False).pvalue)


def test_holm_multiplies_by_how_many_tests_are_left() -> None:
    corrected = comparison.holm(np.array([0.04, 0.01, np.nan, 0.03]))
    assert corrected[[0, 1, 3]] == pytest.approx([0.06, 0.03, 0.06])
    assert math.isnan(corrected[2])


def test_a_detectable_difference_is_found_four_times_in_five() -> None:
    from scipy import stats

    difference = detectable.detectable_difference(0.1, 3, 3)
    generator = np.random.default_rng(0)
    one, other = generator.normal(0, 0.1, (2, SIMULATIONS, 3))
    found = stats.ttest_ind(one + difference, other, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.01)
    assert detectable.detectable_difference(0.1, 17, 17) == pytest.approx(0.1, rel=0.02), "Cohen's table: d = 1, n = 17"
    assert math.isnan(detectable.detectable_difference(0.1, 1, 1))


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=6), min_size=1, max_size=6))
def test_every_task_weighs_the_same(scores: list[list[float]]) -> None:
    """Seeds written down twice change nothing, unless more whole runs fit into a quarter."""
    table = bootstrap.padded(scores)
    assert aggregates.mean(table) == pytest.approx(np.mean([np.mean(part) for part in scores]))
    assert min(map(min, scores)) - 1e-9 <= aggregates.interquartile_mean(table) <= max(map(max, scores)) + 1e-9
    assert aggregates.optimality_gap(table) == pytest.approx(1 - aggregates.mean(table))
    repeated = aggregates.mean(bootstrap.padded([part * (1 + place % 2) for place, part in enumerate(scores)]))
    assert repeated == pytest.approx(aggregates.mean(table))


def test_a_missing_seed_is_neither_a_zero_nor_a_loss() -> None:
    full, ragged = bootstrap.padded([[0.5, 0.5, 0.5]] * 2), bootstrap.padded([[0.5, 0.5, 0.5], [0.5, 0.5]])
    assert aggregates.interquartile_mean(ragged) == 0.5
    assert bootstrap.over_seeds(ragged, aggregates.mean) == (0.5, 0.5)
    assert comparison.probability_of_improvement(full, ragged).probability == 0.5
    assert comparison.probability_of_improvement(full, ragged).over_seeds == (0.5, 0.5)
    assert profiles.performance_profile(ragged, np.array([0.4, 0.5])).share.tolist() == [1.0, 0.0]


def test_one_task_of_a_single_seed_leaves_no_interval_for_other_seeds() -> None:
    """Nothing says how far that task's score would move. To count it as if it could not makes the interval narrow."""
    scores, others = bootstrap.padded([[0.9, 0.1, 0.5], [0.8]]), bootstrap.padded([[0.2, 0.6, 0.4], [0.3, 0.9]])
    for corrected in (False, True):
        interval = bootstrap.over_seeds(scores, aggregates.interquartile_mean, corrected=corrected)
        assert np.isnan(interval).all()
    for found in (comparison.probability_of_improvement(*pair) for pair in ((scores, others), (others, scores))):
        assert 0 < found.probability < 1
        assert np.isnan(found.over_seeds).all()
        assert not np.isnan(found.over_tasks).any()


def test_a_profile_falls_from_all_runs_to_none(published: dict[str, np.ndarray]) -> None:
    found = profiles.performance_profile(published["t5_relative_bias"], np.linspace(0, 1, 21))
    assert all(later <= earlier + 1e-12 for earlier, later in pairwise(found.share))
    assert (found.low <= found.share + 1e-12).all()
    assert (found.share <= found.high + 1e-12).all()
    assert found.share[10] == pytest.approx((published["t5_relative_bias"] > 0.5).mean())


def test_area_weighs_doublings_of_the_length_alike_however_densely_they_are_tested() -> None:
    def area(*points: tuple[int, float]) -> float:
        tested, scores = np.array(points).T
        return float(lengths.area(np.zeros(len(points), int), tested, scores, 1)[0])

    assert area((20, 1.0), (40, 1.0), (80, 0.0)) == pytest.approx(0.75)
    assert area((80, 0.0), *[(n, 1.0) for n in range(20, 41)]) == pytest.approx(0.75)
    assert area((40, 0.3)) == 0.3
    assert np.isnan(lengths.area(np.array([1]), np.array([4]), np.array([1.0]), 3)[[0, 2]]).all()


def test_reach_of_many_curves_ends_at_the_first_failure_of_each() -> None:
    group = np.array([0, 0, 0, 2, 2])
    found = lengths.reach(group, np.array([40, 10, 20, 10, 20]), np.array([1.0, 1.0, 0.4, 0.5, 0.5]), 0.5, 3)
    assert found[[0, 2]].tolist() == [10, 20]
    assert math.isnan(found[1])
