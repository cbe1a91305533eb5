"""Every schedule keeps what a schedule promises."""

from typing import NamedTuple

from harness.checks.claims import require
from harness.checks.tried import Tried
from harness.schedules.base import Schedule


class Subject(NamedTuple):
    """A schedule."""

    schedule: Schedule


def subject(tried: Tried) -> Subject:
    """The schedule of a choice."""
    return Subject(tried.component_class()(**tried.component().options))


def share_of_the_peak(subject: Subject) -> str:
    """It begins at the peak, and every rate is a share of it"""
    for steps in (1, 7, 1000):
        shares = [subject.schedule.factor(step, steps) for step in range(steps)]
        require(shares[0] == 1, f"{shares[0]} of the peak at step 0 of {steps}")
        wrong = [(step, share) for step, share in enumerate(shares) if not 0 <= share <= 1]
        require(not wrong, f"{wrong[:1]} (step, share) of {steps} is not between 0 and 1")
    return f"{min(shares):.3g} to 1 over 1,000 steps"


def step_alone(subject: Subject) -> None:
    """The rate depends on the step alone, so that a resumed run has the same ones"""
    schedule = subject.schedule
    forwards = [schedule.factor(step, 100) for step in range(100)]
    backwards = [schedule.factor(step, 100) for step in reversed(range(100))]
    require(forwards == backwards[::-1], "asked from the end, it gives other rates")


def ends_in_time(subject: Subject) -> str:
    """Where what is to be learned is learned early, it ends between that step and the last one"""
    ends = {learned: subject.schedule.end(learned, 1000) for learned in (1, 25, 500, 1000)}
    wrong = [(learned, end) for learned, end in ends.items() if not (isinstance(end, int) and learned <= end <= 1000)]
    require(not wrong, f"{wrong[:1]} (learned, end) of 1,000 steps")
    return f"learned after 500 of 1,000 steps, it ends after {ends[500]}"


CLAIMS = (share_of_the_peak, step_alone, ends_in_time)
"""In the order in which they are checked."""
