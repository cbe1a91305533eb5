"""Views of a leaderboard: what is printed, what is written, and what is not."""

import io
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from support import near_only, put, record, sample

from harness import cli
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.results import formats, frames, sheets, tables
from harness.results.latex import latex
from harness.results.markdown import markdown
from harness.results.views import View

Compose = Callable[..., Run]
PLAIN = View([], [], [], [], "")


@pytest.fixture
def folder(composed: Compose, tmp_path: Path) -> Path:
    """Two tasks, two methods and three seeds: alibi is surely better on copy, on reverse nobody can tell."""
    right = {"copy": {"rope": (1, 1, 2), "alibi": (8, 9, 8)}, "reverse": {"rope": (2, 7, 4), "alibi": (8, 3, 4)}}
    for task, methods in right.items():
        for name, scores in methods.items():
            for seed, score in enumerate(scores):
                run = composed(f"task={task}", f"encoding={name}", f"seed={seed}")
                put(record(run, lambda n, score=score: 10 if n <= 20 else score), tmp_path / "results")
    return tmp_path / "results"


@pytest.mark.slow
def test_a_view_is_printed_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["leaderboard", str(folder)]
    assert cli.main([*words, "--columns", "method,score,parameters", "--sort", "score"]) == 0
    heads, *rows = capsys.readouterr().out.split("\n\n")[0].splitlines()[1:]
    assert heads.split() == ["method", "score", "parameters"]
    assert [float(row.split()[1]) for row in rows] == sorted(float(row.split()[1]) for row in rows)
    assert cli.main([*words, 'task == "copy"', "--format", "csv"]) == 0
    board = pd.read_csv(io.StringIO(capsys.readouterr().out))
    assert set(board.task) == {"copy"}
    assert cli.main([*words, "--group", "method", "--columns", "task,score"]) == 0
    assert capsys.readouterr().out.split("\n\n")[0].splitlines()[0] == "method (blind)"
    assert {path.name for path in folder.iterdir()} - {".cache"} == {"records"}


@pytest.mark.parametrize(
    ("words", "said"),
    {
        ("--columns", "method,scor"): "--columns: unknown column 'scor'; did you mean 'score'?",
        ("--sort", "score up"): "--sort score up: a column, then asc or desc",
        ("--pivot", "task"): "--pivot task: two columns",
        ("--pivot", "task,method", "--group", "task"): "leave out --columns, --sort and --group",
        ("--pivot", "task,method", "--value", "note"): "--value note: this column holds no numbers",
        ("--format", "parquet"): "is nothing to print",
        ("--output", "table.xlsx"): "a file ends in .csv, .parquet, .md, .tex",
        ("--output", "table.tex", "--format", "csv"): "is not --format csv",
        ("--columns", "method", "--output", "there"): "name a file for it",
        ("--suite", "cor"): "unknown suite 'cor'; did you mean 'core'?",
    }.items(),
    ids=str,
)
def test_what_cannot_be_shown_is_refused(
    words: tuple[str, ...], said: str, composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    put(record(composed(), near_only), tmp_path / "results")
    assert cli.main(["leaderboard", *words]) == 2
    assert said in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == {"results"}


@pytest.mark.slow
def test_one_axis_against_another(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "pivot.csv"
    assert cli.main(["leaderboard", str(folder), "--pivot", "task,method", "--output", str(output)]) == 0
    table = pd.read_csv(output, index_col="task")
    assert list(table) == ["alibi", "rope", "(blind)", "(oracle)"]
    assert table.loc["copy", "alibi"] == pytest.approx(25 / 30, rel=1e-5)
    assert set(table["(oracle)"]) == {1.0}
    assert cli.main(["leaderboard", str(folder), "--pivot", "task,method", "--format", "markdown"]) == 0
    assert r"| copy | **0.833** <small>\[0.690, 0.977\]</small> |" in capsys.readouterr().out
    assert cli.main(["leaderboard", str(folder), "--pivot", "method,task", "--format", "csv"]) == 0
    turned = pd.read_csv(io.StringIO(capsys.readouterr().out), index_col="method")
    pd.testing.assert_frame_equal(turned.T, table, check_names=False, check_dtype=False)
    for path in (folder / "records").glob("reverse-rope-*"):
        path.unlink()
    capsys.readouterr()
    assert cli.main(["leaderboard", str(folder), "--pivot", "family,encoding"]) == 0
    row = capsys.readouterr().out.splitlines()[2].split()
    assert row[:2] == ["copying", "2"]
    assert row[-3:] == ["1", "of", "2"], "rope's mean is over one of the two tasks, which is said"


def test_a_cell_that_would_mix_two_budgets_is_refused(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for steps in (40, 60):
        put(record(composed(f"train.steps={steps}"), near_only), tmp_path)
    for pivot in ("task,method", "encoding,architecture"):
        assert cli.main(["leaderboard", str(tmp_path), "--pivot", pivot]) == 2
        assert "choose one with a filter: 'train.steps == 40' or 'train.steps == 60'" in capsys.readouterr().err
    assert cli.main(["leaderboard", str(tmp_path), "--pivot", "train_length,learning_rate", "train.steps == 40"]) == 0


def test_baselines_are_beside_the_methods(composed: Compose) -> None:
    tested = identity.tested_lengths(composed(), instantiation.task(composed()))
    guess = {"examples": 10, "tokens": 100, "correct": 50}
    shortcuts = {
        name: [{"length": n, "exact": exact, **guess} for n in tested] for name, exact in {"a": 4, "b": 6}.items()
    }
    chance = [{"length": n, "exact": 0.25, "tokens": 0.5} for n in tested]
    from harness.results import views

    board = tables.leaderboard(frames.of([sample(composed(), chance=chance, shortcuts=shortcuts)]))
    made = views.pivot(View([], [], [], ["task", "method"], "score"), board).values
    assert made.loc["copy"].to_dict() == pytest.approx(
        {"rope": 0.3, "(chance)": 0.25, "(blind)": 0.0, "(shortcut)": 0.6, "(oracle)": 1.0}
    )


def test_the_best_is_bold_and_what_seeds_cannot_tell_from_it_is_marked(folder: Path) -> None:
    from harness.results import collection

    board = tables.leaderboard(collection.read([folder])[0])
    pages = {sheet.title.split(":")[0]: sheet for sheet in sheets.page(board, PLAIN)}
    marks = {
        task: {row[1].text: (cell.best, cell.near) for row in sheet.rows for cell in row if cell.small}
        for task, sheet in pages.items()
    }
    assert marks == {
        "copy": {"alibi": (True, False), "rope": (False, False)},
        "reverse": {"alibi": (True, False), "rope": (False, True)},
    }
    text = latex([*pages.values()])
    assert r"\textbf{0.833} {\small {[}0.690, 0.977{]}}" in text
    assert r"\textsuperscript{\textdagger{}}" in text
    assert "**0.833** <small>" in markdown([*pages.values()])


NASTY = 'a_b & 50% #1 {x} ~^ <i> |p| \\cmd $y$ `c` *s* [l](u) "q" 名'


def test_tables_for_papers_are_whole_whatever_names_there_are(composed: Compose) -> None:
    board = tables.leaderboard(frames.of([record(composed(), near_only)]))
    board["note"] = NASTY
    view = View(["method", "note", "score"], [], [], [], "")
    made = [*sheets.page(board, view)]
    text = latex(made)
    for environment in ("table", "tabular"):
        assert text.count(rf"\begin{{{environment}}}") == text.count(rf"\end{{{environment}}}") == 1
    assert [text.count(rf"\{rule}") for rule in ("toprule", "midrule", "bottomrule")] == [1, 1, 1]
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == len(board) + 1
    bare = [re.sub(r"\\[&%#_{}$]|\\text\w+\{\}|\\small|\\textbf", "", row.removesuffix(r"\\")) for row in rows]
    assert all(row.count("&") == 2 for row in bare), "as many cells as columns"
    assert not any(set('%#_$~^\\<>|"') & set(row) for row in bare), "nothing that means something is left"
    depth = 0
    for character in re.sub(r"\\[{}]", "", text):
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0
    lines = [line for line in markdown(made).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {4}
    assert "<i>" not in markdown(made)


@pytest.mark.slow
def test_latex_compiles_where_it_is_installed(composed: Compose, tmp_path: Path) -> None:
    import shutil
    import subprocess

    if shutil.which("pdflatex") is None:
        pytest.skip("no LaTeX")
    board = tables.leaderboard(frames.of([record(composed(), near_only)])).assign(note=NASTY.replace("名", ""))
    body = latex([*sheets.page(board, View(["method", "note", "score"], [], [], [], ""))])
    packages = r"\usepackage{booktabs}\usepackage[T1]{fontenc}\usepackage{textcomp}"
    (tmp_path / "t.tex").write_text(rf"\documentclass{{article}}{packages}\begin{{document}}{body}\end{{document}}")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.slow
def test_parquet_has_the_columns_and_names_of_the_tables(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert cli.main(["leaderboard", str(folder), "--format", "parquet", "--output", str(tmp_path / "out")]) == 0
    assert cli.main(["leaderboard", str(folder), "--output", str(tmp_path / "csv")]) == 0
    for name in ("leaderboard", "runs", "curves"):
        parquet = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        written = pd.read_csv(tmp_path / "csv" / f"{name}.csv")
        assert list(parquet) == list(written)
        assert parquet.task.tolist() == written.task.tolist()
    table = pd.DataFrame({"name": ["NA", "=1", "007", None], "known": [True, None, False, None], "n": [0.0, 1, 2, 3]})
    read = pd.read_parquet(io.BytesIO(formats.parquet(table)))
    assert read.name.tolist()[:3] == ["NA", "=1", "007"]
    assert read.name.isna().tolist() == [False, False, False, True]
    assert read.known.isna().tolist() == [False, True, False, True]
    assert read.n.tolist() == [0, 1, 2, 3]


def test_without_pyarrow_one_line_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pd.DataFrame({"count": [1]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Refused, match=r"pip install 'length-generalization-harness\[parquet\]'"):
        formats.parquet(table)


@pytest.mark.slow
def test_published_tables_are_not_replaced_unsaid(
    composed: Compose, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    published, own = tmp_path / "published", tmp_path / "own"
    put(record(composed("encoding=nope"), near_only), published)
    assert cli.main(["leaderboard", str(published)]) == 0
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file() and ".cache" not in path.parts}
    put(record(composed("encoding=nope"), near_only), own)
    for words in ([str(folder), "--output", str(published)], [str(published), str(folder)],
                  [str(own), "--output", str(published)]):  # fmt: skip
        assert cli.main(["leaderboard", *words]) == 2
        assert f"{published} holds the tables of its own 1 record" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before
    assert cli.main(["leaderboard", str(published)]) == 0, "its own records may be added to"
    assert cli.main(["leaderboard", str(published), str(folder), "--replace"]) == 0
    assert len(pd.read_csv(published / "runs.csv")) == 13
