"""Paths mean what people mean by them, wherever one is typed, and what stands in the way is named."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.composition.compose import composer
from harness.errors import Refused
from harness.files import user_paths

Said = Callable[..., str]


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """The one line in which a command line is refused, after which nothing is there that was not before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    def say(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        assert cli.main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert sorted(tmp_path.rglob("*")) == before
        return line

    return say


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    with composer() as hydra:
        assert hydra.run(["results='~/x'"]).results == "/somewhere/x"
        assert hydra.run(["results='~'"]).results == "/somewhere"
        assert hydra.run(["results='a~b'"]).results == "a~b"
        assert hydra.run(["results=./x"]).results == "./x"
    assert user_paths.expanded("~root/x", "") == os.path.expanduser("~root/x") != "~root/x"


@pytest.mark.parametrize(
    "typed",
    [
        ("results='%s'",),
        ("-m", "seed=0,1", "results='%s'"),
        ("task=text", "task.files=['%s']"),
        ("task=text", "task.tokenizer='%s'"),
        ("task=text", "task.corpus='parquet:%s'"),
        ("architecture=huggingface", "architecture.name_or_path='%s'"),
        ("--config-dir", "%s"),
        ("--config-dir", "%s", "--help"),
        ("show", "--config-dir", "%s"),
        ("inspect", "--output", "%s"),
        ("inspect", "--record", "%s"),
        ("leaderboard", "%s"),
        ("leaderboard", "--output", "%s"),
        ("doctor", "--results", "%s"),
    ],
    ids=" ".join,
)
def test_what_no_shell_has_replaced_is_refused(
    typed: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = {"$HOME/x": "no shell has replaced $HOME", "~nobody-here/x": "there is no user of that name"}
    for path, reason in wrong.items():
        assert cli.main([word.replace("%s", path) for word in typed]) == 2
        assert reason in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_no_path_has_characters_that_do_not_print() -> None:
    for text in ("a\0b", "a\nb", "a\x1b[31m", " x", "x ", " "):
        with pytest.raises(Refused, match="a path"):
            user_paths.expanded(text, "")


@pytest.mark.slow
@pytest.mark.parametrize("sweep", [(), ("-m", "seed=0,1")], ids=["run", "sweep"])
def test_results_where_no_folder_can_be(sweep: tuple[str, ...], tmp_path: Path, said: Said) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "file").write_text("x")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "records").symlink_to("nowhere")
    assert "link is a link that points nowhere (nowhere)" in said(*sweep, "results=link")
    assert "link is a link that points nowhere (nowhere)" in said(*sweep, "results=link/deeper")
    assert "file is a file and no folder" in said(*sweep, "results=file")
    assert "file is a file and no folder" in said(*sweep, "results=file/deeper")
    assert "half/records is a link that points nowhere" in said(*sweep, "results=half")
    if os.geteuid():  # root may write anywhere
        (tmp_path / "half").chmod(0o500)
        assert "cannot be written to" in said(*sweep, "results=half/deeper")


def test_the_folder_of_pictures_where_none_can_be(tmp_path: Path, said: Said) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert "link is a link that points nowhere" in said("inspect", "--output", "link")
