"""``--help`` and ``ls``: everything that a run can be given is found, with what it means."""

import re
import sys

import pytest

from harness import cli
from harness.composition.compose import composer
from harness.config import catalogue, identity, instantiation, keys
from harness.config.schema import Run


def listed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert cli.main([*words]) == 0
    return capsys.readouterr().out


def test_help_fits_a_screen_and_names_every_group_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    page = listed(capsys, "--help")
    lines = page.splitlines()
    assert len(lines) <= 60
    assert max(map(len, lines)) <= 80
    for name in (*catalogue.GROUPS, "leaderboard", "show", "doctor", "ls"):
        assert re.search(rf"^  {name} +", page, re.M), name


@pytest.mark.parametrize("group", catalogue.GROUPS)
def test_all_choices_of_a_group_are_listed_with_their_meanings(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    every = list(catalogue.choices(group))
    if not every:
        assert cli.main(["ls", group]) == 2
        return
    page = listed(capsys, "ls", group)
    for choice in every:
        assert re.search(rf"^  {group}={choice.name}  +{re.escape(choice.meaning)}$", page, re.M)
    assert listed(capsys, "--help", group) == page


@pytest.mark.parametrize("group", catalogue.GROUPS)
def test_every_choice_tells_its_keys(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    for choice in catalogue.choices(group):
        page = listed(capsys, "ls", f"{group}={choice.name}")
        assert choice.meaning in page
        if group == "study":
            assert all(f"  {line}\n" in page for line in choice.path.read_text().splitlines())
            continue
        for key in keys.of_choice(group, choice.name, choice.path):
            assert key.meaning, key
            assert f"  {key.name}={key.default}\n" in page


@pytest.mark.parametrize(
    "choice", ["task=flip_flop", "encoding=rope", "train=quick", "trainer=cpu", "extension=yarn", "architecture=t5"]
)
def test_listed_keys_can_be_set_and_have_the_defaults_that_are_listed(choice: str) -> None:
    group, _, name = choice.partition("=")
    words = [choice] if group != "extension" else ["extension=[yarn]"]
    with composer() as hydra:
        plain = hydra.attempt(words)
        said = [
            f"{key.name}={key.default}" for key in keys.of_choice(group, name, catalogue.CONF / group / f"{name}.yaml")
        ]
        given = hydra.attempt([*words, *said])
    assert isinstance(plain, Run)
    assert isinstance(given, Run), given
    task = instantiation.task(plain)
    assert identity.run_name(given, task) == identity.run_name(plain, task)
    assert given.trainer == plain.trainer


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("train.beta2", "number above 0 below 1"),
        ("train.steps", "whole number from 0"),
        ("train.precision", "32-true or bf16-mixed"),
        ("trainer.devices", "whole number from 1 to 4096"),
        ("encoding.base", "number from 1.01, or 0"),
        ("encoding.fraction", "number above 0 to 1"),
        ("lengths.original", "whole number from 1 or null"),
        ("force", "true or false"),
    ],
)
def test_the_bounds_of_a_key_are_listed(key: str, values: str) -> None:
    group = key.partition(".")[0]
    name = {"train": "quick", "trainer": "auto", "encoding": "rope"}.get(group)
    found = keys.of_choice(group, name, catalogue.CONF / group / f"{name}.yaml") if name else keys.of_run()
    assert {one.name: one.values for one in found}[key] == values


@pytest.mark.parametrize(
    ("words", "inside", "outside"),
    [
        ("encodings rotary", ["encoding=rope", "encoding=xpos"], ["encoding=alibi", "task=copy"]),
        ("tasks counting", ["task=copy"], ["task=parity "]),
        ("architecture causal", ["architecture=llama"], ["architecture=bert"]),
        ("task channels digit", ["task=addition "], ["task=dyck"]),
        ("encoding 2104.09864", ["encoding=rope"], ["encoding=alibi"]),
        ("shuffle", ["task=shuffle_dyck"], ["encoding"]),
    ],
)
def test_words_are_searched_in_names_descriptions_papers_and_properties(
    words: str, inside: list[str], outside: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    page = listed(capsys, "ls", *words.split())
    assert all(text in page for text in inside)
    assert not any(text in page for text in outside)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train.stepz", "did you mean 'train.steps'?"),
        ("encoding=ropp", "did you mean 'rope'?"),
        ("encodings xyzzy", "mentions xyzzy: python -m harness ls encoding"),
        ("xyzzy", "nothing mentions xyzzy"),
        ("--config-dir nowhere", "nowhere: there is no such folder"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ls", *words.split()]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 40])
def test_lines_are_wrapped_to_the_terminal(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for words in (["ls"], ["ls", "tasks"], ["ls", "encoding=rope"], ["ls", "train."]):
        capsys.readouterr()
        with monkeypatch.context() as patch:
            patch.setattr(type(sys.stdout), "isatty", lambda self: True, raising=False)
            page = listed(capsys, *words)
        long = [line for line in page.splitlines() if len(line) > width and " " in line.strip()]
        assert not [line for line in long if not line.startswith(("python -m", "task: "))], long


@pytest.mark.parametrize(
    ("words", "said"),
    {
        "--help leaderbord": "nothing mentions leaderbord; did you mean the command leaderboard?",
        "--help roape": "did you mean encoding=rope?",
        "--help trian.steps": "did you mean 'train.steps'?",
        "ls taks": "did you mean task (a group)?",
        "ls encoding roap": "there is no choice of encoding that mentions roap; did you mean 'rope'?",
        "ls models causal": "no choice of model that mentions causal, but of encoding,",
    }.items(),
)
def test_what_is_misspelt_is_found_all_the_same(words: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words.split()) == 2
    refusal = capsys.readouterr().err
    assert said in refusal
    assert len(refusal) < 300


def test_help_of_a_command_is_what_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help", "diff"], ["diff", "--help"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(words)
        assert ended.value.code == 0
    first, again = capsys.readouterr().out.split("usage: ")[1:]
    assert first == again
    assert first.startswith("python -m harness diff")
