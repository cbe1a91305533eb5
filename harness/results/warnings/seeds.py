"""Seeds: cells with one, cells with fewer than others, and numbers that are left out."""

from collections.abc import Iterator

import pandas as pd

from harness.results.statistics import seeds
from harness.results.warnings.warning import Tabled, Warned, listed


def single_seed(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task with one seed: nothing says how far another seed would be."""
    for task, runs in tabled.tasks():
        numbers = runs.groupby("method").seed.nunique()
        if alone := sorted(numbers.index[numbers == 1]):
            yield Warned(
                "single seed",
                task,
                alone,
                f"one seed of {listed(alone)}: no interval is over seeds",
                "run at least three, better five: seed=range(5)",
            )


def learned_by_chance(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task that some of a few seeds learned and others did not, in distribution or beyond: their intervals
    are too narrow (docs/statistics.md).
    """
    shares = tabled.runs.metric.astype(object) != "bits_per_byte"
    for task, runs in tabled.tasks():
        shared = runs[shares[runs.index]]
        groups = shared.groupby("method")
        mixed = pd.Series(False, sorted(set(shared.method)))
        for scores in (groups.summary_in_distribution, groups.summary_score):
            mixed |= seeds.learned_by_chance(scores.max(), scores.min(), scores.count())
        if found := sorted(mixed.index[mixed]):
            yield Warned(
                "learned by chance",
                task,
                found,
                f"some seeds learned it and others did not, so intervals over seeds are too narrow: {listed(found)}",
                f"read the range over seeds, or run more than {seeds.MANY}",
            )


def unequal_seeds(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task with fewer seeds than others."""
    for task, runs in tabled.tasks():
        numbers = runs.groupby("method").seed.nunique()
        if (fewer := sorted(numbers.index[numbers < numbers.max()])) and numbers.max() > 1:
            yield Warned(
                "unequal seeds",
                task,
                fewer,
                f"{numbers.min()} to {numbers.max()} seeds; fewer than others: {listed(fewer)}",
                "run the same seeds of every method",
            )


def missing_seeds(tabled: Tabled) -> Iterator[Warned]:
    """Numbers of seeds that a task has for one method and not for another with as many or more, or between those that
    are there: runs may have been left out, and scores tell by which rule only if all are counted.
    """
    for task, runs in tabled.tasks():
        seeds_of = runs.groupby("method").seed
        number, last = seeds_of.nunique(), seeds_of.max()
        if missing := sorted(number.index[(number > 1) & (last >= number)]):
            own = set(runs.seed[runs.method == missing[0]])
            shown = ", ".join(map(str, [seed for seed in range(max(own)) if seed not in own][:5]))
            yield Warned(
                "missing seeds",
                task,
                missing,
                f"seeds are left out, of {missing[0]} {shown}: those that are here may have been chosen",
                "count seeds from 0 on and keep all of them, failed ones too",
            )
