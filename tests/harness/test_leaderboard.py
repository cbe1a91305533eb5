"""From records to tables: ranks, notes, files."""

import io
import math
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from support import near_only, put, record, sample

from harness.commands import leaderboard as command
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.results import frames, tables
from harness.results.csv_files import csv
from harness.results.records import Record

Compose = Callable[..., Run]


def a_tenth_beyond(length: int) -> int:
    """Of ten answers all up to the training length, and one at every length beyond."""
    return 10 if length <= 20 else 1


def methods(found: Sequence[Record]) -> pd.DataFrame:
    """The leaderboard without the baselines."""
    table = tables.leaderboard(frames.of(found))
    return table[table.kind == "method"].reset_index(drop=True)


def test_the_best_comes_first_and_what_did_not_converge_has_no_rank(composed: Compose) -> None:
    runs = [
        *[
            record(composed("encoding=alibi", f"seed={seed}"), lambda n, seed=seed: 10 * (n <= 40 + 10 * seed))
            for seed in (0, 1)
        ],
        *[record(composed("encoding=rope", f"seed={seed}"), near_only) for seed in (0, 1)],
        *[record(composed("encoding=t5", f"seed={seed}"), lambda n: 7) for seed in (0, 1)],
    ]
    table = methods(runs)
    assert table.method.tolist() == ["alibi", "rope", "t5"]
    assert table["rank"].tolist()[:2] == [1, 2]
    assert pd.isna(table["rank"][2])
    assert "not converged" in table.note[2]
    assert table.score[2] == pytest.approx(0.7), "shown, for all that"
    assert table.converged.tolist() == [2, 2, 0]
    assert (table.note.str.contains("few seeds")).all()
    assert table.reach.tolist() == [45, 20, 0]


def test_one_bad_seed_is_told_and_counted(composed: Compose) -> None:
    runs = [record(composed(f"seed={seed}"), (lambda n: 5) if seed == 2 else a_tenth_beyond) for seed in range(5)]
    (row,) = methods(runs).to_dict("records")
    assert (row["seeds"], row["converged"], row["rank"]) == (5, 4, 1)
    assert row["note"] == "1 of 5 seeds not converged in distribution"
    assert row["score"] == pytest.approx((0.5 + 4 * 0.1) / 5), "no seed is left out of the mean"
    assert row["score_max"] == 0.5
    assert row["score_low"] <= row["score"] <= row["score_high"]


def test_equal_scores_share_a_rank(composed: Compose) -> None:
    runs = [record(composed(f"encoding={name}"), a_tenth_beyond) for name in ("rope", "alibi", "nope")]
    assert methods(runs)["rank"].tolist() == [1, 1, 1]


def test_there_is_no_rank_where_no_method_scores_anything(composed: Compose) -> None:
    """Sample records: blind gets nothing exactly right."""
    nothing = [record(composed(f"encoding={name}"), near_only) for name in ("rope", "alibi")]
    table = methods(nothing)
    assert table["rank"].isna().all()
    assert set(table.note) == {"no rank: no method scores above a guess; few seeds (1)"}
    assert table.converged.tolist() == [1, 1]
    known = methods([*nothing, record(composed("encoding=nope"), lambda n: 10 if n <= 25 else 0)])
    assert dict(zip(known.method, known["rank"], strict=True)) == {"nope": 1, "rope": 2, "alibi": 2}
    assert not known.note.str.contains("no rank").any(), "being last among those that score is a rank"


@pytest.mark.slow
def test_a_score_that_a_guess_reaches_is_no_rank(composed: Compose) -> None:
    tested = identity.tested_lengths(composed(), instantiation.task(composed()))
    chance = [{"length": n, "exact": 0.4, "tokens": 0.5} for n in tested]

    def ranked(*right: int) -> bool:
        runs = [
            record(composed(f"seed={seed}"), lambda n, right=right: 10 if n <= 20 else right).model_copy(
                update={"chance": sample(composed(), chance=chance).chance}
            )
            for seed, right in enumerate(right)
        ]
        return bool(methods(runs)["rank"].notna().all())

    assert ranked(5)
    assert not ranked(4)
    assert ranked(5, 6, 5, 5, 6)
    assert not ranked(9, 2, 3, 2, 9), "the interval over seeds reaches below"


def test_a_method_is_called_by_what_differs_within_its_task(composed: Compose) -> None:
    """A folder of several studies: each has steps of its own, and nothing else is compared within a task."""
    runs = [
        *[record(composed(f"encoding={name}", "train=standard"), near_only) for name in ("rope", "alibi")],
        *[record(composed(f"encoding={name}", "train=quick", "task=reverse"), near_only) for name in ("rope", "t5")],
        record(composed("task=reverse", "train=standard"), near_only),
    ]
    table = methods(runs)
    named = table.groupby("task").method.apply(sorted).to_dict()
    assert named["copy"] == ["alibi", "rope"]
    assert named["reverse"] == ["rope", "rope · steps=5000", "t5"]
    assert set(tables.curves(frames.of(runs)).method) == set(table.method)


def test_failed_runs_are_counted(composed: Compose) -> None:
    failed = {"status": "failed", "reason": "x", "scores": [], "blind": [], "cost": None, "final_loss": None}
    runs = [
        record(composed(), a_tenth_beyond),
        sample(composed("seed=1"), **failed),
        sample(composed("encoding=t5"), **failed),
    ]
    table = methods(runs)
    assert table.set_index("method").note["rope"] == "few seeds (1); 1 run failed"
    assert table.set_index("method").seeds["t5"] == 0
    assert pd.isna(table.set_index("method").score["t5"])


def test_every_extension_has_a_row_of_its_own(composed: Compose) -> None:
    table = methods([record(composed("extension=[extrapolate,ntk]"), near_only)])
    assert table.method.tolist() == ["rope · extrapolate", "rope · ntk"]


def test_tasks_that_differ_are_never_ranked_together(composed: Compose) -> None:
    runs = [
        record(composed("task.symbols=10"), a_tenth_beyond),
        record(composed(), a_tenth_beyond),
        record(composed("lengths.test=50"), a_tenth_beyond),
    ]
    table = methods(runs)
    assert table.task_id.nunique() == 3
    assert table.task.nunique() == 3
    assert table["rank"].tolist() == [1, 1, 1]
    assert table.method.tolist() == ["rope", "rope", "rope"], "nothing differs within a task"


@pytest.mark.slow
def test_text_is_ranked_by_fewest_bits(composed: Compose) -> None:
    runs = [sample(composed("task=text", f"encoding={name}")) for name in ("rope", "alibi")]
    better = runs[1].model_copy(update={"scores": [row.model_copy(update={"nats": 1.0}) for row in runs[1].scores]})
    table = methods([runs[0], better])
    assert table.method.tolist() == ["alibi", "rope"]
    assert table["rank"].tolist() == [1, 2]
    assert table.score[0] == pytest.approx(1 / 100 / math.log(2))
    assert table.reach.isna().all()


def test_the_baselines_of_a_task_are_rows_without_a_rank(composed: Compose) -> None:
    tested = identity.tested_lengths(composed(), instantiation.task(composed()))
    guess = {"examples": 10, "exact": 4, "tokens": 100, "correct": 50}
    made = sample(
        composed(),
        chance=[{"length": n, "exact": 0.25, "tokens": 0.5} for n in tested],
        shortcuts={"last symbol": [{"length": n, **guess} for n in tested]},
    )
    table = tables.leaderboard(frames.of([made])).set_index("method")
    assert table.index.tolist() == ["rope", "(oracle)", "(shortcut last symbol)", "(chance)", "(blind)"]
    assert table.score.tolist() == pytest.approx([0.3, 1.0, 0.4, 0.25, 0.0])
    assert table.token_accuracy.tolist() == pytest.approx([0.6, 1.0, 0.5, 0.5, 0.2])
    assert table["rank"].isna().tolist() == [False, True, True, True, True]
    assert set(table.kind[1:]) == {"baseline"}


def test_a_task_scored_by_tokens_is_ranked_by_them(composed: Compose) -> None:
    def scored(name: str, exact: int, correct: int) -> Record:
        made = sample(composed(f"encoding={name}"))
        rows = [row.model_copy(update={"exact": exact, "correct": correct}) for row in made.scores]
        task = made.task.model_copy(update={"metric": "token_accuracy"})
        return made.model_copy(update={"scores": rows, "task": task})

    table = methods([scored("rope", 9, 99), scored("alibi", 0, 100)])
    assert table.method.tolist() == ["alibi", "rope"]
    assert table.score.tolist() == pytest.approx([1.0, 0.99])
    assert table.reach.tolist() == [100, 100]
    assert table.exact_match.tolist() == pytest.approx([0.0, 0.9])


def test_above_blind_is_printed_of_what_a_task_is_ranked_by(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Sample records: 60 of 100 tokens beyond training, where blind has 20."""
    put(sample(composed("task=running_parity", "encoding=alibi")), tmp_path)
    assert command.main([str(tmp_path)]) == 0
    heads, row = capsys.readouterr().out.splitlines()[1:3]
    shown = dict(zip(re.split(r"\s{2,}", heads.strip()), re.split(r"\s{2,}", row.strip()), strict=False))
    assert shown["method"] == "alibi"
    assert (shown["score"], shown["above blind"], shown["exact match"]) == ("0.600", "0.500", "0.300")


def test_scores_along_axes_have_a_table_of_their_own(composed: Compose) -> None:
    made = sample(composed())
    assert tables.slices(frames.of([made])).empty
    part = {
        **made.scores[0].model_dump(),
        "examples": 4,
        "exact": 1,
        "exact_given_length": 2,
        "tokens": 40,
        "correct": 9,
    }
    made = sample(composed(), slices=[{**part, "at": {"depth": 3}}, {**part, "at": {"depth": 4}}])
    table = tables.slices(frames.of([made]))
    assert table.axis_depth.tolist() == [3, 4]
    assert table.exact_match.tolist() == [0.25, 0.25]
    assert table.exact_given_length.tolist() == [0.5, 0.5]


def test_the_command_writes_tables_and_figures(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("rope", "alibi"):
        for seed in range(3):
            put(record(composed(f"encoding={name}", f"seed={seed}"), near_only), tmp_path)
    (tmp_path / "records" / "foreign.json").write_text("{}")
    assert command.main([str(tmp_path)]) == 0
    out = capsys.readouterr()
    assert "skipped" in out.err
    assert "foreign.json" in out.err
    board = pd.read_csv(tmp_path / "leaderboard.csv", keep_default_na=False)
    assert board.method.tolist() == ["alibi", "rope", "(oracle)", "(blind)"]
    assert pd.read_csv(tmp_path / "warnings.csv").empty
    curves = pd.read_csv(tmp_path / "curves.csv")
    assert len(curves) == 2 * 3 * 22
    assert (curves.exact / curves.examples == curves.exact_match).all()
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["copy.png", "copy.svg"]
    first = {
        path.name: path.read_bytes()
        for path in (tmp_path / "leaderboard.csv", tmp_path / "curves.csv", tmp_path / "figures" / "copy.svg")
    }
    assert command.main([str(tmp_path)]) == 0
    assert all(
        (tmp_path / "figures" / name if name.endswith("svg") else tmp_path / name).read_bytes() == content
        for name, content in first.items()
    )


def test_text_that_looks_like_a_formula_is_made_harmless() -> None:
    table = pd.DataFrame({"name": ["=HYPERLINK(1)", "+1", "-2", "@SUM", "\tx", "fine"], "number": [-1.0] * 6})
    read = pd.read_csv(io.StringIO(csv(table)), dtype=str)
    assert read.name.tolist() == ["'=HYPERLINK(1)", "'+1", "'-2", "'@SUM", "\\tx", "fine"]
    assert read.number.tolist() == ["-1"] * 6


def test_a_seed_counts_once_however_often_its_weights_were_tested(composed: Compose) -> None:
    both = [record(composed(f"extension={names}"), near_only) for names in ("extrapolate", "[extrapolate,ntk]")]
    board = methods(both)
    assert dict(zip(board.extension, board.seeds, strict=True)) == {"extrapolate": 1, "ntk": 1}
    assert not tables.curves(frames.of(both)).duplicated(["extension", "seed", "length"]).any()


def test_a_failure_that_another_run_of_the_seed_made_good_is_no_failure(composed: Compose) -> None:
    failed = sample(composed(), status="failed", reason="x", scores=[], blind=[], cost=None, final_loss=None)
    board = methods([failed, record(composed("extension=[extrapolate,ntk]"), near_only)])
    assert "failed" not in " ".join(board.note)


def test_results_of_different_versions_of_the_program_are_different_methods(
    composed: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = record(composed(), near_only)
    monkeypatch.setattr(identity, "VERSION", 2)
    board = methods([old, record(composed("seed=1"), near_only)])
    assert board.seeds.tolist() == [1, 1]


def test_weights_trained_further_are_another_method_whose_seeds_are_one(composed: Compose, tmp_path: Path) -> None:
    """The seeds of a method may go on from weights of other seeds; lengths trained before are no other task."""
    quick = ("model=nano", "lengths.train=20")
    origins = [put(sample(composed("model=nano", "lengths.train=10", f"seed={n}")), tmp_path) for n in (0, 1)]
    longer = put(sample(composed("model=nano", "lengths.train=15")), tmp_path)

    def further(origin: Path, extension: str, *words: str) -> Record:
        run = composed(*quick, f"weights_from={origin}", f"train_extension={extension}", *words)
        return record(run, a_tenth_beyond)

    runs = [
        record(composed(*quick), near_only),
        *[further(origin, "yarn", f"seed={seed}") for seed, origin in enumerate(origins)],
        further(origins[1], "yarn", "seed=0"),
        further(origins[0], "yarn", "train_extension.factor=4"),
        further(origins[0], "extrapolate"),
        further(longer, "extrapolate"),
    ]
    table = methods(runs).set_index("method")
    assert table.task_id.nunique() == 1
    assert set(table.index) == {
        "rope · from scratch",
        "rope · fine-tuned with yarn",
        "rope · fine-tuned with yarn · factor=4.0",
        "rope · fine-tuned · original_tokens=22",
        "rope · fine-tuned · original_tokens=32",
    }
    assert sorted(table.seeds) == [1, 1, 1, 1, 3]
