"""The key Tab, as shells ask."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, environment

from harness import cli
from harness.composition import completion
from harness.config import catalogue, keys


def asked(line: str, point: int | None = None) -> list[str]:
    return completion.answers(line if point is None else line[:point])


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("harness leaderb", ["leaderboard "]),
        ("harness encoding=rope,al", ["encoding=rope,alibi"]),
        ("python -m harness encoding=alib", ["encoding=alibi"]),
        ("/usr/bin/python3.11 -m harness -m 'encoding=rope,alib", ["encoding=rope,alibi"]),
        ("harness extension=[yarn,ntk_b", ["extension=[yarn,ntk_by_parts"]),
        ("harness encoding=alibi encoding.sl", ["encoding.slopes="]),
        ("harness encoding.bas", ["encoding.base="]),
        ("harness extension=[ntk,yarn] extension.yarn.beta_f", ["extension.yarn.beta_fast="]),
        ("harness task=needle task.haystack=", ["task.haystack=text", "task.haystack=noise"]),
        ("harness force=", ["force=true", "force=false"]),
        ("harness compare --by f", ["family "]),
        ("harness compare --axi", ["--axis "]),
        ("harness show phone", ["phone_book "]),
        ("harness lengths.te", ["lengths.test="]),
        ("harness completion f", ["fish "]),
        ("harness new enc", ["encoding "]),
        ("harness --dry", ["--dry-run "]),
        ("harness train.steps=", []),
        ("harness encoding=nowhere", []),
        ("harness --config-dir ", []),
        ("harness leaderboard resu", []),
        ("harness 'it is", []),
        ("", []),
    ],
)
def test_what_is_offered(line: str, found: list[str]) -> None:
    assert [word for word in asked(line) if line or word.startswith("-")] == found


def test_all_commands_groups_choices_and_usual_keys_are_offered() -> None:
    first = asked("harness ")
    assert {f"{name} " for name in completion.commands()} <= set(first)
    assert {f"{group}=" for group in catalogue.GROUPS} <= set(first)
    for group, names in catalogue.names().items():
        opening = "[" if asked(f"harness {group}=")[:1] == [f"{group}=[{names[0] if names else ''}"] else ""
        assert asked(f"harness {group}=") == [f"{group}={opening}{name}" for name in names]
    listed = [key.name for key in keys.of_choice("train", "until_learned", catalogue.CONF / "train/until_learned.yaml")]
    assert asked("harness train.") == [f"{name}=" for name in listed]


def test_what_stands_behind_the_cursor_does_not_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "harness encoding=alib task=copy"
    monkeypatch.setenv("COMP_LINE", line)
    monkeypatch.setenv("COMP_POINT", str(line.index(" task")))
    assert cli.main(["completion", "answer"]) == 0
    assert capsys.readouterr().out.splitlines() == ["encoding=alibi"]


def test_choices_of_ones_own_are_offered_and_broken_ones_hide_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "conf"
    (folder / "encoding").mkdir(parents=True)
    file = folder / "encoding" / "far.yaml"
    file.write_text("# Far\n_target_: harness.encodings.nope.NoPE\nreach: 3 # how far\n")
    monkeypatch.setenv("HARNESS_CONFIG_DIR", str(folder))
    assert asked("harness encoding=fa") == ["encoding=far"]
    assert asked("harness encoding=far encoding.") == ["encoding.reach="]
    file.write_text("defaults: [")
    assert asked("harness encoding=alib") == ["encoding=alibi"]


def test_neither_pytorch_nor_hydra_is_loaded() -> None:
    script = (
        "import sys\nfrom harness import cli\ncli.main(['completion', 'answer'])\n"
        "print([name for name in ('torch', 'hydra', 'omegaconf', 'pandas', 'numpy') if name in sys.modules])\n"
    )
    variables = environment(COMP_LINE="harness train.", COMP_POINT="14")
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=variables, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    assert "train.steps=" in done.stdout


CASES = {
    "python -m harness encoding=rope,alib": ["rope,alibi"],
    "python -m harness leaderb": ["leaderboard "],
    "python -m harness train.st": ["train.steps="],
    "python script.py --some": [],
}


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize("line", CASES)
def test_in_bash(line: str, tmp_path: Path) -> None:
    """As readline calls it: with the line in COMP_LINE, of which it replaces what stands behind the last ``=``."""
    (tmp_path / "python").symlink_to(sys.executable)
    script = f"{completion.script('bash')}\n_harness_completion\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    variables = environment(COMP_LINE=line, COMP_POINT=str(len(line)), PATH=path)
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
    assert [word for word in done.stdout.splitlines() if word] == CASES[line], done.stderr


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_can_read_what_they_are_given(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    done = subprocess.run([shell, "-n"], input=completion.script(shell), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_command_says_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert completion.shells() == ["bash", "fish", "zsh"]
    for shell in completion.shells():
        assert cli.main(["completion", shell]) == 0
        assert capsys.readouterr().out == completion.script(shell)
    assert cli.main(["completion", "tcsh"]) == 2
    assert "tcsh" in capsys.readouterr().err
