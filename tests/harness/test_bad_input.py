"""Anything can be typed: what means nothing is refused in one printable line, at once, and nothing is left behind."""

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness import cli

DIGITS = "5" * 5000
VALUES = {
    "seed": [
        *(DIGITS, "interval(0,1)", "range(0,2,0)", "range(0,1,0.0)", "range(0,inf)", "range(nan)", "range(1000000000)"),
        *("shuffle(0,1)", "sort(1,0)", "shuffle(range(1000000000))", "choice()", "glob(*)", "glob(1", "int(abc)"),
        *(
            "${seed}",
            "${nothing}",
            "${",
            "1e400",
            "nan",
            "0x1f",
            "true",
            "1\n2",
            "[",
            "{a:1}",
            "int(int(1)",
            "",
            "'",
            "\\",
        ),
    ],
    "encoding": [
        *("", "''", "[", "]", "{", "(", ")", "rope,,alibi", "[rope]", "{rope:1}", "null", "range(1000000000)", "ünï"),
        *(
            "\x1b[31mred\x1b[0m",
            "a\0b",
            "a\u202eb",
            "a" * 100_000,
            "x," * 30_000,
            "[" * 5000,
            "{a:" * 3000,
            "int(" * 3000,
        ),
    ],
    "encoding._target_": ["5", "null", "[a]", "''", ".", "a..b", "{a:1}"],
    "lengths.grid": ["5", "null", "[a]", "[[5]]", "{a:1}", "5,25,30", "extend_list(5)", "["],
    "results": ["null", "''", "' '", "5", "[a]", "'$HOME'", "'~nobody-here'", "/dev/null/x"],
}
WORDS = [
    *(f"{key}={value}" for key, values in VALUES.items() for value in values),
    *("~task", "~seed", "~train", "~encoding=rope", "+x=1", "++x=1", "+task=copy", "++task=copy", "+seed=1", "~", "+"),
    *("=", "==", "=a", "a", "a=", "a=b=c", "a b", ".=1", "a..b=1", "$a=1", "@=1", "task@x=copy", "task/copy=1"),
    *("hydra=null", "hydra.mode=X", "hydra.sweeper.params=5", "hydra.searchpath=[x]", "~hydra", "hydra@x=1"),
    *("-", "--=", "-x", "---task=copy", "--cfg", "-run", "--package", "--job", "--help=3", "__init__", "show show"),
    *("\x1b[2J", "key\x1b=1", "\udcff=1", "a" * 100_000, "a " * 50_000, "train.x.y.z=1", "encoding.base.x=1"),
]
LINES = [
    *(
        ["-m", word]
        for word in ("seed=range(1000000000)", "seed=interval(0,1)", "encoding=glob(zz*)", "lengths.grid=5,30")
    ),
    *(["--cfg", "job", word] for word in ("seed=0,1", "seed=range(0,2,0)", "encoding=ropee", "--package=nothing")),
    *(["--cfg", "job", "-m", word] for word in ("seed=range(0,2,0)", "seed=range(1000000000)", "--package=nothing")),
    *(["show", word] for word in ("nothing", "--nothing", "encoding=rope,alibi", "--length=abc", f"--count={DIGITS}")),
    *(["inspect", word] for word in ("encoding=zzz", "--record=nowhere", "--output=", "seed=range(0,2,0)")),
    *(["leaderboard", word] for word in ("--foo", "a\x1b[31m", "--output=", "nowhere")),
    ["-m", "seed=range(1000)", "train.steps=range(1,1000)"],
    ["--cfg", "job", "seed=${nothing}", "--resolve"],
    ["--info", "nonsense"],
    ["--info", "config", "seed=0,1"],
    ["--config-dir", ""],
    ["--job", "nowhere.json"],
    ["--job", "/"],
    ["doctor", "x"],
]


def refused_in_one_line(arguments: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    streams = capsys.readouterr()
    (line,) = streams.err.splitlines()
    assert line.startswith("error: ")
    assert line.isprintable()
    listing = ("Choices: ", "Keys", "Flags: ", "Encodings")
    assert len(line) < 500 or any(word in line for word in listing)
    assert len(line) < 2100
    assert "Traceback" not in line
    assert streams.out == ""
    assert not any(folder.iterdir())


@pytest.mark.parametrize("arguments", [*([word] for word in WORDS), *LINES], ids=lambda words: ascii(words)[:60])
def test_what_means_nothing(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused_in_one_line(arguments, tmp_path, capsys)


WHOLE = ("encoding", "task", "seed", "lengths.grid", "hydra", "rope", "copy", "range", "glob", "null", "1e3", "1", "--")
SNIPPETS = st.sampled_from([*WHOLE, *"=,[](){}'\"\\$~+@/.: *-ü\x1b"])


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(argument=st.lists(SNIPPETS, min_size=1, max_size=6).map("".join))
@example(argument="encoding={")
def test_no_traceback_whatever_is_typed(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Shown instead of run, because some of it means something."""
    code = cli.main(["--cfg", "job", argument])
    said = capsys.readouterr().err
    assert code in (0, 2)
    assert len(said.splitlines()) == (1 if code else 0)
    assert said.rstrip("\n").isprintable()


def test_a_command_may_stand_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["--cfg", "job"]) == 0
    assert cli.main(["show"]) == 0
    assert cli.main(["leaderboard"]) == 2
    assert capsys.readouterr().err == "error: results: there is no such folder\n"


def test_messages_are_one_printable_line_whatever_goes_into_them() -> None:
    from harness.errors import LONGEST, Refused

    for text in (
        "a\nb\x1b[31m\u202e\0c",
        "a" * 100_000,
        "a " * 100_000,
        "\ud800",
        "".join(map(chr, range(sys.maxunicode))),
    ):
        line = str(Refused(text))
        assert line.isprintable()
        assert len(line) <= LONGEST
        assert line.isascii() or len(text) > 10**6 or "\ud800" not in line
