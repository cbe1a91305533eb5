"""A length shorter than any that was trained on says nothing of whether a task was learned."""

from collections.abc import Callable

import pytest
from support import record

from harness.config.schema import Run
from harness.results import cells, frames, metrics, report, summaries, tables, trained_lengths

WORDS = ("lengths.shortest=2", "lengths.train=4", "lengths.grid=[1,2,3,4,5,6,7,8]")


@pytest.mark.parametrize("shorter", [0, 10])
def test_what_is_shorter_counts_nowhere(shorter: int, composed: Callable[..., Run]) -> None:
    """Neither that it is answered nor that it is not: networks that had learned all they were shown did not count."""
    made = record(composed(*WORDS), lambda n: shorter if n < 2 else 10 if n <= 5 else 0)
    (own,) = metrics.summaries(made)
    found = frames.of([made])
    (table,) = summaries.of_runs(found).to_dict("records")
    assert own.in_distribution == table["in_distribution"] == 1
    assert own.reach == table["reach"] == 5
    assert own.score == pytest.approx(0.25)
    assert table["score"] == pytest.approx(0.25)
    assert cells.of_runs(found).reach_half.tolist() == [5]
    assert "NOT CONVERGED" not in report.verdict(made, own)
    curves = tables.curves(found)
    where = dict(zip(curves.length, curves.distribution, strict=True))
    assert where == {n: trained_lengths.distribution(made, n) for n in range(1, 9)}
    assert [where[n] for n in (1, 2, 4, 5)] == ["short", "in", "in", "out"]


def test_what_is_trained_on_counts(composed: Callable[..., Run]) -> None:
    made = record(composed(*WORDS), lambda n: 0 if n == 2 else 10)
    (own,) = metrics.summaries(made)
    assert own.in_distribution == pytest.approx(2 / 3)
    assert own.reach == 0
    assert "NOT CONVERGED" in report.verdict(made, own)
