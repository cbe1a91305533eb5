"""Figures show what the tables say."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
from support import near_only, record, sample

from harness.config.schema import Run
from harness.figures import axes as maps
from harness.figures import curves as figure
from harness.figures import files
from harness.results import frames, tables
from tasks.base import Task

Compose = Callable[..., Run]


def test_a_figure_shows_every_method_the_blind_baseline_and_the_training_length(composed: Compose) -> None:
    runs = [record(composed(f"encoding={name}"), near_only) for name in ("rope", "alibi", "nope")]
    drawn = figure.draw(tables.curves(frames.of(runs)))
    exact, tokens = drawn.axes
    assert exact.get_title(loc="left") == "exact match"
    labelled = {line.get_label(): line for line in exact.lines}
    assert {"rope", "alibi", "nope", "blind", "training length"} <= set(labelled)
    assert list(labelled["training length"].get_xdata()) == [20, 20]
    assert labelled["rope"].get_ydata().tolist() == [1.0] * 5 + [0.0] * 17
    assert len({line.get_color() for line in exact.lines}) == len(exact.lines)
    assert 20 in exact.get_xticks()
    assert tokens.get_xlabel() == "length"
    first, second = (labelled[name].get_window_extent().y0 for name in ("rope", "alibi"))
    assert first != second, "equal curves are seen beside each other"


@pytest.mark.parametrize("names", [("rope", "alibi", "nope"), ("nope", "alibi", "rope"), ("alibi", "rope", "nope")])
def test_close_curves_are_drawn_in_the_order_of_their_values(names: tuple[str, ...], composed: Compose) -> None:
    """The first has more right than the second, and that more than the third, by a thousandth each."""
    table = tables.curves(frames.of([record(composed(f"encoding={name}"), near_only) for name in names]))
    for rank, name in enumerate(names):
        table.loc[table.method == name, "exact_match"] = 0.5 - rank / 1000
    drawn = {line.get_label(): line.get_window_extent().y0 for line in figure.draw(table).axes[0].lines}
    assert drawn[names[0]] > drawn[names[1]] > drawn[names[2]]


RANKED_BY = {
    "task=copy": "exact match",
    "task=running_parity": "token accuracy, teacher-forced",
    "task=text": "bits per byte",
}


@pytest.mark.parametrize("task", RANKED_BY)
def test_what_a_task_is_ranked_by_is_drawn_first(task: str, composed: Compose, tmp_path: Path) -> None:
    table = tables.curves(frames.of([sample(composed(task, "encoding=alibi"))]))
    assert len(figure.save(table, tmp_path)) == 2
    assert figure.draw(table).axes[0].get_title(loc="left") == RANKED_BY[task]


def test_every_measure_that_a_task_can_be_ranked_by_is_drawn() -> None:
    assert figure.MEASURES.keys() == set(get_args(get_args(get_type_hints(Task)["metric"])[0]))


def test_a_name_is_drawn_as_it_stands() -> None:
    assert files.wrap_label("a$x^{$b", 30) == r"a\$x^{\$b"


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_axes_keep_their_size_whatever_names_and_numbers_of_methods(tmp_path: Path) -> None:
    """Long names pushed the panels together until layout gave up, with a warning."""
    names = [
        f"encoding_{number} · randomized · maximum=2048 · leaky_rerope · window=40 · factor=4.0 · dimension={2**number}"
        for number in range(12)
    ]
    rows = [
        {
            **{"task": " · ".join(["copy", *names[:2]]), "task_id": "abcd", "metric": "exact_match", "train_length": 4},
            **{"method": method, "seed": 0, "length": length, "examples": 5, "exact": 2, "axis_first": length},
            **{"exact_match": 0.4, "blind_exact_match": 0.1, "token_accuracy": 0.5, "blind_token_accuracy": 0.2},
        }
        for method in names
        for length in (2, 4, 8)
    ]
    table = pd.DataFrame(rows)
    curves = figure.draw(table)
    heat = maps.draw(table[table.method.isin(names[: maps.MOST_METHODS])], "length", "axis_first")
    for drawn, panels in ((curves, curves.axes), (heat, heat.axes[: maps.MOST_METHODS])):
        files.save_figure(drawn, tmp_path, "drawn")  # lays it out
        whole = drawn.get_window_extent()
        for axes in panels:
            area = axes.get_window_extent()
            assert area.width / drawn.dpi > 1.5, "inches"
            assert area.height / drawn.dpi > 1.5
            title = axes._left_title.get_window_extent()
            assert title.x1 <= min([other.get_window_extent().x0 for other in panels
                                    if other.get_window_extent().x0 > area.x1] + [whole.x1])  # fmt: skip
        assert all(text.get_window_extent().x1 <= whole.x1 for text in [*drawn.texts, drawn._suptitle])
        assert all(legend.get_window_extent().y1 <= whole.y1 for legend in drawn.legends)


def test_heat_maps_pool_what_they_do_not_show(tmp_path: Path) -> None:
    common = {"task": "sum", "task_id": "abcd", "metric": "exact_match", "method": "rope", "train_length": 4}
    rows = [
        {**common, "seed": seed, "length": length, "examples": 5, "exact": right, "axis_first": first}
        for seed, right in ((0, 5), (1, 2))
        for length, first in ((4, 1), (4, 4), (8, 1))
    ]
    drawn = maps.draw(pd.DataFrame(rows), "length", "axis_first")
    (image,) = drawn.axes[0].images
    grid = np.ma.masked_invalid(image.get_array()).filled(-1)
    assert grid.tolist() == [[0.7, 0.7], [0.7, -1]]
    (line,) = {line.get_xdata()[0] for line in drawn.axes[0].lines}
    assert line == 0.5, "between the lengths trained and those beyond"
    assert [axes.get_title(loc="left") for axes in drawn.axes[:1]] == ["rope"]
    assert len(maps.save(pd.DataFrame(rows), tmp_path)) == 2
