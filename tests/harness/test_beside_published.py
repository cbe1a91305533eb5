"""The figure of a study: what is drawn of our scores, the published ones, and the statements about them."""

import math
from typing import Any

import pytest
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from harness.figures.beside_published import BOUND, OURS, THEIRS, draw
from harness.results.comparison import Comparison, Mean
from harness.results.findings import Finding, Verdict


def row(
    task: str, method: str, band: str, scores: tuple[float, ...], theirs: float = math.nan, **more: Any
) -> Comparison:
    value = sum(scores) / len(scores) if scores else math.nan
    ours = Mean(value, 0.01 if len(scores) > 1 else math.nan, len(scores))
    published = Mean(theirs, 0.02, 0 if math.isnan(theirs) else 5)
    nothing = (math.nan, math.nan, math.nan)
    return Comparison(
        task, method, band, "1 to 9", 3, len(scores), ours, published, nothing, "cannot tell", "", scores=scores, **more
    )


def finding(verdict: Verdict, about: tuple[str, str, str], bound: float | None = None) -> Finding:
    return Finding("statement", "source", "published", "ours", verdict, "", about, bound)


def drawn(axes: Axes, colour: str, marker: str) -> list[float]:
    """The positions along the axis of scores of what has this colour and marker."""
    lines = [line for line in axes.get_lines() if (line.get_color(), line.get_marker()) == (colour, marker)]
    return [float(x) for line in lines if isinstance(line, Line2D) for x in line.get_xdata()]


def test_every_score_stands_in_the_row_of_its_method_and_the_column_of_its_band() -> None:
    rows = [
        row("copy", "rope", "trained", (1.0, 0.98), 1.0),
        row("copy", "rope", "beyond", (0.2, 0.4), 0.5),
        row("copy", "nope", "trained", (0.9,)),
        row("copy", "nope", "beyond", (0.7,)),
        row("sort", "nope", "trained", ()),
        row("sort", "nope", "beyond", ()),
    ]
    found = [
        finding("agree", ("copy", "rope", "beyond"), 0.9),
        finding("agree", ("copy", "rope", "beyond")),
        finding("differ", ("copy", "rope", "beyond")),
        finding("cannot tell", ("copy", "nope", "beyond")),
        finding("not run", ("sort", "nope", "beyond"), 0.1),
    ]
    figure = draw("a study", rows, found)
    assert figure is not None
    trained, beyond = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["trained", "beyond"]
    assert [label.get_text() for label in trained.get_yticklabels()] == ["copy", "rope", "nope"], "sort has no runs"
    assert drawn(trained, OURS, "o") == pytest.approx([1.0, 0.98, 0.99, 0.9, 0.9])
    assert drawn(beyond, OURS, "o") == pytest.approx([0.2, 0.4, 0.3, 0.7, 0.7]), "every run, then their mean"
    assert drawn(beyond, THEIRS, "D") == [0.5]
    low, high = rows[1].ours.interval
    assert drawn(beyond, OURS, "None") == pytest.approx([low, high]), "one run has no interval"
    assert drawn(beyond, BOUND, "None") == [0.9, 0.9]
    assert [text.get_text() for text in trained.texts if text.get_text()] == ["1 to 9"]
    assert [text.get_text() for text in beyond.texts if text.get_text()] == ["2✓ ✗", "?", "1 to 9"]


def test_scores_that_are_no_shares_have_an_axis_of_their_own() -> None:
    rows = [row("text", "rope", "trained", (2.3, 2.4), score="bits"), row("passkey", "rope", "trained", (0.9,))]
    figure = draw("$a$ study", rows, [])
    assert figure is not None
    bits, shares = figure.axes
    assert (bits.get_xlabel(), shares.get_xlabel()) == ("bits per byte", "exact match")
    assert bits.get_xlim()[1] < 3
    assert shares.get_xlim() == pytest.approx((-0.04, 1.04))


def test_without_runs_there_is_no_figure() -> None:
    assert draw("a study", [row("sort", "nope", "trained", ())], []) is None
