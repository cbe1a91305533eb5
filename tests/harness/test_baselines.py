"""Every score has its trivial baselines beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.errors import Refused
from harness.evaluation import baselines, blind
from harness.layouts import Blanks, Causal, Sentences
from harness.results import metrics
from harness.results.records import Counts
from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.compositional.scan import Scan
from tasks.formal.parity import Parity
from tasks.formal.running_parity import RunningParity
from tasks.language.text import Text


class Largest(Task):
    """The largest digit, or nothing where the first is 0: answers of two lengths."""

    version = 1
    alphabet = tuple("0123456789")

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(10, size=(count, length))
        answer = np.where(prompt[:, :1] == 0, ABSENT, prompt.max(axis=1, keepdims=True))
        return Batch(prompt, answer, answer != ABSENT)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return [] if prompt[0] == "0" else [max(prompt)]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"oracle": self.solve, "nine": lambda prompt: ["9"], "long": lambda prompt: [max(prompt), "9"]}


def test_shortcuts_are_counted_like_a_model() -> None:
    task = Largest()
    prompt = blind.test_examples(task, 6, 500).prompt
    empty = int((prompt[:, 0] == 0).sum())
    nines = int(((prompt.max(axis=1) == 9) & (prompt[:, 0] > 0)).sum())
    counted = {
        name: baselines.shortcut_answers(name, shortcut, task, Causal(task), 6, 500)
        for name, shortcut in task.shortcuts().items()
    }
    assert 0 < empty < nines < 500
    oracle = counted["oracle"]
    assert (oracle.examples, oracle.exact, oracle.tokens, oracle.correct) == (500, 500, 1000 - empty, 1000 - empty)
    nine = counted["nine"]
    assert (nine.exact, nine.correct) == (nines, nines + 500 - empty), "it ends too late where there is no answer"
    assert (counted["long"].exact, counted["long"].correct) == (0, 500 - empty)


def test_chance_draws_each_token_and_knows_the_end() -> None:
    parity = baselines.chance(Parity(), Causal(Parity()), 9, 100)
    assert (parity.exact, parity.tokens) == (0.5, 0.75)
    scan = baselines.chance(Scan(), Causal(Scan()), 24, 10**6)
    assert (scan.exact, scan.tokens) == (pytest.approx(6.0**-24), pytest.approx((24 / 6 + 1) / 25))
    running = Text(targets=16, longest=512)
    text = baselines.chance(running, Causal(running), 64, 50)
    assert (text.exact, text.tokens) == (0.0, 1 / 256)


def test_without_ends_a_coin_is_a_coin() -> None:
    """The figures that stand beside published ones, which count no ends, count none."""
    task = Parity()
    for layout in (Causal(task), Blanks(task)):
        chance = metrics.rate(baselines.chance(task, layout, 30, 400))
        known = metrics.rate(Counts(**blind.estimate(task, 30, 400, layout)._asdict()))
        zero = metrics.rate(baselines.shortcut_answers("zero", lambda prompt: ["0"], task, layout, 30, 400))
        silent = metrics.rate(baselines.shortcut_answers("silent", lambda prompt: [], task, layout, 30, 400))
        assert (chance.exact_match, chance.without_ends) == (0.5, 0.5)
        assert known.without_ends == known.exact_match
        assert zero.without_ends == zero.exact_match
        assert (silent.without_ends, silent.token_accuracy) == (0.0, 0.0)
    long = baselines.shortcut_answers("long", lambda prompt: ["0", "0"], task, Causal(task), 30, 400)
    assert (long.ends, long.ends_correct) == (400, 0)
    labels = RunningParity()
    known = metrics.rate(Counts(**blind.estimate(labels, 30, 400, Causal(labels))._asdict()))
    assert known.without_ends == known.token_accuracy


def test_baselines_are_kept_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    science = {"training": {"task": {"name": "largest", "version": 1}}}
    first = baselines.baselines(Largest(), Causal(Largest()), [3, 5], 20, science, tmp_path)
    assert set(first.shortcuts) == {"oracle", "nine", "long"}
    assert [row.length for row in first.blind] == [3, 5] == [row.length for row in first.chance]
    monkeypatch.setattr(blind, "estimate", lambda *_: pytest.fail("computed again"))
    assert baselines.baselines(Largest(), Causal(Largest()), [3, 5], 20, science, tmp_path) == first
    monkeypatch.undo()
    (file,) = tmp_path.glob("*.json")
    for damage in ('{"blind": [{"length": 3', "[]", file.read_text().replace('"exact": ', '"exact": 99')):
        file.write_text(damage)
        assert baselines.baselines(Largest(), Causal(Largest()), [3, 5], 20, science, tmp_path) == first, (
            "damage is made good"
        )


def test_any_changed_digit_or_foreign_file_in_the_cache_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def kept(version: int) -> baselines.Baselines:
        science = {"training": {"task": {"name": "largest", "version": version}}}
        return baselines.baselines(Largest(), Causal(Largest()), [3, 5], 20, science, tmp_path)

    first = kept(1)
    (file,) = tmp_path.glob("*.json")
    whole = file.read_text()
    kept(2)
    (other,) = (path for path in tmp_path.glob("*.json") if path != file)
    digits = [n for n, letter in enumerate(whole) if letter.isdigit()]
    damaged = [f"{whole[:n]}{(int(whole[n]) + 1) % 10}{whole[n + 1 :]}" for n in digits]
    asked = []
    monkeypatch.setattr(baselines, "compute", lambda *_: asked.append(None) or first)
    for content in [*damaged, other.read_text(), whole.replace('{"digest": "', '{"old": "'), ""]:
        file.write_text(content)
        assert kept(1) == first
        assert file.read_text() == whole, "it is made good"
    assert len(asked) == len(damaged) + 3
    assert all(str(file) in message for message in caplog.messages)
    assert len(caplog.messages) == len(asked)


def test_a_cache_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    science = {"training": {"task": {"name": "largest", "version": 1}}}
    arguments = (Largest(), Causal(Largest()), [3, 5], 20, science, tmp_path)
    first = baselines.baselines(*arguments)
    (file,) = tmp_path.glob("*.json")
    file.unlink()
    file.mkdir()
    assert baselines.baselines(*arguments) == first


def test_a_broken_shortcut_is_named() -> None:
    def broken(prompt: Sequence[str]) -> list[str]:
        raise ValueError("no root")

    with pytest.raises(Refused, match="shortcut root of Largest at length 4: no root"):
        baselines.shortcut_answers("root", broken, Largest(), Causal(Largest()), 4, 5)


def test_the_end_of_an_answer_counts_where_the_model_is_scored_on_it() -> None:
    """Parity read out at a blank or at [CLS] is one token: knowing that it ends is no merit there."""
    task = Parity()
    for layout, tokens in ((Causal(task), 2), (Blanks(task), 1), (Sentences(task), 1)):
        base = blind.estimate(task, 30, 400, layout)
        assert base.tokens == tokens * 400
        assert base.correct - base.exact == (tokens - 1) * 400
        assert baselines.chance(task, layout, 30, 400).tokens == (tokens - 0.5) / tokens
        guess = baselines.shortcut_answers("zero", lambda prompt: ["0"], task, layout, 30, 400)
        assert (guess.tokens, guess.correct - guess.exact) == (tokens * 400, (tokens - 1) * 400)
    largest = Largest()
    empty = int((blind.test_examples(largest, 6, 500).prompt[:, 0] == 0).sum())
    base = blind.estimate(largest, 6, 500, Blanks(largest))
    assert base.tokens == 500, "either the answer or, at the blank of an empty one, the end"
    oracle = baselines.shortcut_answers("oracle", largest.solve, largest, Blanks(largest), 6, 500)
    assert (oracle.tokens, oracle.correct, oracle.exact) == (500, 500, 500)
    assert empty > 0
