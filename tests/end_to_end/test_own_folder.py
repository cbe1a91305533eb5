"""A choice of one's own, from an empty folder to a record, without touching the repository."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from shell import Command
from support import QUICK, ROOT, environment

from harness.composition import new_choices
from harness.config import own_choices
from harness.errors import Refused
from harness.results import records

TINY = (*QUICK, "train.steps=5", "lengths.shortest=2", "lengths.train=6", "lengths.grid=[6,12]")


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def recorded(folder: Path) -> list[str]:
    found, rejected = records.read_all([folder / "results"])
    assert not rejected
    return sorted(f"{record.task.name} {record.config['encoding']['name']}" for record in found)


@pytest.mark.slow
def test_four_commands_from_an_empty_folder(command: Command, tmp_path: Path) -> None:
    """New, new, check, run, from a folder below; then a sweep, whose runs are processes of their own, and what reads
    records.
    """
    below = tmp_path / "notebooks"
    below.mkdir()
    good(command("new", "encoding", "far"))
    good(command("new", "task", "pairs"))
    said = good(command("check", "far", cwd=below))
    assert said.startswith("encoding=far\n")
    assert "0 fail" in said
    assert "0 fail" in good(command("check", "task=pairs", "task.symbols=5", cwd=below))
    good(command("encoding=far", "task=pairs", *TINY, cwd=below))
    assert recorded(below) == ["pairs far"]
    good(command("-m", "encoding=far,rope", "task=pairs", "seed=1", *TINY, cwd=below))
    assert recorded(below) == ["pairs far", "pairs far", "pairs rope"]
    record = next((below / "results" / "records").glob("pairs-far-seed1-*.json"))
    good(command("inspect", "--record", str(record), cwd=below))
    good(command("show", "--model", str(record), "--count", "1", cwd=below))
    good(command("leaderboard", cwd=below))


@pytest.mark.slow
def test_the_console_script_finds_them_too(tmp_path: Path) -> None:
    for path, text in new_choices.files("encoding", "far", tmp_path, None).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    script = tmp_path / "bin" / "harness"  # as an installer writes it
    script.parent.mkdir()
    script.write_text("import sys\nfrom harness.cli import main\nsys.exit(main())\n")
    words = [sys.executable, str(script), "ls", "encoding=far"]
    env = environment(PYTHONPATH=str(ROOT))
    done = subprocess.run(words, cwd=tmp_path / "conf", env=env, capture_output=True, text=True, timeout=300)
    assert "Attention falls off" in good(done)
    assert "encoding.slope" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("group", new_choices.groups())
def test_the_tests_that_are_written_pass(group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They check all claims: what is written keeps its promises."""
    monkeypatch.chdir(tmp_path)
    for path, text in new_choices.files(group, "mine", tmp_path, f"written_{group}").items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    own_choices.find()
    written = runpy.run_path(str(tmp_path / "tests" / f"test_{group}_mine.py"))
    tests = [value for name, value in written.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        test()


def test_nothing_is_overwritten_or_half_written(tmp_path: Path) -> None:
    written = new_choices.files("encoding", "far", tmp_path, None)
    test = tmp_path / "tests" / "test_encoding_far.py"
    assert test in written
    test.parent.mkdir()
    test.write_text("mine")
    with pytest.raises(Refused, match="this file is there already, and nothing is overwritten"):
        new_choices.files("encoding", "far", tmp_path, None)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [test]


@pytest.mark.parametrize(
    ("group", "name", "package", "said"),
    [
        ("encodings", "far", None, "unknown group"),
        ("logger", "far", None, "unknown group 'logger'. Groups of which a choice can be written: "),
        ("encoding", "rope", None, "there is encoding=rope already"),
        ("encoding", "Far", None, "made of small letters"),
        ("encoding", "class", None, "made of small letters"),
        ("encoding", "nan", None, "a choice cannot be called nan"),
        ("encoding", "far", "torch", "a package of this name is installed"),
        ("encoding", "far", "json", "Python has a module of this name"),
        ("encoding", "far", "tasks", "the harness has a package of this name"),
        ("encoding", "far", "tests", "this is where tests are written"),
        ("encoding", "far", "../x", "the name of a package is a Python name"),
    ],
)
def test_names_that_could_not_work_are_refused(
    group: str, name: str, package: str | None, said: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused) as refusal:
        new_choices.files(group, name, tmp_path, package)
    assert said in str(refusal.value)


SETUP = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "own-lab"
version = "1"

[project.entry-points."harness.choices"]
lab = "own_lab:conf"

[tool.hatch.build.targets.wheel]
only-include = ["own_lab"]
"""


@pytest.mark.slow
def test_an_installed_package_brings_its_choices(tmp_path: Path) -> None:
    source, site, elsewhere = tmp_path / "source", tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    for path, text in new_choices.files("encoding", "far", source, "own_lab").items():
        inside = path.relative_to(source)
        place = source / ("own_lab" / inside if inside.parts[0] == "conf" else inside)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    (source / "pyproject.toml").write_text(SETUP)
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    subprocess.run([*install, "--target", str(site), str(source)], check=True, capture_output=True, timeout=300)
    env = environment(PYTHONPATH=f"{ROOT}:{site}")
    words = [sys.executable, "-m", "harness", "encoding=far", *TINY]
    good(subprocess.run(words, cwd=elsewhere, env=env, capture_output=True, text=True, timeout=300))
    assert recorded(elsewhere) == ["copy far"]
