"""Files of choices that a user has made: what is wrong with one is said in one line that names it, on every path."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.composition import folders
from harness.config.schema import LISTED_GROUPS

FAR = "# Rotates slowly\n_target_: harness.encodings.rope.RoPE\n"
STUDY = "# @package _global_\n# Something\n"
BOMB = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join(['*' + chr(97 + i)] * 8)}]\n" for i in range(9)
)

ENCODINGS: dict[str, tuple[str | bytes, str]] = {
    "broken": ("a: [1", "this is not YAML"),
    "tab": ("\ta: 1", "this is not YAML"),
    "duplicate": (FAR + "base: 1\nbase: 2\n", "the key base occurs a second time in line 4"),
    "latin": (b"# caf\xe9\n_target_: a.b\n", "it is not UTF-8 in line 1"),
    "marked": (b"\xef\xbb\xbf" + FAR.encode(), "byte order mark"),
    "wide": (FAR.encode("utf-16"), "byte order mark"),
    "deep": ("a: " + "[" * 5000 + "]" * 5000, "lie within one another in line 1"),
    "indented": ("\n".join(" " * i + "a:" for i in range(400)), "lie within one another in line"),
    "bomb": (BOMB, "these are more than 20000 values"),
    "itself": ("a: &a [*a]\n", "*a in line 1 repeats nothing that ends before it"),
    "listed": ("- a\n", "it should hold keys with their values"),
    "scalar": ("hello\n", "it should hold keys with their values"),
    "empty": ("", "_target_ is missing"),
    "comments": ("# only\n", "_target_ is missing"),
    "number": ("_target_: 5\n", "_target_: 5: it names a class"),
    "word": ("_target_: rope\n", "_target_: rope: it names a class"),
    "statement": ("_target_: 'a.b; import os'\n", "_target_: a.b; import os: it names a class"),
    "numbers": (FAR + "1: 2\n", "the key 1 in line 3 is not read as text"),
    "switch": (FAR + "on: 2\n", "the key on in line 3 is not read as text"),
    "pair": (FAR + "? [a, b]\n: 1\n", "is not read as text"),
    "merged": (FAR + "x: &x {a: 1}\ny:\n  <<: *x\n", "the key << in line 5 is not read as text"),
    "binary": (FAR + "base: !!binary aGk=\n", "the tag tag:yaml.org,2002:binary in line 3"),
    "python": (FAR + "base: !!python/object/apply:os.system [ls]\n", "the tag tag:yaml.org,2002:python"),
    "second": (FAR + "---\na: 1\n", "a second document begins in line"),
    "endless": (FAR + f"base: {'5' * 5000}\n", "has more than 300 digits"),
    "defaults": ("defaults: rope\n" + FAR, "defaults: it is a list"),
    "circle": ("defaults: [circle]\n" + FAR, "its defaults include it again: encoding/circle"),
    "absent": ("defaults: [ropee]\n" + FAR, "unknown encoding 'ropee'; did you mean 'rope'?"),
    "packaged": ("# @package nonsense.x\n" + FAR, "the first line should be '# @package _group_' and not nonsense.x"),
    "halfway": ("# @package a b\n" + FAR, "line 1 should be '# @package _group_'"),
    "escapes": (FAR + "base: \x1b[31m\n", "this is not YAML"),
    "great": ("#" * 300_000, "the file of a choice has at most"),
}  # fmt: skip

STUDIES = {
    "round": ("defaults: [round]\n", "its defaults include it again"),
    "unknown": ("sed: 1\n", "unknown key 'sed'; did you mean 'seed'?"),
    "chosen": ("encoding: rope\n", "encoding: rope: here stand values of the group"),
    "directory": ("hydra: {run: {dir: x}}\n", "hydra.run: this setting of Hydra's has no effect here; results=folder"),
    "other": ("hydra: {launcher: {n_jobs: 3}}\n", "has no effect here; launcher=local"),
    "mode": ("hydra: {mode: FAST}\n", "hydra.mode: FAST: it is MULTIRUN"),
    "lists": ("hydra: {sweeper: {params: {task: [copy, scan]}}}\n", "several values are written with commas"),
    "plugin": ("defaults:\n  - override /hydra/launcher: joblib\n", "has no effect here; launcher=local"),
    "group": ("defaults:\n  - override /encodin: rope\n", "unknown group 'encodin'; did you mean 'encoding'?"),
    "relative": ("defaults:\n  - train: quick\n", "is written '- override /train: name'"),
    "budget": ("defaults:\n  - override /train: quik\n", "unknown train 'quik'; did you mean 'quick'?"),
    "lengths": ("lengths: 5\n", "lengths: 5: here stand values"),
}

NAMES = [
    "12",
    "inf",
    "nan",
    "NA",
    "1e3",
    "true",
    "null",
    "None",
    "yes",
    "on",
    "0x1f",
    "1_000",
    "a.b",
    "a,b",
    "é",
    "a b",
]
"""Names that tables, YAML or Hydra read as something else."""


def put(folder: Path, name: str, content: str | bytes) -> None:
    path = folder / "mine" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """The one line in which a command line is refused, after which nothing is there that was not before."""
    monkeypatch.chdir(tmp_path)

    def say(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        assert cli.main(arguments) == 2
        streams = capsys.readouterr()
        (line,) = streams.err.splitlines()
        assert line.startswith("error: ")
        assert line.isprintable()
        assert streams.out == ""
        assert sorted(tmp_path.rglob("*")) == before
        return line

    return say


@pytest.mark.parametrize("name", ENCODINGS)
def test_a_file_that_is_no_choice(name: str, tmp_path: Path, said: Callable[..., str]) -> None:
    content, wrong = ENCODINGS[name]
    put(tmp_path, f"encoding/{name}.yaml", content)
    line = said("--config-dir", "mine", f"encoding={name}")
    assert f"mine/encoding/{name}.yaml: " in line
    assert wrong in line
    assert len(line) < 500 or "Choices: " in line


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_that_cannot_be_one(name: str, tmp_path: Path, said: Callable[..., str]) -> None:
    content, wrong = STUDIES[name]
    put(tmp_path, f"study/{name}.yaml", STUDY + content)
    line = said("--config-dir", "mine", f"study={name}")
    assert f"mine/study/{name}.yaml: " in line
    assert wrong in line


@pytest.mark.parametrize(
    "command", [("-m",), ("--help",), ("--cfg", "job"), ("--info", "config"), ("show",), ("inspect",)], ids=" ".join
)
def test_on_every_path(command: tuple[str, ...], tmp_path: Path, said: Callable[..., str]) -> None:
    put(tmp_path, "encoding/deep.yaml", ENCODINGS["deep"][0])
    assert "mine/encoding/deep.yaml: more than" in said(*command, "--config-dir", "mine")


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_is_read_as_something_else(name: str, tmp_path: Path, said: Callable[..., str]) -> None:
    put(tmp_path, f"encoding/{name}.yaml", FAR)
    assert "choice" in said("--config-dir", "mine", f"encoding={name}").removeprefix(
        f"error: mine/encoding/{name}.yaml"
    )


def test_every_word_that_pandas_reads_as_missing_is_forbidden() -> None:
    from pandas._libs.parsers import STR_NA_VALUES

    for word in STR_NA_VALUES:
        with pytest.raises(folders.Refused):
            folders.check_name(word)


def test_what_is_no_file(tmp_path: Path, said: Callable[..., str]) -> None:
    place = tmp_path / "mine" / "encoding" / "x.yaml"
    place.mkdir(parents=True)
    assert "x.yaml: this is a folder and no file" in said("--config-dir", "mine")
    place.rmdir()
    place.symlink_to("nowhere")
    assert "x.yaml: this link points nowhere" in said("--config-dir", "mine")
    place.unlink()
    os.mkfifo(place)
    assert "x.yaml: this is not an ordinary file" in said("--config-dir", "mine")
    place.unlink()
    with place.open("wb") as file:
        file.truncate(2**30)
    assert "it has 1073741824 bytes" in said("--config-dir", "mine")


def test_files_in_the_wrong_place(tmp_path: Path, said: Callable[..., str]) -> None:
    put(tmp_path, "encodings/far.yaml", FAR)
    assert "mine/encodings: there is no such group; did you mean 'encoding'?" in said("--config-dir", "mine")
    (tmp_path / "mine" / "encodings").rename(tmp_path / "mine" / "elsewhere")
    assert "it holds no folder called like a group, such as mine/encoding" in said("--config-dir", "mine")
    put(tmp_path, "encoding/rope.yaml", FAR)
    assert "the harness has encoding=rope already" in said("--config-dir", "mine")
    (tmp_path / "mine" / "encoding" / "rope.yaml").rename(tmp_path / "mine" / "encoding" / "far.yml")
    assert "far.yml: the name of a choice ends in .yaml" in said("--config-dir", "mine")
    put(tmp_path, "extension/own.yaml", "_target_: harness.extensions.ntk.NTK\n")
    (tmp_path / "mine" / "encoding" / "far.yml").unlink()
    assert "the first line should be '# @package extension.own'" in said("--config-dir", "mine")


@pytest.mark.parametrize("group", LISTED_GROUPS)
def test_ones_own_choices_of_a_listed_group(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, f"{group}/own.yaml", f"# @package {group}.own\n_target_: mine.Own\nsize: 3\n")
    monkeypatch.chdir(tmp_path)
    for chosen in ("own", "[own]"):
        assert cli.main(["--config-dir", "mine", f"{group}={chosen}", f"{group}.own.size=4", "--cfg", "job"]) == 0
        assert f"{group}:\n  own:\n    _target_: mine.Own\n    size: 4\n" in capsys.readouterr().out


def test_the_keys_of_a_study_hold_and_the_command_line_goes_before_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "study/s.yaml", STUDY + "seed: 7\nresults: elsewhere\nforce: true\ntrain: {steps: 7}\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--config-dir", "mine", "study=s", "--cfg", "job"]) == 0
    config = capsys.readouterr().out
    assert "seed: 7\nresults: elsewhere\n" in config
    assert "force: true\n" in config
    assert "  steps: 7\n" in config
    assert cli.main(["--config-dir", "mine", "study=s", "seed=3", "train.steps=5", "--cfg", "job"]) == 0
    config = capsys.readouterr().out
    assert "seed: 3\nresults: elsewhere\n" in config
    assert "  steps: 5\n" in config


def test_aliases_and_hyphens_are_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(tmp_path, "encoding/my-rope.yaml", FAR + "base: &b 500.0\nfraction: 1.0\n")
    put(tmp_path, "study/inherits.yaml", STUDY + "defaults:\n  - six_encodings\n  - override /encoding: my-rope\n")
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--config-dir", "mine", "encoding=my-rope", "--cfg", "job", "--package", "encoding"]) == 0
    assert "base: 500.0\n" in capsys.readouterr().out
    assert cli.main(["--config-dir", "mine", "study=inherits", "--cfg", "job", "--package", "encoding"]) == 0
    assert "base: 500.0\n" in capsys.readouterr().out
