"""Means and intervals over seeds."""

import math

import numpy as np
import pandas as pd
import pytest
from support import ROOT

from harness.results import statistics


def test_intervals() -> None:
    low, high = statistics.interval([0.2, 0.4, 0.9])
    assert 0.2 <= low < 0.5 < high <= 0.9
    assert statistics.interval([0.2, 0.4, 0.9]) == (low, high), "the same every time"
    assert statistics.interval([0.5, 0.5, 0.5]) == (0.5, 0.5)
    assert all(math.isnan(value) for value in statistics.interval([0.5]))
    wide = statistics.interval([0.0, 1.0] * 2)
    narrow = statistics.interval([0.0, 1.0] * 20)
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_an_interval_of_normal_data_is_about_as_wide_as_theory_says() -> None:
    values = np.random.default_rng(0).normal(size=200)
    low, high = statistics.interval(values.tolist())
    assert high - low == pytest.approx(2 * 1.96 * values.std() / math.sqrt(200), rel=0.05)


def test_statistics_agree_with_published_per_seed_results() -> None:
    """Kazemnejad et al. (2023): interquartile means over ten configurations and three seeds, computed before by others'
    code.
    """
    published = pd.read_csv(ROOT / "tests" / "golden" / "kazemnejad2023_overall.csv")
    known = {"none": 0.559, "t5_relative_bias": 0.515, "alibi": 0.267, "rotary": 0.027, "abs_sinusoid": 0.016}
    for encoding, iqm in known.items():
        values = published[published.encoding == encoding].exact_match.tolist()
        assert len(values) == 30
        assert statistics.interquartile_mean(values) == pytest.approx(iqm, abs=0.0006)
