"""A choice of one's own, from an empty folder to a record, without touching the repository."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK, ROOT, environment

from harness.composition import new_choices
from harness.results import records

TINY = (*QUICK, "train.steps=5", "lengths.shortest=2", "lengths.train=6", "lengths.grid=[6,12]")
Run = Callable[..., subprocess.CompletedProcess[str]]


def in_(folder: Path, *begin: str) -> Run:
    """Runs the program in a folder, from a new interpreter, as a user does."""
    words = begin or (sys.executable, "-m", "harness")
    env = environment(PYTHONPATH=str(ROOT))
    env.pop("HARNESS_CONFIG_DIR", None)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*words, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=300)

    return run


def good(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def recorded(folder: Path) -> list[str]:
    found, rejected = records.read_all([folder / "results"])
    assert not rejected
    return sorted(f"{record.task.name} {record.config['encoding']['name']}" for record in found)


@pytest.mark.slow
def test_four_commands_from_an_empty_folder(tmp_path: Path) -> None:
    """New, new, check, run, from a folder below; then through the console script, and a sweep whose runs are processes
    of their own.
    """
    here = in_(tmp_path)
    good(here("new", "encoding", "far"))
    good(here("new", "task", "pairs"))
    (tmp_path / "notebooks").mkdir()
    below = in_(tmp_path / "notebooks")
    said = good(below("check", "far"))
    assert said.startswith("encoding=far\n")
    assert "0 fail" in said
    assert "0 fail" in good(below("check", "task=pairs", "task.symbols=5"))
    good(below("encoding=far", "task=pairs", *TINY))
    assert recorded(tmp_path / "notebooks") == ["pairs far"]
    script = tmp_path / "bin" / "harness"  # as an installer writes it
    script.parent.mkdir()
    script.write_text("import sys\nfrom harness.cli import main\nsys.exit(main())\n")
    by_script = in_(tmp_path / "notebooks", sys.executable, str(script))
    assert "Attention falls off" in good(by_script("ls", "encoding=far"))
    good(by_script("-m", "encoding=far,rope", "task=pairs", "seed=1", *TINY))
    assert recorded(tmp_path / "notebooks") == ["pairs far", "pairs far", "pairs rope"]
    record = next((tmp_path / "notebooks" / "results" / "records").glob("pairs-far-seed1-*.json"))
    good(below("inspect", "--record", str(record)))
    good(below("show", "--model", str(record), "--count", "1"))
    tests = in_(tmp_path, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "5 passed" in good(tests("tests"))


@pytest.mark.slow
@pytest.mark.parametrize("group", [group for group in new_choices.groups() if group not in ("encoding", "task")])
def test_what_is_written_keeps_its_promises(group: str, tmp_path: Path) -> None:
    here = in_(tmp_path)
    good(here("new", group, "mine"))
    assert "0 fail" in good(here("check", f"{group}=mine"))
    tests = in_(tmp_path, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert " passed" in good(tests("tests"))


def test_nothing_is_overwritten_or_half_written(tmp_path: Path) -> None:
    from harness.errors import Refused

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
    from harness.errors import Refused

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
    done = subprocess.run(words, cwd=elsewhere, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert recorded(elsewhere) == ["copy far"]
