"""How often intervals hold the truth and tests find what is not there: benchmarks/coverage.py with few simulations.

The bounds are what docs/statistics.md claims, less three standard errors of so few simulations.
"""

import importlib.util
import math
from types import ModuleType

import numpy as np
import pytest
from support import ROOT

from harness.results.statistics import bootstrap, comparison, profiles, ranks

SIMULATIONS = 150
ERROR = 3 * math.sqrt(0.95 * 0.05 / SIMULATIONS)
SHAPES = ("normal", "beta", "learned or not")
COUNTS = pytest.mark.parametrize("count", [3, 5, 10])


@pytest.fixture(scope="module")
def coverage() -> ModuleType:
    spec = importlib.util.spec_from_file_location("coverage_benchmark", ROOT / "benchmarks" / "coverage.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "RESAMPLES", 200)


@COUNTS
def test_t_intervals_hold_the_mean_of_normal_scores_and_not_of_others(coverage: ModuleType, count: int) -> None:
    found = [coverage.t_interval(shape, count, 20_000, np.random.default_rng(count)) for shape in SHAPES]
    assert found[0] == pytest.approx(0.95, abs=0.01)
    assert max(found[1:]) < 0.93, "the page says that it covers less"


@pytest.mark.slow
@COUNTS
@pytest.mark.parametrize("shape", SHAPES)
def test_interquartile_means_lie_in_their_intervals(coverage: ModuleType, shape: str, count: int) -> None:
    generator = np.random.default_rng(count)
    least = 0.9 if shape == "learned or not" else 0.93
    assert coverage.iqm_over_seeds(shape, 10, count, SIMULATIONS, generator) > least - ERROR
    assert coverage.iqm_over_tasks(shape, 10, count, SIMULATIONS, generator) > 0.93 - ERROR
    if shape == "normal":
        assert coverage.iqm_over_seeds(shape, 1, count, SIMULATIONS, generator) > 0.93 - ERROR


@pytest.mark.slow
@COUNTS
@pytest.mark.parametrize("shape", SHAPES)
def test_probabilities_of_improvement_lie_in_their_intervals(coverage: ModuleType, shape: str, count: int) -> None:
    for tasks in (5, 20):
        same, other = coverage.improvement(shape, tasks, count, SIMULATIONS, np.random.default_rng(count))
        assert same > 0.93 - ERROR
        assert other > 0.93 - ERROR


@COUNTS
@pytest.mark.parametrize("shape", SHAPES)
def test_profiles_lie_in_their_intervals(coverage: ModuleType, shape: str, count: int) -> None:
    assert coverage.profile(shape, 10, count, SIMULATIONS, np.random.default_rng(count)) > 0.95 - ERROR


@COUNTS
@pytest.mark.parametrize("shape", [*SHAPES, "unequal spread"])
@pytest.mark.parametrize("methods", [2, 6])
def test_equal_methods_keep_all_ranks(coverage: ModuleType, shape: str, count: int, methods: int) -> None:
    """Where a task is learned by chance, Welch's test alone tells some of six methods apart in a quarter of cases."""
    assert coverage.false_ranks(shape, count, SIMULATIONS, np.random.default_rng(count), methods) < 0.05 + ERROR


@pytest.mark.parametrize("tasks", [5, 10, 20])
@COUNTS
def test_tests_over_tasks_find_no_more_than_they_may(coverage: ModuleType, tasks: int, count: int) -> None:
    found = coverage.false_over_tasks("beta", tasks, count, 100, np.random.default_rng(count))
    given = [value for value in found if not math.isnan(value)]
    assert len(given) == (0 if tasks == 5 else 3)
    assert all(value < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 100) for value in given)


def test_where_one_method_is_always_better_the_interval_is_no_point() -> None:
    ones, zeros = np.ones((2, 3)), np.zeros((2, 3))
    found = comparison.probability_of_improvement(ones, zeros)
    assert found.over_seeds == pytest.approx((0.025 ** (1 / 6), 1))
    assert found.over_tasks == pytest.approx((0.025 ** (1 / 2), 1))
    assert comparison.probability_of_improvement(zeros, ones).over_seeds == pytest.approx((0, 1 - 0.025 ** (1 / 6)))
    made = profiles.performance_profile(ones, np.array([0.5]))
    assert made.low[0] < made.share[0] == made.high[0] == 1


def test_few_tasks_have_neither_an_interval_over_tasks_nor_a_p_value() -> None:
    scores = np.random.default_rng(0).random((5, 3))
    assert math.isnan(bootstrap.over_seeds_and_tasks(scores[:4], np.mean)[0])
    assert math.isnan(comparison.wilcoxon(scores[:, 0], scores[:, 1])), "five tasks at best give .0625"


def test_one_task_has_students_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    from scipy import stats

    from harness.results.statistics import aggregates

    own = np.array([0.2, 0.3, 0.7])
    monkeypatch.setattr(bootstrap, "RESAMPLES", 20_000)
    expected = stats.t.interval(0.95, 2, own.mean(), own.std(ddof=1) / math.sqrt(3))
    found = bootstrap.over_seeds(own[None], aggregates.interquartile_mean, corrected=True)
    assert found == pytest.approx(expected, abs=0.02)


def test_methods_learned_by_chance_are_not_told_apart_by_seeds_that_happen_to_agree() -> None:
    means, deviations = np.array([0.9, 0.1, 0.5, 0.5]), np.array([0.01, 0.01, 0.4, 0.4])
    best, worst = ranks.possible_ranks(means, deviations, np.full(4, 3))
    assert (best.tolist(), worst.tolist()) == ([1] * 4, [4] * 4)
    best, worst = ranks.possible_ranks(means[:2], deviations[:2], np.full(2, 3))
    assert (best.tolist(), worst.tolist()) == ([1, 2], [1, 2])
