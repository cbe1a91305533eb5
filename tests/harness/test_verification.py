"""What verify finds: every claim of a record that can be computed again is, and nothing of a record is run."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import ROOT, choices, component

from harness import layouts
from harness.config import identity
from harness.config.schema import Run
from harness.evaluation import scoring
from harness.files import sealed_json
from harness.results import frames, records
from harness.results.csv_files import csv
from harness.verification import tables, verification
from harness.verification.configs import Known
from harness.verification.denominators import Remade
from harness.verification.protocol import PROTOCOLS
from harness.verification.verdicts import Verdict

RESULTS = ROOT / "results"
COPY = sorted((RESULTS / "core_candidates" / "records").glob("copy-rope-*.json"))[0]
FLIP_FLOP = sorted((RESULTS / "core_candidates" / "records").glob("flip_flop-rope-*.json"))[0]
SEALED = sorted((RESULTS / "huang2025" / "records").glob("parity-nope-seed0-*.json"))[0]


def forged(path: Path, change: Callable[[dict[str, Any]], object], folder: Path) -> Path:
    """A record changed by somebody who takes the trouble to name and to seal it anew."""
    value = json.loads(path.read_text())
    change(value)
    training = value["science"]["training"]
    prefix = f"{training['task']['name']}-{training['encoding']['name']}-seed{training['seed']}"
    value["name"] = f"{prefix}-{identity.digest(value['science'])}"
    value["training_name"] = f"{prefix}-{identity.digest(training)}"
    value["seal"] = sealed_json.seal(value)
    written = folder / "records" / f"{value['name']}.json"
    written.parent.mkdir(parents=True, exist_ok=True)
    written.write_text(json.dumps(value, indent=1) + "\n")
    records.read(written)  # it is not refused when it is read: only computing again shows what is wrong
    return written


def in_folder(folder: Path, *paths: Path) -> Path:
    (folder / "records").mkdir(parents=True)
    for path in paths:
        shutil.copy(path, folder / "records")
    return folder


def verdict(folder: Path) -> Verdict:
    (found,) = verification.verify([folder])
    return found


@pytest.mark.slow
def test_published_records_are_what_they_say(tmp_path: Path) -> None:
    """Some of each folder; all of them and their tables are verified by the test of the command."""
    for folder in sorted(RESULTS.glob("*/records")):
        chosen = sorted(folder.glob("*.json"))[::12]
        assert chosen
        found = verification.verify([in_folder(tmp_path / folder.parent.name, *chosen)])
        assert not [one.problems for one in found if one.problems]


def more_tokens(value: dict[str, Any]) -> None:
    """A longer answer than there is, with the rest right: the accuracy rises."""
    for rows in (value["scores"], value["blind"], *value["shortcuts"].values()):
        row = next(row for row in rows if row["length"] == 30)
        row["tokens"] += 100
        row["correct"] += 100


def without_the_longest(value: dict[str, Any]) -> None:
    """The length with the worst score left out."""
    gone = value["science"]["tested"].pop()
    for key in ("scores", "slices", "blind", "chance", "tests"):
        value[key] = [row for row in value[key] if row["length"] != gone]
    value["shortcuts"] = {
        name: [row for row in rows if row["length"] != gone] for name, rows in value["shortcuts"].items()
    }


FORGERIES: dict[str, tuple[Path, Callable[[dict[str, Any]], object]]] = {
    "extrapolate at length 30: tokens is": (COPY, more_tokens),
    "and its config 22": (COPY, without_the_longest),
    "it is scored by token_accuracy, and": (COPY, lambda v: v["task"].update(metric="token_accuracy")),
    "test examples of length 1: longest is 99": (COPY, lambda v: v["tests"][0].update(longest=99)),
    "blind at length 100: correct is": (COPY, lambda v: v["blind"][-1].update(correct=0)),
    "chance at length 1: tokens is 0.0": (COPY, lambda v: v["chance"][0].update(tokens=0.0)),
    "shortcut what follows the symbol before at length 100: correct is 0": (
        COPY, lambda v: v["shortcuts"]["what follows the symbol before"][-1].update(correct=0, exact=0)),
    "copy has no such shortcut": (COPY, lambda v: v["shortcuts"].update(x=v["shortcuts"].popitem()[1])),
    "its parts along distance are not those of the test examples": (FLIP_FLOP, lambda v: v["slices"].pop()),
    "made again it is": (FLIP_FLOP, lambda v: v["slices"][-1].update(tokens=v["slices"][-1]["tokens"] - 1, correct=0)),
    "ends is": (SEALED, lambda v: [row.update(ends=row["ends"] - 1, ends_correct=0, correct=0)
                                   for row in v["scores"] if row["length"] == 10]),
}  # fmt: skip


@pytest.mark.parametrize("said", FORGERIES)
def test_a_claim_that_is_sealed_anew_is_found_out(said: str, tmp_path: Path) -> None:
    forged(*FORGERIES[said], tmp_path)
    found = verdict(tmp_path)
    assert found.word == "bad"
    assert any(said in problem for problem in found.problems), found.problems


def test_copies_and_conflicts_are_named(tmp_path: Path) -> None:
    first, second = in_folder(tmp_path / "a", SEALED), in_folder(tmp_path / "b", SEALED)
    one, other = verification.verify([first, second])
    assert one.word == "good"
    assert (other.word, other.remarks) == ("marked", (f"duplicate of {one.path}",))
    better = forged(SEALED, lambda v: v["scores"][0].update(nats=1.5), tmp_path / "c")
    one, other = verification.verify([first, tmp_path / "c"])
    assert other.problems == (f"conflict: {one.path} has the same id and other scores",)
    assert better.name == SEALED.name


def test_one_training_under_two_seeds_is_found(tmp_path: Path) -> None:
    forged(SEALED, lambda value: None, tmp_path)

    def seed(value: dict[str, Any]) -> None:
        for where in (value, value["config"], value["science"]["training"]):
            where["seed"] = 7

    forged(SEALED, seed, tmp_path)
    assert [one.word for one in verification.verify([tmp_path])] == ["good", "bad"]
    assert "which has another seed: they are one training" in verification.verify([tmp_path])[1].problems[0]


def own_class(value: dict[str, Any]) -> None:
    for where in (value["science"]["training"], value["config"]):
        where["encoding"] = {"name": "mine", "target": "beside.Mine", "options": {}}
    value["config"]["packages"] = ["beside"]


def own_files(value: dict[str, Any]) -> None:
    for where in (value["science"]["training"], value["config"]):
        where["task"] |= {"name": "text", "options": {"files": ["secret.txt"]}}
    value["config"]["task"]["target"] = "tasks.language.text.Text"
    value["science"]["training"]["task"]["options"] = {}
    value["task"]["name"] = "text"


@pytest.mark.parametrize("change", [own_class, own_files])
def test_nothing_that_a_record_names_is_imported_or_opened(
    change: Callable[[dict[str, Any]], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "beside.py").write_text("raise SystemExit('ran')\n")
    opened: list[str] = []
    monkeypatch.setattr("tasks.language.text.Source", lambda *a, **k: opened.append("opened"), raising=False)
    forged(SEALED, change, tmp_path)
    found = verdict(tmp_path)
    assert found.word == "marked"
    assert "were not computed again" in found.remarks[0]
    assert not opened


def test_a_record_without_a_seal_is_marked(tmp_path: Path) -> None:
    found = verdict(in_folder(tmp_path, COPY))
    assert found.word == "marked"
    assert "it has no seal" in found.remarks[0]


@pytest.mark.slow
def test_a_cell_of_any_table_that_its_records_do_not_give_is_found(tmp_path: Path) -> None:
    folder = in_folder(tmp_path, FLIP_FLOP, SEALED)  # one has parts of its test, one learning curves
    read = frames.of([records.read(FLIP_FLOP), records.read(SEALED)])
    for name, make in tables.MADE.items():
        (folder / name).write_text(csv(make(read)))
    assert {one.word for one in verification.verify([folder])} == {"good", "marked"}  # one has no seal
    wanted = {}
    for name in tables.MADE:
        header, row, *rest = (folder / name).read_text().splitlines()
        cells = row.split(",")
        numbers = [place for place, cell in enumerate(cells) if re.fullmatch(r"[\d.]+", cell)]
        place = next(iter(numbers), 0)  # a table of words has none
        column, right = header.split(",")[place], cells[place]
        cells[place] = f"{right}1"
        (folder / name).write_text("\n".join([header, ",".join(cells), *rest, ""]))
        wanted[folder / name] = (f"line 2: {column} is {right}1, and computed from the records it is {right}",)
    assert {one.path: one.problems for one in verification.verify([folder]) if one.problems} == wanted


def test_tables_whose_records_are_gone_are_bad_and_those_of_other_folders_are_not(tmp_path: Path) -> None:
    folder = in_folder(tmp_path / "all", SEALED)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "curves.csv").write_text(csv(tables.MADE["curves.csv"](frames.of([records.read(SEALED)]))))
    alone = verdict(tmp_path / "tables")
    assert alone.problems == ("there are no records from which it could be made",)
    assert {one.word for one in verification.verify([folder, tmp_path / "tables"])} == {"good"}


def test_a_protocol_says_what_is_missing(tmp_path: Path) -> None:
    shutil.copytree(RESULTS / "core_candidates" / "records", tmp_path / "records")
    for path in (tmp_path / "records").glob("*.json"):
        if not path.name.startswith("copy"):
            path.unlink()
    found = verification.verify_records([tmp_path], PROTOCOLS[1])
    assert {one.word for one in found} == {"bad"}
    problems = " ".join(found[0].problems)
    assert "schema 1" in problems
    assert "no run of seed 1, 2, 3, 4 on this task" in problems
    assert "budget" not in problems, "the three methods have the same"


def submission(folder: Path, seeds: int = 5, alibi: Callable[[dict[str, Any]], object] = lambda value: None) -> Path:
    """Records of two methods as the protocol wants them; those of the second are changed by ``alibi``."""
    for name in ("rope", "alibi"):
        for seed in range(seeds):

            def change(value: dict[str, Any], name: str = name, seed: int = seed) -> None:
                for where in (value, value["config"], value["science"]["training"]):
                    where["seed"] = seed
                value["schema_version"] = 2
                value["provenance"]["modified"] = False
                for row in value["scores"]:
                    row["nats"] += seed / 64  # other weights
                if name == "alibi":
                    alibi(value)

            forged(next(COPY.parent.glob(f"copy-{name}-*")), change, folder)
    return folder


def longer(value: dict[str, Any]) -> None:
    for where in (value["config"], value["science"]["training"]):
        where["train"]["steps"] += 500
    value["cost"] |= {"steps": value["cost"]["steps"] + 500, "examples": value["cost"]["examples"] + 500 * 32}


def test_a_submission_that_keeps_the_protocol_passes(tmp_path: Path) -> None:
    found = verification.verify([submission(tmp_path / "good")], PROTOCOLS[1])
    assert [one.word for one in found] == ["good"] * 10, found[0].problems
    next((tmp_path / "good" / "records").glob("copy-rope-seed3-*")).unlink()
    found = verification.verify([tmp_path / "good"], PROTOCOLS[1])
    assert {one.problems for one in found if "rope" in one.path.name} == {
        ("its method has no run of seed 3 on this task: the protocol wants 0 to 4 without gaps",)
    }
    assert {one.word for one in found if "alibi" in one.path.name} == {"good"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (longer, "its budget is 80000 training examples, and 64000 that of another method here"),
        (lambda v: v["cost"].update(parameters=10 * v["cost"]["parameters"]), "parameters, over 1.25 times"),
        (lambda v: v["provenance"].update(modified=True), "changes that its commit does not have"),
        (lambda v: v["provenance"].update(commit="", harness=""), "neither the commit nor the version"),
        (lambda v: v.update(chance=[]), "no chance level or no facts"),
        (own_class, "its ids and test examples were not computed again"),
    ],
)
def test_a_submission_that_breaks_a_rule_is_told_so(
    change: Callable[[dict[str, Any]], object], said: str, tmp_path: Path
) -> None:
    found = verification.verify_records([submission(tmp_path, 5, change)], PROTOCOLS[1])
    assert {one.word for one in found if "rope" in one.path.name} == {"good"}
    for one in found:
        if "rope" not in one.path.name:
            (problem,) = one.problems
            assert said in problem


READING = ("masked_tokens", "needle")
"""Tasks that read a corpus for seconds."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in READING else []) for name in choices("task")]
)
def test_counts_are_those_that_scoring_counts(name: str, composed: Callable[..., Run]) -> None:
    task = component("task", name)
    length = next((n for n in range(task.shortest + 4, 500) if task.produces(n)), task.shortest)
    run = composed("evaluation.examples=12")
    for make in (layouts.Causal, layouts.Blanks, layouts.Sentences, layouts.Translation):
        if make.objection(task):
            continue
        layout = make(task)
        questions = scoring.make_questions(task, layout, component("positions", "sequential"), length, 12)
        scored = int(questions.arranged.scored.sum())
        rows = np.zeros(len(questions.arranged.tokens), bool)
        judged = scoring.Judgements(rows, rows, np.zeros(scored, bool), np.zeros(scored))
        found = Remade().examples(Known(run, task, layout), length)
        assert found is not None
        for score in scoring._scores(judged, questions, "x"):
            at = tuple(sorted(score.at.items()))
            counted = found.slices[at] if score.at else found.all
            assert counted == (score.examples, score.tokens, score.ends, score.bytes), f"{name} {at}"
        assert len(found.slices) == len([s for s in scoring._scores(judged, questions, "x") if s.at])
