"""Seeds: cells with one, cells with fewer than others, and numbers that are left out."""

from collections.abc import Iterator

from harness.results.warnings.warning import Tabled, Warned, listed


def single_seed(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task with one seed: nothing says how far another seed would be."""
    for task, runs in tabled.tasks():
        seeds = runs.groupby("method").seed.nunique()
        if alone := sorted(seeds.index[seeds == 1]):
            yield Warned(
                "single seed",
                task,
                alone,
                f"one seed of {listed(alone)}: no interval is over seeds",
                "run at least three, better five: seed=range(5)",
            )


def unequal_seeds(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task with fewer seeds than others."""
    for task, runs in tabled.tasks():
        seeds = runs.groupby("method").seed.nunique()
        if (fewer := sorted(seeds.index[seeds < seeds.max()])) and seeds.max() > 1:
            yield Warned(
                "unequal seeds",
                task,
                fewer,
                f"{seeds.min()} to {seeds.max()} seeds; fewer than others: {listed(fewer)}",
                "run the same seeds of every method",
            )


def missing_seeds(tabled: Tabled) -> Iterator[Warned]:
    """Numbers of seeds that a task has for one method and not for another with as many or more, or between those that
    are there: runs may have been left out, and scores tell by which rule only if all are counted.
    """
    for task, runs in tabled.tasks():
        seeds = runs.groupby("method").seed.agg(lambda own: sorted(set(own)))
        gaps = {name: sorted(set(range(own[-1] + 1)) - set(own)) for name, own in seeds.items() if len(own) > 1}
        if missing := sorted(name for name, gap in gaps.items() if gap):
            shown = ", ".join(map(str, gaps[missing[0]][:5]))
            yield Warned(
                "missing seeds",
                task,
                missing,
                f"seeds are left out, of {missing[0]} {shown}: those that are here may have been chosen",
                "count seeds from 0 on and keep all of them, failed ones too",
            )
