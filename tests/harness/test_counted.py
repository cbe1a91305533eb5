"""Tables of counts that were made elsewhere give what records give."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT, near_only, put, record, sample

import harness
from harness.config.schema import Run
from harness.errors import Refused
from harness.results.frames import of
from harness.results.records import Record
from harness.results.run_scores import run_scores

Compose = Callable[..., Run]
KEYS = ["task", "method", "seed"]


def methods(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of methods alone, in one order."""
    rows = table[table.kind == "method"] if "kind" in table else table
    return rows.sort_values([key for key in KEYS if key in rows], ignore_index=True)


def assert_same(counted: pd.DataFrame, recorded: pd.DataFrame, without: tuple[str, ...] = ()) -> None:
    """What counts tell is what records tell."""
    columns = [name for name in counted if name not in without]
    first, second = methods(counted)[columns], methods(recorded)[columns]
    pd.testing.assert_frame_equal(first, second, check_dtype=False, check_categorical=False, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["core_candidates", "huang2025"])
def test_the_published_curves_make_the_published_leaderboard(folder: str) -> None:
    found = harness.load(ROOT / "results" / folder)
    assert not len(found.failed)
    board = harness.leaderboard(found.table)
    assert {"rank", "score_low", "rank_best", "reach", "area", "note"} <= set(board)
    assert_same(board, found.leaderboard())
    assert_same(harness.score(found.table), found.scores)


def test_the_csv_is_enough() -> None:
    curves = pd.read_csv(ROOT / "results" / "core_candidates" / "curves.csv")
    board, recorded = harness.leaderboard(curves), harness.load(ROOT / "results" / "core_candidates").leaderboard()
    assert methods(board)[["method", "rank"]].equals(methods(recorded)[["method", "rank"]])
    assert np.allclose(methods(board).score.astype(float), methods(recorded).score.astype(float), atol=1e-5)


@pytest.fixture(scope="module")
def samples(composed: Compose) -> dict[tuple[str, int], Record]:
    """A record of each of two encodings and three seeds."""
    cells = itertools.product(("rope", "alibi"), range(3))
    return {cell: record(composed(f"encoding={cell[0]}", f"seed={cell[1]}"), near_only) for cell in cells}


@pytest.mark.slow
@settings(max_examples=25)
@given(data=st.data())
def test_bare_counts_of_any_runs_score_like_their_records(
    data: st.DataObject, samples: dict[tuple[str, int], Record]
) -> None:
    """Only the columns that are needed, in any order of rows: what follows from them is the same."""
    made: list[Record] = []
    counted = []
    for (encoding, seed), base in samples.items():
        right = data.draw(st.lists(st.integers(0, 10), min_size=len(base.scores), max_size=len(base.scores)))
        rows = [row.model_copy(update={"exact": exact}) for row, exact in zip(base.scores, right, strict=True)]
        made.append(base.model_copy(update={"scores": rows}))
        counted += [(encoding, seed, row.length, row.examples, row.exact, base.train_length) for row in rows]
    counts = pd.DataFrame(counted, columns=["method", "seed", "length", "examples", "exact", "train_length"])
    scored = harness.score(counts.sample(frac=1, random_state=0))
    known = [
        "method",
        "seed",
        "in_distribution",
        "converged",
        "score",
        "exact_match",
        "reach",
        "reach_multiple",
        "area",
    ]
    assert_same(scored[known], run_scores(of(made)))


def bare(**changes: object) -> pd.DataFrame:
    rows = [
        ("mine", seed, length, 10, 10 if length <= 20 else 4, 100, 80, 20) for seed in (0, 1) for length in (10, 20, 40)
    ]
    columns = ["method", "seed", "length", "examples", "exact", "tokens", "correct", "train_length"]
    return pd.DataFrame(rows, columns=columns).assign(**changes)


def test_without_a_blind_baseline_methods_are_ranked() -> None:
    board = harness.leaderboard(pd.concat([bare(), bare(method="worse", exact=[10, 10, 2] * 2)]))
    assert board.method.tolist() == ["mine", "worse"]
    assert board["rank"].tolist() == [1, 2]
    assert board.score.tolist() == [0.4, 0.2]
    guess = harness.leaderboard(bare(blind_exact_match=0.9))
    assert guess["rank"].isna().all(), "no better than a guess"
    assert guess.method.tolist() == ["mine", "(blind)"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"exact": 11}, "task task, method mine, seed 0, length 10: exact is more than examples"),
        ({"exact": 0.5}, "row 0: exact is 0.5, not a whole number"),
        ({"exact": "many"}, "row 0: exact is many, not a number from 0 up"),
        ({"exact": -1}, "row 0: exact is -1, not a number from 0 up"),
        ({"exact": [1, 2, 3, float("nan"), 1, 1]}, "row 3: exact is nan, not a number"),
        ({"examples": 0, "exact": 0}, "examples is 0"),
        ({"seed": 0}, "this length is there twice; give each run another seed"),
        ({"length": [10, 20, 40, 10, 20, 30]}, "length 30 is missing, which other runs of task have"),
        ({"train_length": [20, 20, 20, 10, 10, 10]}, "another train_length than the task's first row has"),
        ({"train_length": 40}, "no length is beyond train_length, 40"),
        ({"train_length": 5}, "no length up to train_length, 5"),
        ({"metric": "accuracy"}, "metric accuracy is none of exact_match, token_accuracy, bits_per_byte"),
        ({"metric": "bits_per_byte"}, "metric bits_per_byte needs the column nats"),
        ({"method": "a\x1b[2Jb"}, "not a printable text"),
        ({"method": 7}, "row 0: method is 7, not a printable text"),
        ({"correct": None}, "tokens and correct belong together"),
        ({"blind_exact_match": 1.5}, "blind_exact_match is 1.5, not a number from 0 to 1"),
        ({"blind_exact_match": [0, 0, 0, 0.5, 0, 0]}, "runs differ in the blind baseline"),
    ],
)
def test_bad_counts_are_refused_in_one_line(changes: dict, said: str) -> None:
    with pytest.raises(Refused) as refused:
        harness.leaderboard(bare(**changes))
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_what_is_no_table_of_counts_is_refused() -> None:
    with pytest.raises(Refused, match=r"counts are a pandas.DataFrame, and this is list"):
        harness.leaderboard([1])  # type: ignore[arg-type]
    with pytest.raises(Refused, match="the column train_length is missing"):
        harness.score(bare().drop(columns="train_length"))
    with pytest.raises(Refused, match="has no rows"):
        harness.score(bare().head(0))
    with pytest.raises(Refused, match="the column exact is there twice"):
        harness.score(pd.concat([bare(), bare().exact], axis=1))


def test_loaded_records_are_the_tables_of_the_command(composed: Compose, tmp_path: Path) -> None:
    finished = record(composed("encoding=rope"), near_only)
    nothing = {"status": "failed", "scores": [], "blind": [], "cost": None, "final_loss": None}
    failed = sample(composed("encoding=rope", "seed=1"), reason="no memory", **nothing)
    put(finished, tmp_path)
    put(failed, tmp_path)
    (tmp_path / "records" / "broken.json").write_text("{")
    found = harness.load(tmp_path)
    assert [path.stem for path in found.records] == [finished.name]
    assert found.failed.run.tolist() == [failed.name, str(tmp_path / "records" / "broken.json")]
    assert found.failed.reason[0] == "no memory"
    assert "1 run finished, 2 without scores" in repr(found)
    with pytest.raises(Refused, match=r"there is no task 'sort' here. Tasks: copy"):
        found.plot("sort")
    with pytest.raises(Refused, match="none of these runs has a learning curve"):
        found.plot_learning()
    with pytest.raises(Refused):
        harness.load(tmp_path / "nowhere")
    for takes in (harness.leaderboard, harness.score):
        with pytest.raises(Refused, match=r"takes a table of counts, such as the .table of results"):
            takes(found)  # type: ignore[arg-type]
    put(record(composed("encoding=rope", "task=reverse"), near_only), tmp_path)
    with pytest.raises(Refused, match="a figure is of one task"):
        harness.load(tmp_path).plot()
    assert harness.load(tmp_path).plot("reverse").axes


def test_a_folder_without_records_is_not_taken_for_results(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no record in .*: run something first"):
        harness.load(tmp_path)


def test_what_a_notebook_shows_is_escaped(composed: Compose) -> None:
    from harness.notebook.results import Results

    made = record(composed("encoding=rope"), near_only)
    science = made.model_dump()["science"]
    science["training"]["encoding"]["name"] = "<script>alert(1)</script>"
    shown = Results(of([made.model_copy(update={"science": science})]), [Path("x")], [])._repr_html_()
    assert "alert(1)" in shown
    assert "<script>" not in shown
