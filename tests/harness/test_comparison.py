"""What is said of our results beside published ones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from harness.config.study import Cell, Published, Statement, Study
from harness.results import comparison
from harness.results.comparison import Comparison, Mean, difference, mean, reached
from harness.results.statements import judged

SCORES = st.lists(st.floats(0, 1), min_size=2, max_size=8)


@given(SCORES, SCORES)
def test_the_interval_is_welchs_where_runs_differ_more_than_examples_leave_open(
    one: list[float], other: list[float]
) -> None:
    many = 10**9
    if min(np.ptp(one), np.ptp(other)) < 0.01:
        return
    value, low, high = difference(mean(one, many), mean(other, many))
    expected = ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert value == pytest.approx(np.mean(one) - np.mean(other))
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_runs_without_a_mistake_leave_open_what_their_examples_do() -> None:
    few, many = mean([1.0, 1.0, 1.0], 10), mean([1.0, 1.0, 1.0], 10_000)
    assert few.error > 10 * many.error > 0
    assert few.interval[0] < 0.9 < many.interval[0] < 1 == many.interval[1]


def test_fewer_than_two_runs_have_no_interval() -> None:
    assert all(map(math.isnan, mean([0.5], 100).interval))
    assert all(map(math.isnan, difference(mean([0.5], 100), mean([0.5, 0.6], 100))[1:]))
    assert mean([], 1).runs == 0


def study(published: dict[str, list[float]], monkeypatch: pytest.MonkeyPatch) -> tuple[Study, Cell]:
    declared = Study(
        title="t",
        source="s",
        published="x.csv",
        examples=2000,
        bands=["trained", "beyond"],
        methods={"a": {}, "b": {}},
        budgets={"quick": {"seeds": 3, "edges": [2, 4]}},
        tasks={"copy": {"settings": {}}},
    )
    runs = [
        Published("copy", "a", dict(zip(published, scores, strict=True)))
        for scores in zip(*published.values(), strict=True)
    ]
    monkeypatch.setattr(Study, "results", lambda self: runs)
    return declared, next(declared.cells("quick"))


class Row:
    def __init__(self, length: int, exact: float) -> None:
        self.length, self.exact, self.examples, self.extension = length, round(exact * 1000), 1000, "extrapolate"


class Scored:
    training_name = "training"

    def __init__(self, trained: float, beyond: float, origin: str = "") -> None:
        self.science = {"training": {"weights_from": {"training": origin}} if origin else {}}
        self.scores = [Row(1, trained), Row(2, trained), Row(3, beyond), Row(4, beyond)]


@pytest.mark.parametrize(
    ("ours", "theirs", "verdict", "reason"),
    [
        ([(1, 0.9), (1, 0.91), (1, 0.92)], [(1, 0.9), (1, 0.91), (1, 0.92)], "agree", ""),
        ([(1, 0.5), (1, 0.51), (1, 0.52)], [(1, 0.9), (1, 0.91), (1, 0.92)], "differ", ""),
        ([(1, 0.1), (1, 0.5), (1, 0.9)], [(1, 0.2), (1, 0.6), (1, 0.9)], "cannot tell", "wide interval"),
        ([(1, 0.9)], [(1, 0.9), (1, 0.9)], "cannot tell", "1 run here"),
        ([], [(1, 0.9), (1, 0.9)], "cannot tell", "no runs here"),
        ([(0.5, 0.1), (0.6, 0.1), (0.5, 0.1)], [(1, 0.9), (1, 0.9)], "cannot tell", "not learned"),
        ([(0.9, 0.1), (0.9, 0.1), (0.9, 0.1)], [(0.95, 0.1), (0.95, 0.1)], "agree", ""),
    ],
)  # fmt: skip
def test_verdicts(
    ours: list[tuple[float, float]],
    theirs: list[tuple[float, float]],
    verdict: str,
    reason: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    columns = list(zip(*theirs, strict=True))
    declared, cell = study({"trained": list(columns[0]), "beyond": list(columns[1])}, monkeypatch)
    rows = comparison.compared(declared, cell, [Scored(*scores) for scores in ours], 3, 1)  # type: ignore[misc, arg-type]
    assert [row.lengths for row in rows] == ["1 to 2", "3 to 4"]
    assert (rows[1].verdict, rows[1].reason) == (verdict, reason)


def test_what_is_shorter_than_those_trained_on_is_in_no_band(monkeypatch: pytest.MonkeyPatch) -> None:
    declared, cell = study({"trained": [1.0, 1.0], "beyond": [0.5, 0.5]}, monkeypatch)
    record = Scored(1.0, 0.5)
    record.scores[0].exact = 0  # of length 1, which it has never seen
    rows = comparison.compared(declared, cell, [record, record], 3, 2)  # type: ignore[list-item]
    assert (rows[0].lengths, rows[0].ours.value, rows[0].learned, rows[1].reason) == ("2 to 2", 1.0, 2, "")


def row(method: str, scores: list[float], reason: str = "") -> Comparison:
    ours = mean(scores, 1000)
    nothing = Mean(math.nan, math.nan, 0)
    return Comparison("copy", method, "beyond", "3 to 4", 3, 3, ours, nothing, (0, 0, 0), "agree", reason)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ({"above": 0.9}, "agree"),
        ({"above": 0.96}, "cannot tell"),
        ({"above": 0.99}, "differ"),
        ({"below": 0.99}, "agree"),
        ({"below": 0.9}, "differ"),
        ({"than": "b"}, "agree"),
        ({"than": "c"}, "differ"),
        ({"than": "d"}, "cannot tell"),
        ({"than": "e"}, "cannot tell"),
    ],
)
def test_statements(claim: dict[str, float | str], verdict: str) -> None:
    rows = [
        row("a", [0.958, 0.96, 0.962]),
        row("b", [0.1, 0.11, 0.12]),
        row("c", [1.0, 1.0, 1.0]),
        row("d", [0.5, 0.9, 1.0]),
        row("e", [0.1, 0.1, 0.1], "not learned"),
    ]
    statement = Statement(task="copy", method="a", band="beyond", **claim)  # type: ignore[arg-type]
    assert judged(statement, rows)[:2] == (rows[0], verdict)


def test_a_failure_to_learn_confirms_no_failure_to_generalize() -> None:
    rows = [row("a", [0.1, 0.1, 0.1], "not learned")]
    assert judged(Statement(task="copy", method="a", band="beyond", below=0.5), rows)[1] == "cannot tell"


def bits(method: str, *bands: list[float]) -> list[Comparison]:
    """A row for each band of running text."""
    nothing = Mean(math.nan, math.nan, 0)
    return [
        Comparison(
            "text", method, f"band{number}", "1 to 2", 3, 3, mean(scores, 1, bounded=False), nothing, (0, 0, 0),
            "cannot tell", "", "bits", False, tuple(scores),
        )
        for number, scores in enumerate(bands)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ({"keeps": 0.2}, "agree"),
        ({"keeps": 0.1}, "cannot tell"),
        ({"keeps": 0.05}, "differ"),
        ({"loses": 0.05}, "agree"),
        ({"loses": 0.2}, "differ"),
        ({"than": "b"}, "agree"),
        ({"than": "c"}, "differ"),
    ],
)
def test_fewer_bits_are_better_and_a_loss_is_within_runs(claim: dict[str, float | str], verdict: str) -> None:
    """Seeds lie a bit apart, and each loses a tenth of a bit, give or take a thousandth."""
    rows = [
        *bits("a", [2.0, 2.01, 2.02], [2.1, 2.111, 2.119]),
        *bits("b", [2.0, 2.0, 2.0], [3.0, 3.1, 3.2]),
        *bits("c", [2.0, 2.0, 2.0], [1.0, 1.1, 1.2]),
    ]
    statement = Statement(task="text", method="a", band="band1", **claim)  # type: ignore[arg-type]
    assert judged(statement, rows).verdict == verdict


def test_runs_that_go_on_are_compared_by_the_weights_that_they_began_with(monkeypatch: pytest.MonkeyPatch) -> None:
    declared, cell = study({}, monkeypatch)
    further = [Scored(0.2, 0.5, "x"), Scored(0.2, 0.6, "y")]
    rows = comparison.compared(declared, cell._replace(origin="a"), [*further, Scored(0.2, 0.7)], 3, 1)  # type: ignore[list-item]
    assert [row.trainings for row in rows] == [("x", "y", "training")] * 2
    assert comparison.NOT_LEARNED not in {row.reason for row in rows}, "they may have forgotten what they had learned"


def test_what_is_done_with_the_same_weights_is_compared_within_each_training() -> None:
    """Seeds lie a bit apart, and one method is a tenth of a bit better with each of them."""
    a, b = bits("a", [2.0, 3.0, 4.0]), bits("b", [2.1, 3.101, 4.099])
    statement = Statement(task="text", method="a", band="band0", than="b")
    assert judged(statement, [*a, *b]).verdict == "cannot tell"
    same = [row._replace(trainings=("x", "y", "z")) for row in (*a, *b)]
    assert judged(statement, same).verdict == "agree"
    assert judged(Statement(task="text", method="b", band="band0", than="a"), same).verdict == "differ"
    assert judged(statement, [same[0], same[1]._replace(trainings=("x", "y", "v"))]).verdict == "cannot tell"


@pytest.mark.parametrize(
    ("scores", "learned", "wanted", "verdict"),
    [
        ([0.2, 0.95], 1, True, "agree"),  # one run suffices to show that it can be reached
        ([0.95], 1, False, "differ"),
        ([0.2, 0.3], 2, True, "cannot tell"),  # two are few to contradict what others have seen
        ([0.2, 0.3, 0.4], 1, True, "differ"),
        ([0.2, 0.3, 0.4], 0, True, "cannot tell"),
        ([0.2], 1, False, "cannot tell"),
        ([0.2, 0.3], 1, False, "agree"),
        ([0.2, 0.3], 0, False, "cannot tell"),  # who has not learned confirms no failure to generalize
        ([], 0, True, "cannot tell"),
    ],
)
def test_the_best_of_several_runs(scores: list[float], learned: int, wanted: bool, verdict: str) -> None:
    assert reached(scores, learned, 0.9, wanted)[0] == verdict


def test_the_best_of_several_is_compared_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    declared, cell = study({"trained": [1.0], "beyond": [0.97]}, monkeypatch)
    best = declared.model_copy(update={"reported": "best"})
    rows = comparison.compared(best, cell, [Scored(1, 0.3), Scored(0.5, 0.92)], 3, 1)  # type: ignore[list-item]
    assert (rows[1].ours.value, rows[1].theirs.value, rows[1].verdict) == (0.92, 0.97, "agree")
    assert all(map(math.isnan, rows[1].ours.interval))
    assert judged(Statement(task="copy", method="a", band="beyond", above=0.9), rows).verdict == "agree"
    assert judged(Statement(task="copy", method="a", band="beyond", below=0.9), rows).verdict == "differ"
