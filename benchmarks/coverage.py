"""How often the intervals that tables and comparisons print hold the truth, and how often their tests find a difference
between methods that are equal, by simulation.

    python benchmarks/coverage.py --simulations 1000

Prints the tables of docs/statistics.md, in percent. Scores are drawn in four ways that scores over seeds have: about
normally; near 0 or 1 with a tail towards the middle (a beta distribution); by chance learned, about .9, or not, about
.1; and, for tests, without any spread in part of the methods. ``--resamples`` is the number of bootstrap resamples of
each interval.
"""

import argparse
import sys
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from harness.results.statistics import aggregates, bootstrap, comparison, detectable, profiles, ranks, seeds, shares

SHAPES = ("normal", "beta", "learned or not")
SEEDS = (3, 5, 10)
TASKS = (5, 10, 20)
LEVELS = np.array([0.05, 0.2, 0.5, 0.8, 0.95])
"""Thresholds of performance profiles."""
METHODS = 5
TWICE = 200_000
"""Draws that stand for a whole distribution."""

Interval = tuple[np.ndarray, np.ndarray]


def means(shape: str, size: tuple[int, ...] | int, generator: np.random.Generator) -> np.ndarray:
    """How difficult tasks are: the means of scores, or the probability that a seed learns the task."""
    if shape == "beta":
        near = generator.uniform(0.02, 0.1, size)
        return np.where(generator.random(size) < 0.5, near, 1 - near)
    return generator.uniform(0.1, 0.9, size)


def scores(shape: str, centre: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Scores of ``count`` seeds for each of the means ``[..., count]``."""
    middle = np.repeat(centre[..., None], count, axis=-1)
    if shape == "normal":
        return generator.normal(middle, 0.05)
    if shape == "beta":
        return generator.beta(10 * middle, 10 * (1 - middle))
    return generator.normal(np.where(generator.random(middle.shape) < middle, 0.9, 0.1), 0.03)


def expected(shape: str, centre: np.ndarray) -> np.ndarray:
    """The mean of the scores."""
    return 0.1 + 0.8 * centre if shape == "learned or not" else centre


def share(ends: Interval, truth: np.ndarray | float) -> float:
    """How often the interval holds the truth."""
    low, high = ends
    return float(((low <= truth) & (truth <= high)).mean())


def each(interval: Callable[..., tuple[float, float]], *tables: np.ndarray) -> Interval:
    """The interval of each simulation."""
    low, high = np.array([interval(*parts) for parts in zip(*tables, strict=True)]).T
    return low, high


def t_interval(shape: str, count: int, simulations: int, generator: np.random.Generator) -> float:
    """Of the mean over seeds of one task."""
    centre = means(shape, simulations, generator)
    drawn = pd.DataFrame(scores(shape, centre, count, generator))
    bounded = pd.Series(False, drawn.index)
    low, high = seeds.t_intervals(drawn.mean(axis=1), drawn.std(axis=1), pd.Series(count, drawn.index), bounded=bounded)
    return share((low.to_numpy(), high.to_numpy()), expected(shape, centre))


def wilson(total: int, generator: np.random.Generator, simulations: int, truth: float | None = None) -> float:
    """Of a share, on average over all shares or at one."""
    ends = np.array([shares.wilson(right, total) for right in range(total + 1)])
    rate = generator.random(simulations) if truth is None else np.full(simulations, truth)
    right = generator.binomial(total, rate)
    return share((ends[right, 0], ends[right, 1]), rate)


def lowest_wilson(total: int) -> float:
    """Of a share between .01 and .99, where it holds the truth least often. Exact."""
    from scipy.stats import binom

    ends = np.array([shares.wilson(right, total) for right in range(total + 1)])
    rates = np.linspace(0.01, 0.99, 393)[:, None]
    inside = (ends[:, 0] <= rates) & (rates <= ends[:, 1])
    return float((binom.pmf(np.arange(total + 1), total, rates) * inside).sum(axis=1).min())


def iqm_over_seeds(shape: str, tasks: int, count: int, simulations: int, generator: np.random.Generator) -> float:
    """Of the interquartile mean for other seeds on the same tasks."""
    centre = means(shape, tasks, generator)
    truth = float(aggregates.interquartile_mean(scores(shape, centre, TWICE // tasks, generator)))
    drawn = scores(shape, np.broadcast_to(centre, (simulations, tasks)), count, generator)
    ends = each(lambda own: bootstrap.over_seeds(own, aggregates.interquartile_mean, corrected=True), drawn)
    return share(ends, truth)


def iqm_over_tasks(shape: str, tasks: int, count: int, simulations: int, generator: np.random.Generator) -> float:
    """Of the interquartile mean for other tasks too."""
    every = scores(shape, means(shape, TWICE, generator), 1, generator)
    drawn = scores(shape, means(shape, (simulations, tasks), generator), count, generator)
    ends = each(lambda own: bootstrap.over_seeds_and_tasks(own, aggregates.interquartile_mean), drawn)
    return share(ends, float(aggregates.interquartile_mean(every)))


def improvement(
    shape: str, tasks: int, count: int, simulations: int, generator: np.random.Generator
) -> tuple[float, float]:
    """Of the probability of improvement, for other seeds on the same tasks, and for other tasks too."""
    one, other = _pair(shape, tasks, generator)
    drawn = [scores(shape, np.broadcast_to(part, (simulations, tasks)), count, generator) for part in (one, other)]
    wide = [scores(shape, part, TWICE // tasks, generator) for part in (one, other)]
    truth = np.mean([np.searchsorted(np.sort(b), a).mean() / len(b) for a, b in zip(*wide, strict=True)])
    same = share(each(lambda a, b: comparison.probability_of_improvement(a, b).over_seeds, *drawn), float(truth))
    every = [scores(shape, part, 1, generator) for part in _pair(shape, TWICE, generator)]
    drawn = [scores(shape, part, count, generator) for part in _pair(shape, (simulations, tasks), generator)]
    ends = each(lambda a, b: comparison.probability_of_improvement(a, b).over_tasks, *drawn)
    return same, share(ends, float((every[0] > every[1]).mean()))


def _pair(shape: str, size: tuple[int, ...] | int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Tasks of two methods, of which the first is mostly better."""
    one = means(shape, size, generator)
    return one, np.clip(one - generator.normal(0.03, 0.05, one.shape), 0.02, 0.98)


def profile(shape: str, tasks: int, count: int, simulations: int, generator: np.random.Generator) -> float:
    """Of a performance profile at a threshold, on average over :data:`LEVELS`."""
    centre = means(shape, tasks, generator)
    truth = (scores(shape, centre, TWICE // tasks, generator)[..., None] > LEVELS).mean(axis=(0, 1))
    drawn = scores(shape, np.broadcast_to(centre, (simulations, tasks)), count, generator)
    made = [profiles.performance_profile(own, LEVELS) for own in drawn]
    low, high = (np.array([getattr(own, end) for own in made]) for end in ("low", "high"))
    return share((low, high), truth)


def power(shape: str, count: int, simulations: int, generator: np.random.Generator) -> float:
    """How often two methods that lie as far apart as is said to be detectable are told apart by Welch's test."""
    centre = np.full((2, simulations), {"normal": 0.4, "beta": 0.1, "learned or not": 0.5}[shape])
    wide = scores(shape, centre[0, :1], TWICE, generator)
    gap = detectable.detectable_difference(float(wide.std()), count, count)
    drawn = scores(shape, centre, count, generator) + np.array([0.0, gap])[:, None, None]
    moments = [(part.mean(axis=1), part.std(axis=1, ddof=1), np.full(simulations, count)) for part in drawn]
    p_values = comparison.welch(*((a, b) for a, b in zip(*moments, strict=True)))
    return float((p_values < 0.05).mean())


def false_ranks(shape: str, count: int, simulations: int, generator: np.random.Generator, methods: int) -> float:
    """How often the possible ranks on a task tell any two of equal methods apart. Of ``unequal spread`` half of the
    methods spread a tenth as much over their seeds as the others.
    """
    drawn = _null(shape, (simulations, methods), count, generator)
    number = np.full(methods, count)
    found = [ranks.possible_ranks(own.mean(axis=1), own.std(axis=1, ddof=1), number) for own in drawn]
    return float(np.mean([(best > 1).any() or (worst < methods).any() for best, worst in found]))


def _null(shape: str, size: tuple[int, int], count: int, generator: np.random.Generator) -> np.ndarray:
    """Scores of equal methods."""
    if shape == "unequal spread":
        spread = np.where(np.arange(size[1]) % 2, 0.05, 0.005)
        return generator.normal(0.5, spread[None, :, None], (*size, count))
    return scores(shape, np.repeat(means(shape, size[0], generator)[:, None], size[1], axis=1), count, generator)


def false_over_tasks(
    shape: str, tasks: int, count: int, simulations: int, generator: np.random.Generator
) -> tuple[float, float, float]:
    """How often tests over tasks find a difference between equal methods: any by Wilcoxon's with Holm's correction,
    Friedman's, any by Nemenyi's. NaN where the test is not given.
    """
    centre = means(shape, (simulations, tasks), generator)
    drawn = scores(shape, np.repeat(centre[:, :, None], METHODS, axis=2), count, generator).mean(axis=-1)
    pairs = np.array([[comparison.wilcoxon(own[:, 0], own[:, k]) for k in range(1, METHODS)] for own in drawn])
    wilcoxon = np.array([np.nanmin(comparison.holm(row), initial=np.inf) for row in pairs])
    friedman = np.array([ranks.friedman(own) for own in drawn])
    far = np.array([np.ptp(ranks.ranks(own).mean(axis=0)) for own in drawn])
    critical = ranks.critical_difference(tasks, METHODS)
    return (
        float((wilcoxon < 0.05).mean()) if tasks >= comparison.ENOUGH_TASKS else np.nan,
        float((friedman < 0.05).mean()) if tasks >= ranks.ENOUGH_TASKS else np.nan,
        float((far > critical).mean()) if tasks >= ranks.ENOUGH_TASKS else np.nan,
    )


def rows_of_intervals(simulations: int) -> Iterator[tuple[str, str, list[float]]]:
    """The interval, the scores, and its coverage at each number of seeds."""
    for shape in SHAPES:
        yield "t, mean over seeds", shape, [t_interval(shape, n, 20 * simulations, _generator()) for n in SEEDS]
    yield (
        "Wilson, k of n, mean over shares",
        "",
        [wilson(n, _generator(), 20 * simulations) for n in SEEDS],
    )
    yield "Wilson, k of n, the worst share", "", [lowest_wilson(n) for n in SEEDS]
    for name, simulated in {"IQM, other seeds": iqm_over_seeds, "IQM, other tasks": iqm_over_tasks}.items():
        for tasks in (1, *TASKS) if simulated is iqm_over_seeds else TASKS:
            for shape in SHAPES:
                found = [simulated(shape, tasks, n, simulations, _generator()) for n in SEEDS]
                yield f"{name}, {tasks} task{'s' * (tasks > 1)}", shape, found
    for tasks in TASKS:
        for shape in SHAPES:
            both = [improvement(shape, tasks, n, simulations, _generator()) for n in SEEDS]
            yield f"improvement, other seeds, {tasks} tasks", shape, [same for same, _ in both]
            yield f"improvement, other tasks, {tasks} tasks", shape, [other for _, other in both]
    for tasks in TASKS:
        for shape in SHAPES:
            yield f"profile, {tasks} tasks", shape, [profile(shape, tasks, n, simulations, _generator()) for n in SEEDS]


def rows_of_tests(simulations: int) -> Iterator[tuple[str, str, list[float]]]:
    """The test, the scores, and how often it finds what is not there at each number of seeds."""
    for methods in (2, 6):
        for shape in (*SHAPES, "unequal spread"):
            found = [false_ranks(shape, n, 2 * simulations, _generator(), methods) for n in SEEDS]
            yield f"possible ranks, {methods} methods", shape, found
    for tasks in TASKS:
        for shape in SHAPES:
            rates = np.array([false_over_tasks(shape, tasks, n, simulations, _generator()) for n in SEEDS])
            for name, values in zip(("Wilcoxon with Holm", "Friedman", "Nemenyi"), rates.T, strict=True):
                if not np.isnan(values).any():
                    yield f"{name}, {tasks} tasks", shape, values.tolist()


def _generator() -> np.random.Generator:
    return np.random.default_rng(0)


def table(title: str, rows: Iterator[tuple[str, str, list[float]]]) -> None:
    """Print rows as Markdown, in percent, as they are found."""
    print(f"\n| {title} | scores | {' | '.join(f'{count} seeds' for count in SEEDS)} |")
    print(f"| --- | --- |{' ---: |' * len(SEEDS)}")
    for name, shape, values in rows:
        print(f"| {name} | {shape} | {' | '.join(f'{100 * value:.1f}' for value in values)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--simulations", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=500)
    parsed = parser.parse_args()
    bootstrap.RESAMPLES = parsed.resamples
    print(f"python benchmarks/coverage.py {' '.join(sys.argv[1:])}".rstrip())
    table("interval of 95 %, holds the truth in %", rows_of_intervals(parsed.simulations))
    table("test at 5 %, false alarms in %", rows_of_tests(parsed.simulations))
    found = [(f"{shape}", [power(shape, n, 20 * parsed.simulations, _generator()) for n in SEEDS]) for shape in SHAPES]
    table("detectable difference, found in %", (("Welch's t test", shape, values) for shape, values in found))


if __name__ == "__main__":
    main()
