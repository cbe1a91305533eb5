"""What is said of a task: how far methods lie apart on it, how far seeds do, what a guess has."""

import math

import numpy as np
import pandas as pd
import pytest

from harness.results.task_table import tasks

RATINGS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
"""Table 2 of Shrout and Fleiss (1979): six targets, four ratings of each; their ICC(1, 1) is .17."""


def runs(scores: list[list[float]], **more: object) -> pd.DataFrame:
    """A row for each score of each method, in the columns that are read."""
    rows = [
        {"task": "copy", "family": "copying", "metric": "exact_match", "task_id": "a", "task_version": 1}
        | {"method_id": str(method), "seed": seed, "status": "finished", "extension": "extrapolate"}
        | {"score": score, "in_distribution": 1.0, "guess": "blind", "above_guess": score - 0.5}
        | more
        for method, own in enumerate(scores)
        for seed, score in enumerate(own)
    ]
    return pd.DataFrame(rows)


def test_the_share_between_methods_is_the_published_intraclass_correlation() -> None:
    (row,) = tasks(runs(RATINGS)).to_dict("records")
    assert row["told_apart"] == pytest.approx(0.17, abs=0.005)
    assert row["noise"] == pytest.approx(math.sqrt(6.2639), abs=1e-3), "their within-target mean square is 6.26"
    assert (row["methods"], row["seeds"], row["runs"]) == (6, 4, 24)


def test_unequal_numbers_of_seeds_give_the_variances_that_were_drawn() -> None:
    rng = np.random.default_rng(0)
    scores = [list(rng.normal(rng.normal(0, 0.3), 0.1, 1 + number % 4)) for number in range(4000)]
    (row,) = tasks(runs(scores)).to_dict("records")
    assert row["noise"] == pytest.approx(0.1, rel=0.03)
    assert row["told_apart"] == pytest.approx(0.09 / 0.10, abs=0.01)


def test_one_seed_has_no_noise_and_a_guess_is_counted() -> None:
    (row,) = tasks(runs([[0.4], [0.6], [0.9]])).to_dict("records")
    assert math.isnan(row["noise"])
    assert math.isnan(row["told_apart"])
    assert (row["lowest"], row["median"], row["highest"]) == (0.4, 0.6, 0.9)
    assert row["methods_above_guess"] == 2
    assert row["highest_above_guess"] == pytest.approx(0.4)


def test_extensions_of_the_same_weights_are_no_methods() -> None:
    extended = runs([[0.0, 0.0]], extension="yarn", method_id="b")
    (row,) = tasks(pd.concat([runs([[0.4, 0.5]]), extended])).to_dict("records")
    assert row["methods"] == 1
    (row,) = tasks(extended).to_dict("records")
    assert row["methods"] == 1, "where there are no others, they are"


def test_runs_that_failed_are_left_out_and_text_has_no_convergence() -> None:
    assert tasks(runs([[0.4]], status="failed")).empty
    (row,) = tasks(runs([[2.4]], metric="bits_per_byte", above_guess=math.nan)).to_dict("records")
    assert math.isnan(row["converged"])
    assert math.isnan(row["methods_above_guess"])
