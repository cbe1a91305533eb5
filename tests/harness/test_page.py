"""The page of a leaderboard, without a browser: what it holds, that it is the same for the same records, and safe."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from support import ROOT, environment, near_only, put, record

from harness.commands import leaderboard
from harness.config.schema import Run
from harness.errors import Refused
from harness.page import data, document, writing
from harness.results import collection, csv_files, formats, frames, sheets, tables
from harness.results.views import View
from harness.results.warnings import table as warnings

Compose = Callable[..., Run]


def shown(page: str) -> dict[str, Any]:
    """The data of a page, as a browser finds it."""
    [text] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


WRITES = """
import sys
from pathlib import Path
from harness.page import writing
from harness.results import collection
folder = Path("results")
writing.write(collection.read([folder])[0], [folder], Path("again.html"))
assert "torch" not in sys.modules
"""


@pytest.mark.slow
def test_the_command_writes_the_page_and_another_process_the_same_without_pytorch(
    composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("rope", "alibi"):
        put(record(composed(f"encoding={name}"), near_only), tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    assert leaderboard.main(["--page", "page.html"]) == 0
    assert "page.html" in capsys.readouterr().out
    again = [sys.executable, "-c", WRITES]
    subprocess.run(again, cwd=tmp_path, env=environment(PYTHONHASHSEED="1"), check=True, timeout=300)
    assert (tmp_path / "page.html").read_bytes() == (tmp_path / "again.html").read_bytes()
    assert len(shown((tmp_path / "page.html").read_text())["runs"]) == 2


def test_cells_have_the_numbers_of_the_leaderboard_and_runs_their_counts(tmp_path: Path) -> None:
    for path in sorted(ROOT.glob("results/core_candidates/records/*.json"))[::6]:
        shutil.copy(path, tmp_path)
    folder = tmp_path
    found, _ = collection.read([folder])
    page = data.page_data(found, [folder])
    board = tables.leaderboard(found)
    own = board[board.kind == "method"]
    score = page["cell_columns"].index("score")
    assert [cell[score] for cell in page["cells"]] == pytest.approx(own.score.tolist(), rel=1e-3)
    places = {name: page["run_columns"].index(name) for name in ("record", "lengths", "exact", "correct", "path")}
    for run in page["runs"]:
        path = Path(page["texts"][run[places["path"]]]) / f"{run[places['record']]}.json"
        said = json.loads(path.read_text())
        of = page["lengths"][run[places["lengths"]]]
        assert [row["exact"] for row in said["scores"]] == run[places["exact"]]
        assert [row["correct"] for row in said["scores"]] == run[places["correct"]]
        assert [(row["length"], row["examples"], row["tokens"]) for row in said["scores"]] == list(
            zip(of["length"], of["examples"], of["tokens"], strict=True)
        )


def test_the_config_of_a_run_can_be_put_together_again(composed: Compose, tmp_path: Path) -> None:
    made = [record(composed(f"encoding={name}"), near_only) for name in ("rope", "alibi")]
    for one in made:
        put(one, tmp_path)
    page = data.page_data(frames.of(made), [tmp_path])
    configs = page["run_columns"].index("config")
    for run, one in zip(page["runs"], made, strict=True):
        parts = {key: value for number in run[configs] for key, value in page["configs"][number].items()}
        assert {**parts, "seed": one.seed} == one.config


def test_methods_have_one_name_on_all_tasks_and_two_where_budgets_differ_on_one(
    composed: Compose, tmp_path: Path
) -> None:
    choices = [
        ("task=copy", "encoding=rope"),
        ("task=reverse", "encoding=rope", "train.steps=50"),
        ("task=copy", "encoding=alibi"),
        ("task=copy", "encoding=alibi", "train.steps=50"),
    ]
    made = [record(composed(*words), near_only) for words in choices]
    for one in made:
        put(one, tmp_path)
    page = data.page_data(frames.of(made), [tmp_path])
    assert [method["label"] for method in page["methods"]] == ["alibi · steps=3500", "alibi · steps=50", "rope"]
    assert any("unequal training" in line for line in page["cautions"])


@pytest.mark.slow
def test_cautions_are_the_warnings_that_are_written(tmp_path: Path) -> None:
    """And then what is to be known of the records."""
    found, _ = collection.read([ROOT / "results" / "core_candidates"])
    formats.write(tmp_path / "warnings.csv", "csv", warnings.table(found))
    written = pd.read_csv(tmp_path / "warnings.csv", keep_default_na=False).map(csv_files.unescape)
    shown = data.page_data(found, [ROOT / "results" / "core_candidates"])["cautions"]
    assert len(written) > 1
    said = [f"{row.task}: {row.what} ({row.warning}: {row.remedy})" for row in written.itertuples()]
    assert shown[: len(written)] == said
    assert not set(said) & set(shown[len(written) :])


def test_seeds_that_learned_by_chance_have_a_range(composed: Compose, tmp_path: Path) -> None:
    made = [record(composed(f"seed={seed}"), lambda n, seed=seed: 10 if seed or n <= 20 else 1) for seed in range(3)]
    for one in made:
        put(one, tmp_path)
    page = data.page_data(frames.of(made), [tmp_path])
    (cell,) = [dict(zip(page["cell_columns"], row, strict=True)) for row in page["cells"]]
    assert cell["by_chance"]
    assert (cell["score_min"], cell["score_max"]) == (0.1, 1.0)
    assert any("learned by chance" in line for line in page["cautions"])
    board = tables.leaderboard(frames.of(made))
    for arranged in (sheets.terminal, sheets.page):
        (sheet,) = arranged(board, View([], [], [], [], ""))
        text = " ".join(f"{cell.text} {cell.small}" for row in sheet.rows for cell in row)
        assert "0.100 to 1.000‡" in text or "[0.100, 1.000]‡" in text
        assert "‡" in sheet.note


HOSTILE = "</script><script>window.hurt=1</script>\u2028<!--<b>&amp;\"'"


def test_nothing_in_a_record_ends_the_data(composed: Compose, tmp_path: Path) -> None:
    page = document.document({"text": [HOSTILE], HOSTILE: 1}, HOSTILE)
    assert shown(page) == {"text": [HOSTILE], HOSTILE: 1}
    assert len(re.findall("<script", page)) == 2
    assert len(re.findall("</script>", page)) == 2
    assert "\u2028" not in page.partition('id="data">')[2]


def test_the_policy_names_what_is_there_and_allows_nothing_else() -> None:
    page = document.document({}, "title")
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    for rule, element in (("script-src", "script"), ("style-src", "style")):
        [text] = re.findall(rf"<{element}>(.*?)</{element}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert "unsafe" not in policy
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", page))
    assert addresses == {"http://www.w3.org/2000/svg"}, "the name of SVG, which nobody fetches"
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(", page)


def test_a_page_that_cannot_be_written_is_refused_in_a_line(composed: Compose, tmp_path: Path) -> None:
    found = frames.of([record(composed(), near_only)])
    (tmp_path / "folder.html").mkdir()
    for name, said in (("page.txt", r"ends in \.html"), ("no/page.html", "no folder"), ("folder.html", "is a folder")):
        with pytest.raises(Refused, match=said):
            writing.write(found, [tmp_path], tmp_path / name)
    with pytest.raises(Refused, match="is no more"):
        writing.write(found, [tmp_path], tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.html"]


def test_all_parts_of_the_script_are_joined_and_short() -> None:
    parts = sorted(path.stem for path in document.FILES.glob("*.js"))
    assert parts == sorted(document.SCRIPTS)
    lines = {path.name: len(path.read_text().splitlines()) for path in document.FILES.iterdir()}
    assert {name: count for name, count in lines.items() if count > 300} == {}
