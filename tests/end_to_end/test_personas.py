"""The ways of six users that benchmarks/personas.py walks are those of the page, and each of their commands is right.

What they cost is for the script: it takes minutes, and a test has no clock.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from documented import cells, read_only
from support import ROOT, page_script

from harness import cli
from harness.composition.compose import composer

SCRIPT = page_script("personas", "benchmarks")
STEPS = [
    pytest.param(step, id=f"{name}-{number}")
    for name, way in SCRIPT.WAYS.items()
    for number, step in enumerate(way.steps)
]


def test_the_page_has_the_ways_of_the_script() -> None:
    page = (ROOT / "docs" / "personas.md").read_text()
    written = re.findall(r"^\| `(.*?)` \| [\d.]+ \| \d+ \|", page, re.M)
    assert written == [step.words for way in SCRIPT.WAYS.values() for step in way.steps]


@pytest.mark.parametrize("step", STEPS)
def test_a_command_is_one_and_a_refusal_is_refused(
    step: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = SCRIPT.words_of(step)
    if step.code:
        assert cli.main(words) == step.code
        assert capsys.readouterr().err.startswith("error: ")
    elif words[0] in cli._commands():
        read_only(words, monkeypatch)
    elif words[0] == "--help":
        assert cli.main(words) == 0
    elif not {"encoding=far", "architecture=huggingface"} & set(words):  # which is written before, by the way or for it
        with composer() as hydra:
            assert cells(hydra, words)


def test_what_is_not_held_is_said() -> None:
    way = SCRIPT.WAYS["student"]
    good = [SCRIPT.Cost(1.0, 3, 80, step.code) for step in way.steps]
    assert SCRIPT.broken(way, good) == []
    assert SCRIPT.slow(way, good) == []
    helped, *rest = good
    (said,) = SCRIPT.broken(way, [helped._replace(lines=61), *rest])
    assert said == "--help: 61 lines of up to 80 columns"
    (said,) = SCRIPT.broken(way, [helped._replace(code=1), *rest])
    assert said == "--help: exit code 1, not 0"
    slow = [each._replace(seconds=1.6) for each in good]
    assert len(SCRIPT.slow(way, slow)) == sum(step.kind in SCRIPT.LIMITED for step in way.steps) > 0
