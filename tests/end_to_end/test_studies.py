"""A study from its command to its page."""

import re
from collections import Counter
from pathlib import Path

import pytest
from shell import Command
from support import ROOT

from harness.commands import study
from harness.composition.compose import composer
from harness.results import finished, records
from harness.training.weights import digest

RESULTS = sorted(path for path in (ROOT / "results").iterdir() if path.is_dir())
WRITTEN = re.compile(r"This page is written by `python -m harness study (?P<words>\w+ FOLDER.*) --page FILE`")
"""What a page says that the records of the folder of its name are made into."""
PAGES = {page.stem: said["words"] for page in ROOT.glob("docs/*.md") if (said := WRITTEN.search(page.read_text()))}

SMALL = ("study=huang2025", "study.tasks=[bin_majority]", "train.steps=2", "evaluation.examples=2", "trainer=cpu")


@pytest.mark.slow
def test_a_study_runs_its_cells_and_is_compared_with_what_was_published(command: Command, tmp_path: Path) -> None:
    done = command(*SMALL, "study.methods=[nope]", "seed=0,1")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "results" / "records").glob("binary_majority-nope-seed[01]-*.json"))) == 2
    other = command("study", "huang2025")
    assert other.returncode == 2
    assert "none of the 48 runs of study=huang2025 study.budget=quick" in other.stderr, "these had other settings"


@pytest.mark.slow
def test_methods_that_go_on_from_another_wait_for_its_weights_of_the_same_seed(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = ("train.steps=3", "train.warmup=1", "train.batch=2", "evaluation.examples=2", "model=nano", "trainer=cpu")
    words = ("study=context_extension", "study.tasks=[text]", *small, "launcher.slots=2", "launcher.threads=1")
    search = command(*words, "study.methods=[rope,tuned]", "sweep=random", "--dry-run")
    assert (search.returncode, len(search.stderr.splitlines())) == (2, 1)
    assert "a search cannot have methods of a study that go on" in search.stderr
    some = command(*words[:2], "study.methods=[rope,tuned]", "seed=0", "train.batch=2,0", "--dry-run")
    assert some.returncode == 0
    assert ("to do       2" in some.stdout, "impossible  2" in some.stdout) == (True, True)
    alone = command(*words, "study.methods=[tuned]", "seed=0", "results=alone")
    assert alone.returncode == 1
    assert "the weights of that run are not here" in alone.stderr
    lost = command(*words, "study.methods=[tuned,rope]", "seed=0", "train.learning_rate=1e30", "results=lost")
    assert lost.returncode == 1
    assert "not done text-rope-seed0" in lost.stderr
    assert "that run failed (" in lost.stderr, "and training it again would fail again"
    assert command(*words, "study.methods=[tuned,tuned_yarn,rope]", "seed=0,1").returncode == 0
    read = {path: records.read(path) for path in (tmp_path / "results" / "records").glob("*.json")}
    further = {one.training_name: one for one in read.values() if "weights_from" in one.science["training"]}
    assert (len(read), len(further)) == (6, 4)
    first = {one.seed: one for one in read.values() if one.training_name not in further}
    for one in further.values():
        before = first[one.seed]
        assert one.science["training"]["weights_from"]["training"] == before.training_name
        assert one.started >= before.finished
        weights = tmp_path / "results" / "runs" / before.training_name / "weights.safetensors"
        assert one.cost
        assert one.cost.initial_weights == digest(weights)
    monkeypatch.chdir(tmp_path)
    with composer() as hydra:
        planned = hydra.cells([*words, "study.methods=[tuned,tuned_yarn]", "seed=0,1"])
    with composer() as hydra:  # which reads of the records what the other had planned
        names = {finished.paths_of(hydra.run(cell)).record.stem for cell in planned}
    assert names == {one.name for one in further.values()}


@pytest.mark.slow
def test_the_comparison_finds_the_runs_of_the_study_by_their_ids(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "pages" / "page.md"
    done = command("study", "huang2025", str(ROOT / "results" / "huang2025"), "--output", "out", "--page", str(page))
    assert done.returncode == 0, done.stderr
    assert "bin_majority, learned, lengths 51 to 75: above 0.9" in done.stdout
    assert page.read_text() == (ROOT / "docs" / "huang2025.md").read_text(), "written anew from the records"
    table = (tmp_path / "out" / "comparison.csv").read_text()
    assert table == (ROOT / "results" / "huang2025" / "comparison.csv").read_text()
    assert len(table.splitlines()) == 1 + 16 * 3


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PAGES.keys() - {"huang2025"}))
def test_pages_and_comparisons_of_studies_are_what_the_records_say(name: str, tmp_path: Path) -> None:
    page, folder = tmp_path / "page.md", ROOT / "results" / name
    words = PAGES[name].replace("FOLDER", str(folder)).split()
    assert study.main([*words, "--output", str(tmp_path), "--page", str(page)]) == 0
    assert page.read_text() == (ROOT / "docs" / f"{name}.md").read_text()
    assert (tmp_path / "comparison.csv").read_text() == (folder / "comparison.csv").read_text()


@pytest.mark.slow
def test_the_page_of_findings_is_what_the_records_say(command: Command, tmp_path: Path) -> None:
    done = command("findings", *map(str, RESULTS), "--page", "findings.md")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "findings.md").read_text()
    assert page == (ROOT / "docs" / "findings.md").read_text(), "written anew from the records"
    verdicts = ("agree", "differ", "cannot tell", "not run")
    listed = [
        line for line in page.splitlines() if line.endswith("|") and line.split("|")[-2].strip().startswith(verdicts)
    ]
    listed = [line for line in listed if not line.startswith("| study |")]
    counts = {
        name: sum(f" {name}" in line.split("|")[-2] for line in listed) for name in ("agree", "differ", "not run")
    }
    assert len(listed) >= 40
    said = next(line for line in done.stdout.splitlines() if line.split()[:1] == ["all"]).split()
    assert [int(number) for number in said[1:4]] == [len(listed), counts["agree"], counts["differ"]]
    figures = dict(re.findall(r"^## (\w+)\n\n.*\n\n!\[.*\]\((findings/.*\.svg)\)\n\n[^!]", page, re.M))
    assert len(figures) > 4, "studies with the runs of one budget"
    for name, path in figures.items():
        texts = re.findall(r"<text [^>]*>([^<]*)</text>", (tmp_path / path).read_text())
        marks = Counter[str]()
        for text in texts:
            if re.fullmatch(r"(\d*[✓✗?] ?)+", text):
                marks.update({mark: int(number or 1) for number, mark in re.findall(r"(\d*)([✓✗?])", text)})
        row = next(line for line in page.splitlines() if line.startswith(f"| {name} |")).split("|")
        assert [marks[mark] for mark in "✓✗?"] == [int(cell) for cell in row[3:6]], name


@pytest.mark.slow
def test_findings_refuse_what_there_is_not(command: Command) -> None:
    for words, said in (
        (("--studies", "huang2026"), "huang2025"),
        (("--studies", "mqar", "--budget", "large"), "budget"),
        (("nowhere",), "nowhere"),
    ):
        done = command("findings", *([str(ROOT / "results" / "huang2025")] if words != ("nowhere",) else []), *words)
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 1
        assert said in done.stderr
