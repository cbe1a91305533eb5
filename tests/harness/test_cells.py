"""Measures of a method on one task beyond its mean score."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pytest
from support import record, sample

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.results import frames, tables
from harness.results.records import Record, SliceRow

Compose = Callable[..., Run]


def row(found: Sequence[Record]) -> dict[str, Any]:
    table = tables.leaderboard(frames.of(found))
    (only,) = table[table.kind == "method"].to_dict("records")
    return only


def test_reach_to_the_longest_tested_length_is_a_lower_bound(composed: Compose) -> None:
    ends = {0: 50, 1: 100, 2: 100}
    made = [record(composed(f"seed={seed}"), lambda n, end=end: 10 * (n <= end)) for seed, end in ends.items()]
    found = row(made)
    assert (found["reach"], found["reach_multiple"], found["reach_censored"]) == (100, 5, True)
    assert row(made[:1])["reach_censored"] is False
    assert row(made[:2])["reach_censored"] is True, "the median of 50 and more than 100 is more than 75"


def test_reach_at_a_half_is_told_from_reach_at_nine_tenths(composed: Compose) -> None:
    found = row([record(composed(), lambda n: 10 if n <= 30 else 5 if n <= 60 else 0)])
    assert (found["reach"], found["reach_half"], found["reach_half_multiple"]) == (30, 60, 3)


def test_scores_are_set_against_the_strongest_baseline(composed: Compose) -> None:
    tested = identity.tested_lengths(composed(), instantiation.task(composed()))

    def right(exact: int) -> list[dict[str, int]]:
        return [{"length": n, "examples": 10, "exact": exact, "tokens": 100, "correct": 50} for n in tested]

    shortcuts = {"weak": right(1), "strong": right(5)}
    made = record(
        composed(), lambda n: 10 if n <= 20 else 8, shortcuts=sample(composed(), shortcuts=shortcuts).shortcuts
    )
    found = row([made])
    assert found["guess"] == "shortcut strong"
    assert found["above_guess"] == pytest.approx((0.8 - 0.5) / 0.5)
    assert found["exact_above_blind"] == pytest.approx(0.8)


def test_both_ways_of_counting_seeds_that_did_not_converge(composed: Compose) -> None:
    made = [record(composed(f"seed={seed}"), lambda n, seed=seed: 10 if n <= 20 and seed else 2) for seed in range(3)]
    found = row(made)
    assert (found["seeds"], found["converged"]) == (3, 2)
    assert found["score"] == pytest.approx(0.2)
    assert found["score_converged"] == pytest.approx(0.2)
    worse = row([record(composed("seed=7"), lambda n: 0), *made])
    assert worse["score"] == pytest.approx(0.15)
    assert worse["score_converged"] == pytest.approx(0.2)
    assert worse["converged_low"] == pytest.approx(0.1500, abs=1e-4)
    assert worse["converged_high"] == pytest.approx(0.8500, abs=1e-4)


def test_a_run_that_failed_is_one_that_did_not_converge(composed: Compose) -> None:
    failed = {"status": "failed", "reason": "x", "scores": [], "blind": [], "cost": None, "final_loss": None}
    made = [record(composed(), lambda n: 10), sample(composed("seed=1"), **failed)]
    assert row(made)["converged_high"] < 0.95 < row(made[:1])["converged_high"]


def test_longer_without_farther(composed: Compose) -> None:
    """Trained to distances of bins up to 3. Beyond, nine of ten tokens are no farther and all right, the others not."""
    made = sample(composed())
    parts = []
    for score in made.scores:
        near = {**score.model_dump(), "tokens": 90, "correct": 90, "examples": 9, "exact": 9}
        parts.append({**near, "at": {"distance": 3}})
        if score.length > 20:
            parts.append({**near, "tokens": 10, "correct": 4, "at": {"distance": 4}})
    task = made.task.model_copy(update={"metric": "token_accuracy"})
    slices = [SliceRow.model_validate(part) for part in parts]
    found = row([made.model_copy(update={"slices": slices, "task": task})])
    assert found["farther"] == pytest.approx(0.4)
    assert found["farther_share"] == pytest.approx(0.1)
    near = row([made.model_copy(update={"slices": [s for s in slices if s.at["distance"] == 3], "task": task})])
    assert pd.isna(near["farther"])
    assert near["farther_share"] == 0
    other = [s.model_copy(update={"at": {"depth": s.at["distance"]}}) for s in slices]
    assert pd.isna(row([made.model_copy(update={"slices": other, "task": task})])["farther_share"])


def test_ranks_that_seeds_leave_possible(composed: Compose) -> None:
    right = {"alibi": (9, 9, 8), "rope": (5, 6, 5), "nope": (5, 5, 6)}
    made = [
        record(composed(f"encoding={name}", f"seed={seed}"), lambda n, k=k: 10 if n <= 20 else k)
        for name, own in right.items()
        for seed, k in enumerate(own)
    ]
    table = tables.leaderboard(frames.of(made)).set_index("method")
    ranges = {name: (table.rank_best[name], table.rank_worst[name]) for name in right}
    assert ranges == {"alibi": (1, 1), "rope": (2, 3), "nope": (2, 3)}
    single = tables.leaderboard(frames.of(made[::3])).set_index("method")
    assert (single.rank_best["alibi"], single.rank_worst["alibi"]) == (1, 3)
