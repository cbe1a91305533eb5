"""Published results are cited, described and checked, and the studies compare with just these."""

import csv
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ROOT

FOLDER = ROOT / "results" / "published"
TABLES = sorted(FOLDER.glob("*.csv"))
SAID = {"title", "citation", "source", "licence", "shown_in", "score", "columns", "checked", "differs"}
METHODS = {"none": "nope", "t5_relative_bias": "t5", "rotary": "rope", "abs_sinusoid": "sinusoidal", "alibi": "alibi"}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def described(name: str) -> dict[str, Any]:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_a_table_says_where_it_is_from_and_what_its_numbers_are(path: Path) -> None:
    said = described(path.stem)
    assert said.keys() >= SAID
    assert all(said[key] for key in SAID)
    assert list(said["columns"]) == list(rows(path)[0])
    scores = [float(value) for row in rows(path) for key, value in row.items() if key.startswith("exact_")]
    assert scores
    assert all(0 <= score <= 1 for score in scores)
    assert f"[{path.name}]({path.name})" in (FOLDER / "README.md").read_text()


def test_the_means_of_huang_are_those_of_their_files() -> None:
    bands = ("exact_0_50", "exact_51_100", "exact_101_150")
    counted: dict[str, list[list[float]]] = defaultdict(list)
    for row in rows(FOLDER / "huang2025.csv"):
        if row["counted"] == "yes":
            counted[Path(row["source_file"]).stem].append([float(row[band]) for band in bands])
    for name, means in described("huang2025")["means"].items():
        assert len(counted[name]) == 5
        for published, scores in zip(means, zip(*counted[name], strict=True), strict=True):
            assert sum(scores) / 5 == pytest.approx(published, abs=0.5001e-4)


def test_huang_is_compared_with_the_runs_that_are_counted() -> None:
    published = Counter(
        (
            row["task"],
            row["positions"],
            row["run"],
            *(float(row[f"exact_{band}"]) for band in ("0_50", "51_100", "101_150")),
        )
        for row in rows(FOLDER / "huang2025.csv")
        if row["counted"] == "yes" and float(row["regularizer"]) == 0
    )
    study = Counter(
        (row["task"], row["method"], row["run"], *(float(row[band]) for band in ("trained", "twice", "thrice")))
        for row in rows(ROOT / "conf" / "study" / "huang2025.csv")
    )
    assert published == study


def test_kazemnejad_is_compared_with_the_mean_over_lengths_of_every_seed() -> None:
    lengths: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    overall = {}
    for row in rows(FOLDER / "kazemnejad2023.csv"):
        task = row["dataset"] if row["dataset"] in ("scan", "pcfg") else row["configuration"].split("_")[0]
        cell = task, METHODS[row["encoding"]], row["seed"]
        if row["length"] == "overall":
            overall[row["dataset"], row["configuration"], row["encoding"], row["seed"]] = float(row["exact_match"])
        else:
            lengths[cell].append(float(row["exact_match"]))
    study = rows(ROOT / "conf" / "study" / "kazemnejad2023.csv")
    assert len(study) == len(lengths) == len(overall) == 150
    for row in study:
        own = lengths[row["task"], row["method"], row["run"]]
        assert sum(own) / len(own) == pytest.approx(float(row["beyond"]), abs=0.6e-4)
    golden = rows(ROOT / "tests" / "golden" / "kazemnejad2023_overall.csv")
    assert overall == {
        (row["dataset"], row["configuration"], row["encoding"], row["seed"]): float(row["exact_match"])
        for row in golden
    }
