"""Figures show what the tables say."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args, get_type_hints

import numpy as np
import pandas as pd
import pytest
from support import near_only, record, sample

from harness.config import Run
from harness.figures import axes as maps
from harness.figures import curves as figure
from harness.leaderboard import tables
from tasks.base import Task

Compose = Callable[..., Run]


def test_a_figure_shows_every_method_the_blind_baseline_and_the_training_length(composed: Compose) -> None:
    runs = [record(composed(f"encoding={name}"), near_only) for name in ("rope", "alibi", "nope")]
    drawn = figure.draw(tables.curves(runs))
    exact, tokens = drawn.axes
    assert exact.get_title(loc="left") == "exact match"
    labelled = {line.get_label(): line for line in exact.lines}
    assert {"rope", "alibi", "nope", "blind", "training length"} <= set(labelled)
    assert list(labelled["training length"].get_xdata()) == [20, 20]
    assert labelled["rope"].get_ydata().tolist() == [1.0] * 5 + [0.0] * 17
    assert len({line.get_color() for line in exact.lines}) == len(exact.lines)
    assert tokens.get_xlabel() == "length"


RANKED_BY = {
    "task=copy": "exact match",
    "task=running_parity": "token accuracy, teacher-forced",
    "task=text": "bits per byte",
}


@pytest.mark.parametrize("task", RANKED_BY)
def test_what_a_task_is_ranked_by_is_drawn_first(task: str, composed: Compose, tmp_path: Path) -> None:
    table = tables.curves([sample(composed(task, "encoding=alibi"))])
    assert len(figure.save(table, tmp_path)) == 2
    assert figure.draw(table).axes[0].get_title(loc="left") == RANKED_BY[task]


def test_every_measure_that_a_task_can_be_ranked_by_is_drawn() -> None:
    assert figure.MEASURES.keys() == set(get_args(get_args(get_type_hints(Task)["metric"])[0]))


def test_a_name_is_drawn_as_it_stands() -> None:
    assert figure.plain("a$x^{$b") == r"a\$x^{\$b"


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
