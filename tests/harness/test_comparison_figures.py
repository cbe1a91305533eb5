"""Figures of several methods over tasks, and what all figures share: colours, sizes, files."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.text import Text

from harness.errors import Refused
from harness.figures import colours, cost, critical_difference, files, performance_profile, styles, task_map

DRAWN = [cost, critical_difference, performance_profile, task_map]
METHODS = [*colours.FAMILIAR, "cope", "fox", "path", "tape", "rope · yarn", "nope · randomized", "x" * 90]


def runs(methods: int = 5, tasks: int = 12, seeds: int = 3) -> pd.DataFrame:
    """Made-up runs in the form that :func:`harness.results.overall.runs_of` gives."""
    rng = np.random.default_rng(0)
    rows = [
        {
            **{"task": f"task_{task}", "task_id": str(task), "method": method, "encoding": method, "seed": seed},
            **{"summary_score": rng.uniform(number / methods, 1), "solved": (task + number) % 4 > 0},
            **{"training_seconds": 10.0 ** (1 + number), "parameters": 1e5 + number},
        }
        for number, method in enumerate(METHODS[:methods])
        for task in range(tasks)
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


@pytest.mark.slow
@given(st.lists(st.sampled_from(METHODS), min_size=1, unique=True))
def test_a_method_looks_the_same_whatever_it_is_drawn_with(chosen: list[str]) -> None:
    def drawn(methods: list[str]) -> dict[str, colours.Look]:
        rows = [{"method": name, "encoding": name, "positions": "sequential"} for name in methods]
        return colours.looks(pd.DataFrame(rows))

    alone = {name: drawn([name])[name] for name in chosen}
    together = drawn(chosen)
    assert len(set(together.values())) == len(chosen), "no two look the same"
    for name in chosen:
        rivals = [other for other in chosen if alone[other] == alone[name]]
        assert together[name] == alone[name] or name != min(rivals), "the first by name keeps its look"
    assert len({alone[name].colour for name in chosen if name in colours.FAMILIAR}) == len(
        set(chosen) & set(colours.FAMILIAR)
    )


def test_choices_that_go_without_saying_change_no_look() -> None:
    short = colours.looks(pd.DataFrame({"method": ["a"], "encoding": ["rope"]}))
    full = colours.looks(
        pd.DataFrame({"method": ["b"], "encoding": ["rope"], "positions": ["sequential"], "extension": ["extrapolate"]})
    )
    extended = colours.looks(pd.DataFrame({"method": ["b"], "encoding": ["rope"], "extension": ["yarn"]}))
    assert short["a"] == full["b"] != extended["b"]


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("style", styles.STYLES)
@pytest.mark.parametrize("module", DRAWN, ids=lambda module: module.__name__.rpartition(".")[2])
def test_everything_lies_on_the_page_in_letters_that_can_be_read(module: object, style: str, tmp_path: Path) -> None:
    chosen = styles.STYLES[style]
    draw: Callable[..., Figure] = module.draw  # type: ignore[attr-defined]
    figure = draw(runs(methods=6), chosen)
    files.save_figure(figure, tmp_path, "drawn", chosen)  # lays it out
    whole = figure.get_window_extent()
    assert whole.width / figure.dpi == pytest.approx(chosen.width) or module is task_map
    ticks = {label for axes in figure.axes for label in (*axes.get_xticklabels(), *axes.get_yticklabels())}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text():
            assert text.get_fontsize() >= 8
            if text not in ticks:  # those beyond the ends of an axis are not drawn
                box = text.get_window_extent()
                assert whole.x0 - 0.02 * whole.width <= box.x0, text
                assert box.x1 <= 1.02 * whole.x1, text


@given(
    st.lists(st.floats(1, 9).map(lambda rank: round(rank, 2)), min_size=1, max_size=9),
    st.floats(0, 4).map(lambda width: round(width, 2)),
)
def test_bars_join_what_no_test_tells_apart(found: list[float], difference: float) -> None:
    ordered = sorted(found)
    spans = critical_difference.groups(ordered, difference)
    for first in range(len(ordered)):
        for last in range(first + 1, len(ordered)):
            joined = any(start <= first and last <= end for start, end in spans)
            assert joined == (ordered[last] <= ordered[first] + difference)
    for start, end in spans:
        assert not any((a <= start and end <= b) and (a, b) != (start, end) for a, b in spans), "none within another"


def test_a_diagram_of_ranks_needs_ten_tasks() -> None:
    with pytest.raises(Refused, match=r"takes 10 tasks that all methods have.*here 9 tasks and 5 methods"):
        critical_difference.draw(runs(tasks=9))
    (axes,) = critical_difference.draw(runs(tasks=10)).axes
    means = {line.get_ydata()[0]: line.get_xdata()[0] for line in axes.lines if line.get_linestyle() == "None"}
    assert sum(means.values()) == pytest.approx(15), "the ranks of five methods"


def test_cells_without_a_run_are_empty_and_those_not_learned_are_marked() -> None:
    table = runs(methods=2, tasks=2)
    table = table[~((table.method == METHODS[1]) & (table.task_id == "1"))]
    (axes,) = task_map.draw(table).axes
    assert len(axes.texts) == 3
    learned = table.groupby(["task", "method"]).solved.any()
    assert sum("*" in text.get_text() for text in axes.texts) == (~learned).sum()


@pytest.mark.parametrize("ending", files.UNDATED)
def test_equal_figures_are_equal_files(ending: str, tmp_path: Path) -> None:
    first, second = (
        files.save_figure(performance_profile.draw(runs()), tmp_path, name, endings=(ending,))[0] for name in ("a", "b")
    )
    assert first.read_bytes() == second.read_bytes()
