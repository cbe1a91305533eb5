"""A folder with a trap in it, and commands that must be refused there, for the tests of what somebody else wrote."""

import sys
from pathlib import Path

import pytest

from harness import cli

SECRET = "correct-horse-battery-staple"
TRAP = "import pathlib\npathlib.Path({path!r}).write_text('ran')\n"


def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a module that says when it is imported."""
    (tmp_path / "beside.py").write_text(TRAP.format(path=str(tmp_path / "PWNED")) + "class Trap:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What is said of a command that is refused in one line."""
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("error: ")
    assert not Path("PWNED").exists()
    assert "antigravity" not in sys.modules
    assert "beside" not in sys.modules
    return line
