"""From counts to what is said of a run."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from support import record, sample

from harness.config.schema import Run
from harness.results import frames, metrics, tables
from harness.results.records import Counts, Record, SliceRow

Compose = Callable[..., Run]


def test_summaries_follow_from_counts(composed: Compose) -> None:
    (summary,) = metrics.summaries(record(composed(), lambda length: 10 if length <= 25 else 5 if length <= 50 else 0))
    beyond = [21, *range(25, 101, 5)]
    expected = [1.0 if length <= 25 else 0.5 if length <= 50 else 0.0 for length in beyond]
    assert summary.exact_match == pytest.approx(np.mean(expected))
    assert summary.in_distribution == 1.0
    assert summary.reach == 25
    assert summary.reach_multiple == 1.25
    assert summary.exact_above_blind == pytest.approx(np.mean(expected))
    assert summary.tokens_above_blind == pytest.approx(np.mean([(value - 0.2) / 0.8 for value in expected]))
    assert summary.bits == pytest.approx(5 / 100 / math.log(2))


def counts(length: int, exact: int) -> Counts:
    return Counts(length=length, examples=10, exact=exact, tokens=10, correct=exact, nats=1.0)


def test_reach_ends_at_the_first_length_that_falls_short() -> None:
    assert metrics.reach([metrics.rate(counts(*row)) for row in ((5, 10), (10, 9), (20, 8), (40, 10))]) == 10
    assert metrics.reach([metrics.rate(counts(*row)) for row in ((5, 8), (10, 10))]) == 0


def test_a_mean_over_lengths_and_a_pooled_mean_differ_where_lengths_have_different_numbers(composed: Compose) -> None:
    made = sample(composed("task=scan"))
    rows = [
        row.model_copy(update={"examples": 90 if row.length == 24 else 10, "exact": 45 if row.length == 24 else 10})
        for row in made.scores
    ]
    (summary,) = metrics.summaries(made.model_copy(update={"scores": rows}))
    beyond = [row for row in rows if row.length > 22]
    assert summary.pooled_exact_match == pytest.approx(
        sum(row.exact for row in beyond) / sum(row.examples for row in beyond)
    )
    assert summary.exact_match == pytest.approx((0.5 + len(beyond) - 1) / len(beyond))


def test_the_training_length_itself_is_in_distribution(composed: Compose) -> None:
    (summary,) = metrics.summaries(record(composed(), lambda length: 0 if length == 20 else 10))
    assert summary.in_distribution == pytest.approx(4 / 5)
    assert summary.exact_match == 1.0


def test_bits_of_text_have_an_interval_over_documents(composed: Compose) -> None:
    """Documents weigh by their bytes, and one document has no interval."""
    made = sample(composed("task=text"))
    row = made.scores[-1].model_dump()

    def documents(*values: tuple[float, int]) -> Record:
        parts = [
            {**row, "nats": nats, "tokens": size, "correct": 0, "at": {"document": number}}
            for number, (nats, size) in enumerate(values)
        ]
        return made.model_copy(update={"slices": [SliceRow(**part) for part in parts]})

    length = made.scores[-1].length
    low, high = metrics.bits_interval(documents(*[(100 * math.log(2), 100)] * 9), "extrapolate", length)
    assert (low, high) == pytest.approx((1.0, 1.0))
    generator = np.random.default_rng(0)
    rates, sizes = generator.normal(2.0, 0.5, 200), generator.integers(50, 150, 200)
    spread = documents(*zip(rates * sizes * math.log(2), sizes.tolist(), strict=True))
    low, high = metrics.bits_interval(spread, "extrapolate", length)
    residual = (rates - (rates * sizes).sum() / sizes.sum()) * sizes / sizes.mean()
    assert high - low == pytest.approx(2 * 1.96 * residual.std() / math.sqrt(200), rel=0.1), (
        "the ratio's standard error"
    )
    assert all(math.isnan(value) for value in metrics.bits_interval(documents((1.0, 10)), "extrapolate", length))
    assert tables.curves(frames.of([spread])).bits_low.notna().sum() == 1
