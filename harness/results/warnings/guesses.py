"""Scores that a guess reaches."""

from collections.abc import Iterator

from harness.results.warnings.warning import Tabled, Warned, listed


def reached_by_a_guess(tabled: Tabled) -> Iterator[Warned]:
    """Methods that score above 0 beyond training and no higher than a shortcut of the task, its blind baseline or
    chance.
    """
    for task, own in tabled.tasks():
        known = own[own.summary_above_guess.notna() & (own.summary_score > 0)]
        above = known.groupby("method").summary_above_guess.mean()
        if reached := sorted(above.index[above <= 0]):
            guess = str(known.summary_guess.iloc[0])
            yield Warned(
                "reached by a guess",
                task,
                reached,
                f"no better beyond training than {guess}: {listed(reached)}",
                "do not read these scores as length generalization",
            )
