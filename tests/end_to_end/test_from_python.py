"""Runs from a notebook, loggers, and the other commands."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK, environment

import harness
from harness import cli
from harness.errors import Refused

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "train.steps=30", "lengths.train=6", "lengths.test=12")


def test_a_run_from_python_gives_a_table_and_a_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = harness.run(
        *QUICK,
        encoding="rope",
        task="copy",
        train={"steps": 30},
        lengths={"train": 6, "test": 12},
        extension=["extrapolate", "ntk"],
    )
    assert result.table.groupby("extension").length.apply(list).to_dict() == {
        name: [1, 5, 6, 7, 10, 12] for name in ("extrapolate", "ntk")
    }
    assert set(result.summary) == {"extrapolate", "ntk"}
    assert "reach " in repr(result)
    figure = result.plot()
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["exact match", "token accuracy, teacher-forced"]
    again = harness.run(
        *QUICK,
        encoding="rope",
        task="copy",
        train={"steps": 30},
        lengths={"train": 6, "test": 12},
        extension=["extrapolate", "ntk"],
    )
    assert again.record == result.record, "found, not done again"


@pytest.mark.slow
@pytest.mark.parametrize(("positions", "encoding"), [("coupled", "learned"), ("abacus", "learned"), ("cape", "rope")])
def test_positions_from_channels_and_fractions_reach_the_record(
    positions: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    choices = {"task": "addition", "positions": positions, "encoding": encoding, "lengths": {"train": 3, "test": 6}}
    result = harness.run(*TINY[:-2], **choices)
    assert result.record.status == "finished"
    assert result.table.length.tolist() == [1, 2, 3, 4, 6]
    assert cli.main(["show", "task=addition", f"positions={positions}", f"encoding={encoding}", "--length", "2"]) == 0
    assert "position" in capsys.readouterr().out


def test_python_refuses_what_the_shell_refuses() -> None:
    with pytest.raises(Refused, match="did you mean 'rope'"):
        harness.run(encoding="ropee")
    with pytest.raises(Refused, match="run it from the command line"):
        harness.run(trainer="ddp")
    with pytest.raises(Refused, match="no value"):
        harness.run(train={"learning_rate": float("nan")})
    for several in ({"encoding": ["rope", "alibi"]}, {"seed": range(3)}):
        with pytest.raises(Refused, match=r"several values are several runs, which harness.sweep does"):
            harness.run(**several)


def test_values_from_python_are_the_values_of_the_command_line(composed: Callable) -> None:
    from harness.notebook.overrides import words

    choices = {"encoding": "rope", "encoding.base": 500.0, "force": True, "lengths": {"grid": [5, 30]}}
    overrides = words([], choices, [], several=False)
    assert overrides == ["encoding=rope", "encoding.base=500.0", "force=true", "lengths.grid=[5,30]"]
    run = composed(*overrides)
    assert (run.encoding.options["base"], run.force, run.lengths.grid) == (500.0, True, [5, 30])


def test_an_unknown_failure_from_python_is_an_exception(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RuntimeError, match="the loss was"):
        harness.run(*TINY, train={"learning_rate": 1e30, "clip": 0})


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (
            ["task=addition", "task.answer=plain", "--length", "2"],
            ["addition, version 1", "+", " -> ", "[BOS]", "[SEP]", "[EOS]"],
        ),
        (
            ["task=copy", "--count", "2"],
            ["trained on lengths 1 to 20, tested on 1, 5, 10", "(blind: from the length"],
        ),
        (["task=scan"], [" -> I_", "position"]),
        (["task=text", "--count", "1"], ["predicts", "bits"]),
        (["task=parity", "positions=randomized"], ["position"]),
    ],
)
def test_show(arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", *arguments]) == 0
    page = capsys.readouterr().out
    for part in parts:
        assert part in " ".join(page.split()) or part in page
    assert max(len(line) for line in page.splitlines()) < 140


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ["encoding=alibi", "extension=[extrapolate,window]"],
        ["encoding=rope", "task=parity", "architecture=encoder"],
        ["encoding=nope", "architecture=lstm"],
    ],
)
def test_show_what_a_trained_model_answers(
    overrides: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    harness.run(*QUICK, *overrides, "lengths.train=6", "lengths.test=21", "train.steps=10")
    (record,) = Path("results/records").glob("*.json")
    capsys.readouterr()
    assert cli.main(["show", "--model", str(record), "--length", "21", "--count", "3"]) == 0
    page = capsys.readouterr().out
    names = ["extrapolate", "window"] if "window" in overrides[1] else ["extrapolate"]
    for name in names:
        assert sum(line.startswith(f"  {name}") for line in page.splitlines()) == 3, page
    verdicts = page.count("(right)") + page.count("(wrong)")
    assert verdicts == 3 * len(names)
    assert cli.main(["show", "--model", str(record), "task=copy"]) == 2
    assert "--model brings its own config" in capsys.readouterr().err
    (weights,) = Path("results/runs").glob("*/weights.safetensors")
    weights.unlink()
    assert cli.main(["show", "--model", str(record)]) == 2
    assert "the weights of this run are not here" in capsys.readouterr().err


def test_show_refuses_a_length_for_which_the_model_has_no_positions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    harness.run(*QUICK, "encoding=learned", "encoding.rows=50", "lengths.train=6", "lengths.test=12", "train.steps=2")
    (record,) = Path("results/records").glob("*.json")
    capsys.readouterr()
    assert cli.main(["show", "--model", str(record), "--length", "30"]) == 2
    assert "--length 30: position 50 is beyond the 50 rows" in capsys.readouterr().err


def test_doctor_says_what_a_run_would_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) in (0, 1)
    page = capsys.readouterr().out
    for what in ("harness", "python", "torch", "pytorch-lightning", "hydra-core", "cpu", "gpu", "disk", "wandb mode"):
        assert any(line[4:].startswith(what) for line in page.splitlines()), what
    assert all(line.startswith(("ok  ", "bad ")) for line in page.splitlines())


def test_doctor_knows_bad_packages(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from harness.commands import doctor

    versions = {"torch": "2.9.1", "pytorch-lightning": "2.6.5", "hydra-core": "1.3.8"}
    monkeypatch.setattr(doctor, "installed", lambda name: versions.get(name, ""))
    assert doctor.main([]) == 1
    page = capsys.readouterr().out
    assert "bad torch" in page
    assert "install pytorch-lightning>=2.6.6" in page


@pytest.mark.slow
def test_no_socket_is_opened_by_a_plain_run(tmp_path: Path) -> None:
    code = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('a socket was opened')\n"
        "socket.socket.connect = refuse\n"
        "from harness import cli\n"
        "sys.exit(cli.main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *TINY], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
