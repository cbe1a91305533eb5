"""What the documents say works as written."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from shell import Command
from support import QUICK, ROOT, environment

from harness import cli
from harness.composition.compose import composer
from harness.config.schema import Run

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHRINK = (*QUICK, "train.steps=5", "lengths.shortest=1", "lengths.train=6", "lengths.grid=[3,6,9]")
"""What is added to the README's commands so that they take seconds."""


def commands(path: Path) -> list[list[str]]:
    """The arguments of every ``python -m harness`` in fenced or indented code."""
    text = path.read_text()
    code = (
        "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S))
        + "\n"
        + "\n".join(re.findall(r"^    (.*)", text, re.M))
    )
    lines = [shlex.split(line, comments=True) for line in code.splitlines() if line.startswith("python -m harness")]
    return [line[3:] for line in lines]


PAST = ("new", "check", "verify", "leaderboard", "compare", "diff", "study", "status", "doctor", "ls", "--help")
"""Commands about what runs have written or about choices of one's own, and options that run nothing."""


def plain(words: list[str]) -> list[str]:
    return [word for word in words if word != "-m" and not word.startswith("--")]


@pytest.mark.slow
@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_composes(path: Path) -> None:
    invented = {"encoding=gaussian", "task=sort", "architecture=bag_of_words", "encoding=far", "--config-dir"}
    for arguments in commands(path):
        if not arguments or set(arguments) & invented or arguments[0] in PAST:
            continue
        with composer() as hydra:
            words = plain(arguments[1:] if arguments[0] in ("show", "inspect") else arguments)
            for cell in hydra.cells(words):
                attempt = hydra.attempt(cell)
                assert isinstance(attempt, Run), attempt


@pytest.mark.slow
def test_the_readmes_commands_run(command: Command, tmp_path: Path) -> None:
    found = commands(ROOT / "README.md")
    assert len(found) >= 9
    shutil.copytree(ROOT / "results" / "huang2025", tmp_path / "results" / "huang2025")  # whose tables one rebuilds
    for arguments in found:
        words = [word for word in arguments if not word.startswith("study=")]
        if {"compare", "verify", "leaderboard"} & set(words):
            words = [str(ROOT / word) if word == "results/core" else word for word in words]
        if arguments and arguments[0] not in (*PAST, "show", "inspect"):
            if "task=text" in arguments:
                words += [*QUICK, "train.steps=5"]
            else:
                words += SHRINK
        if words != arguments and any(word.startswith("study=") for word in arguments):
            continue  # composed above; hours as written
        done = command(*words)
        assert done.returncode == 0, f"{arguments}: {done.stdout[-500:]}{done.stderr[-500:]}"
    assert (tmp_path / "results" / "leaderboard.csv").exists()


@pytest.mark.slow
def test_the_commands_of_the_page_on_views_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = ROOT / "docs" / "views.md"
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "results" / "core", tmp_path / "results")
    for own in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.M | re.S):
        (tmp_path / "mine.yaml").write_text(own)
    found = [words for words in commands(page) if "results/six_encodings" not in words]
    assert len(found) >= 12
    for words in [*found, ["leaderboard", "--suite", "mine.yaml"]]:
        assert cli.main(words) == 0, words
    assert {path.name for path in tmp_path.iterdir()} >= {"table.tex", "pivot.parquet"}


@pytest.mark.slow
def test_the_page_on_extending_is_true(tmp_path: Path) -> None:
    """Its files are written as they stand into a copy of the program, and its commands and the contracts run there."""
    for folder in ("harness", "tasks", "conf", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "code.md", tmp_path / "docs")
    text = (ROOT / "docs" / "extending.md").read_text()
    files = re.findall(r"^`((?:harness|tasks|conf)/[\w/.]+)`:\n\n```(?:python|yaml)\n(.*?)^```", text, re.M | re.S)
    assert [name for name, _ in files] == [
        "harness/encodings/gaussian.py", "conf/encoding/gaussian.yaml", "tasks/sort.py", "conf/task/sort.yaml",
        "harness/models/bag_of_words.py", "conf/architecture/bag_of_words.yaml",
    ]  # fmt: skip
    for name, content in files:
        assert not (tmp_path / name).exists(), "new files only"
        (tmp_path / name).write_text(content)
    env = environment(PYTHONPATH=os.pathsep.join([str(tmp_path), str(tmp_path / "tests")]))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", *arguments], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300
        )

    for arguments in (("encoding=gaussian",), ("task=sort",), ("architecture=bag_of_words", "encoding=nope")):
        done = run("harness", *arguments, *SHRINK)
        assert done.returncode == 0, done.stderr
    assert "abddq" in text
    assert "sort, version 1" in run("harness", "show", "task=sort").stdout
    refused = run("harness", "architecture=bag_of_words", "encoding=rope")
    assert "architecture=bag_of_words, which is attention-free. Possible: nope" in refused.stderr
    only = "gaussian or sort or bag_of_words"
    contracts = run(
        "pytest",
        "-q",
        "tests/contracts",
        "tests/harness/test_attention.py",
        "-m",
        "not slow",
        "-k",
        only,
        "-p",
        "no:cacheprovider",
    )
    failures = re.findall(r"^FAILED (\S+)", contracts.stdout, re.M)
    assert failures == ["tests/contracts/test_tasks.py::test_data_does_not_change_without_a_new_version[sort]"], (
        contracts.stdout[-3000:]
    )
    (entry,) = set(re.findall(r"AssertionError: if this is meant, put (\{.*\}) into", contracts.stdout))
    (tmp_path / "tests" / "golden" / "tasks" / "sort.json").write_text(entry)
    again = run("pytest", "-q", "tests/contracts/test_tasks.py", "-k", "sort", "-p", "no:cacheprovider")
    assert again.returncode == 0, again.stdout[-2000:]


def test_links_lead_somewhere() -> None:
    for path in [*DOCUMENTS, ROOT / "CONTRIBUTING.md"]:
        prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#]+)\)", prose):
            assert target.startswith("http") or (path.parent / target).exists(), f"{path.name}: {target}"
