"""Training ends when what it should teach is learned: after the same step in every way of running it."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from shell import TINY, Command, only_record, same, weights
from support import QUICK, component

from harness import recipe
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.evaluation import blind, held_out
from harness.layouts.causal import Causal
from harness.positions.sequential import Sequential
from harness.results.records import Record
from harness.runs.job import build
from harness.system import distributed
from harness.training import learning
from tasks.base import Task
from tasks.copying.copy import Copy

Compose = Callable[..., Run]
LEARNED = (
    *QUICK, "task.symbols=2", "lengths.train=3", "lengths.test=8", "train.steps=300", "train.learning_rate=0.01",
    "train.until=0.95", "evaluation.every=10",
)  # fmt: skip


def executed(composed: Compose, *words: str) -> Record:
    record = recipe.execute(composed(*words))
    assert record is not None
    assert record.status == "finished", record.reason
    assert record.cost is not None
    return record


def steps(record: Record) -> int:
    assert record.cost is not None
    return record.cost.steps


def test_it_ends_at_the_first_look_that_shows_it(composed: Compose, tmp_path: Path) -> None:
    record = executed(composed, *LEARNED, f"results={tmp_path}")
    assert 0 < steps(record) < 300
    shares = [look.in_distribution for look in record.looks]
    assert [look.step for look in record.looks] == list(range(10, steps(record) + 1, 10))
    assert shares[-1] >= 0.95 > max(shares[:-1])
    assert all(look.out_of_distribution is not None for look in record.looks)


def test_what_is_never_learned_takes_all_steps(composed: Compose, tmp_path: Path) -> None:
    record = executed(composed, *LEARNED, "train.learning_rate=1e-9", "train.steps=35", f"results={tmp_path}")
    assert steps(record) == 35
    assert [look.step for look in record.looks] == [10, 20, 30]


def test_a_stable_rate_decays_before_the_end(composed: Compose, tmp_path: Path) -> None:
    """The decay begins where the goal was reached, and takes the share of all steps that it should."""
    words = (*LEARNED, "schedule=warm_up_stable_decay", "schedule.decay=0.5", "train.until=0.6")
    record = executed(composed, *words, "train.steps=1000", f"results={tmp_path}")
    first = next(look.step for look in record.looks if look.in_distribution >= 0.6)
    assert steps(record) == 2 * first
    (curve,) = tmp_path.glob("runs/*/training.csv")
    header, *rows = (row.split(",") for row in curve.read_text().splitlines())
    rates = [(int(row[0]), float(row[header.index("learning_rate")])) for row in rows if row[header.index("loss")]]
    assert all(rate == pytest.approx(0.01) for step, rate in rates if 5 <= step < first)
    assert all(rate == pytest.approx(0.01 * (2 - step / first), rel=1e-4) for step, rate in rates if step > first)
    assert any(step > first for step, _ in rates)


@pytest.mark.parametrize(("learned", "end"), [(9, 12), (10, 14), (75, 100), (80, 100), (99, 100), (100, 100)])
def test_when_a_stable_rate_ends(learned: int, end: int) -> None:
    wsd = component("schedule", "warm_up_stable_decay", decay=0.25)
    assert wsd.end(learned, 100) == end
    assert component("schedule", "cosine").end(learned, 100) == learned


@pytest.mark.slow
@pytest.mark.parametrize("task", [("task=copy",), ("task=flip_flop",), ("positions=randomized",), ("encoding=cope",)])
def test_looking_changes_nothing_but_the_curve(task: tuple[str, ...], composed: Compose, tmp_path: Path) -> None:
    words = (*TINY, *task, "train.steps=12", "train.warmup=2", "architecture.dropout=0.2")
    plain = executed(composed, *words, f"results={tmp_path / 'plain' / 'results'}")
    looked = executed(composed, *words, "evaluation.every=4", f"results={tmp_path / 'looked' / 'results'}")
    assert (plain.name, plain.training_name) == (looked.name, looked.training_name)
    assert same(weights(tmp_path / "plain"), weights(tmp_path / "looked"))
    assert (plain.scores, plain.final_loss) == (looked.scores, looked.final_loss)
    assert [look.step for look in looked.looks] == [4, 8, 12]
    assert not plain.looks


def test_what_decides_the_end_is_in_the_ids(composed: Compose) -> None:
    def training(*words: str) -> str:
        run = composed(*words)
        return identity.training_name(run, instantiation.task(run))

    base = ("train=standard", "train.until=0")
    assert training(*base) == training(*base, "evaluation.every=40")
    ends = ["train.until=0.9", "train.until=0.99"]
    assert len({training(*base), *(training(*base, end) for end in ends)}) == 3
    assert training(*base, ends[0]) == training(*base, ends[0], "evaluation.every=25"), "where it would look anyway"
    assert training(*base, ends[0]) != training(*base, ends[0], "evaluation.every=40")
    assert training(*base) == training(*base, "train.until_examples=256"), "where nothing ends it"
    assert training(*base, ends[0]) != training(*base, ends[0], "train.until_examples=256")


def test_nothing_longer_than_training_is_looked_at_for_the_end(
    composed: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    sampled: list[int] = []
    sample = Copy.sample

    def watched(self: Copy, rng: np.random.Generator, length: int, count: int, *split: Any) -> Any:
        sampled.append(length)
        return sample(self, rng, length, count, *split)

    monkeypatch.setattr(Copy, "sample", watched)
    for words, longest in (((), 6), (("evaluation.every=25",), 12)):
        sampled.clear()
        run = composed(*TINY, "train.until=0.5", *words)
        job = build(run, distributed.this_process(1))
        sampled.clear()
        near, beyond = held_out.HeldOut(run, job.task, job.layout, torch.device("cpu"))(job.model)
        assert 0 <= near <= 1
        assert set(sampled) >= set(range(1, 7))
        assert max(sampled) == longest
        assert (beyond is None) == (longest == 6)


@pytest.mark.parametrize("lengths", [[5], list(range(1, 500))])
def test_lengths_are_spread_from_the_first_to_the_last(lengths: list[int]) -> None:
    some = held_out.spread(lengths, 64)
    assert (some[0], some[-1]) == (lengths[0], lengths[-1])
    assert len(set(some)) == len(some) <= 64


def test_a_curve_that_does_not_belong_is_refused(composed: Compose, tmp_path: Path) -> None:
    record = executed(composed, *LEARNED, f"results={tmp_path}")
    document = record.model_dump()
    failed = {**document, "looks": [{**look, "in_distribution": 0.5} for look in document["looks"]]}
    with pytest.raises(ValueError, match="ended early although it had not learned"):
        Record.model_validate(failed)
    late = {**document, "looks": [*document["looks"], {**document["looks"][-1], "step": 290}]}
    with pytest.raises(ValueError, match="learning curve is not one of its training"):
        Record.model_validate(late)
    never = {**document, "config": {**document["config"], "train": {**document["config"]["train"], "until": 0.0}}}
    with pytest.raises(ValueError, match="another train than its science"):
        Record.model_validate(never)


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["cosine", "warm_up_stable_decay"])
@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_run_ends_after_the_same_step_with_the_same_weights(
    schedule: str, after: int, composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted before the goal is reached and, where the rate still decays, after."""
    words = (*LEARNED, f"schedule={schedule}", "train.until=0.6", "trainer.checkpoint_every=7")
    whole = executed(composed, *words, f"results={tmp_path / 'whole' / 'results'}")
    goal = next(look.step for look in whole.looks if look.in_distribution >= 0.6)
    cut = goal - 3 if after == 1 else steps(whole) - 3
    look = learning.Learning.on_train_batch_end

    def interrupting(self: learning.Learning, trainer: Any, *others: Any) -> None:
        look(self, trainer, *others)
        if trainer.global_step == cut:
            os.kill(os.getpid(), signal.SIGINT)

    again = composed(*words, f"results={tmp_path / 'cut' / 'results'}")
    with monkeypatch.context() as context:
        context.setattr(learning.Learning, "on_train_batch_end", interrupting)
        with pytest.raises(KeyboardInterrupt):
            recipe.execute(again)
    record = recipe.execute(again)
    assert record is not None
    assert record.cost is not None
    assert record.cost.resumed_from == [cut]
    assert (steps(record), record.looks, record.final_loss) == (steps(whole), whole.looks, whole.final_loss)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))


@pytest.mark.slow
def test_two_processes_end_after_the_same_step(command: Command, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    assert command(*LEARNED, cwd=tmp_path / "one").returncode == 0
    two = ("trainer=ddp", "trainer.accelerator=cpu", "trainer.devices=2")
    done = command(*LEARNED, *two, cwd=tmp_path / "two", timeout=200)
    assert done.returncode == 0, done.stderr
    one, both = only_record(tmp_path / "one"), only_record(tmp_path / "two")
    assert one.name == both.name
    assert steps(both) == steps(one) < 300
    assert f"training {steps(one)}/300 done" in done.stderr


@pytest.mark.slow
def test_curves_are_drawn_and_weights_that_are_there_keep_theirs(command: Command, tmp_path: Path) -> None:
    assert command(*LEARNED).returncode == 0
    first = only_record(tmp_path)
    assert command(*LEARNED, "lengths.test=9").returncode == 0
    done = command("leaderboard")
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "results" / "learning.csv").read_text().splitlines()
    assert len(rows) == 1 + 2 * len(first.looks), "the second was tested only and has the curve of its weights"
    assert list((tmp_path / "results" / "figures").glob("learning-copy*.png"))


def test_held_out_examples_are_no_test_examples() -> None:
    """Of a length with very many strings, none is in both."""
    task: Task = Copy(symbols=20)
    tested = {tuple(row) for row in blind.test_examples(task, 20, 300).prompt.tolist()}
    held = held_out.questions(task, Causal(task), Sequential(), 20, 300, "train").arranged.tokens[:, 1:21] - 4
    assert not tested & {tuple(row) for row in held.tolist()}


@pytest.mark.parametrize(("wrong_further", "near"), [(0, 1.0), (0.1, 0.9957)])
def test_luck_in_one_look_does_not_end_training(
    wrong_further: float, near: float, composed: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network with few answers wrong sometimes has all of a look right: then more examples are asked."""
    run = composed(*LEARNED, "lengths.train=20", "lengths.test=21", "train.until=0.999", "evaluation.every=0")
    held = held_out.HeldOut(run, instantiation.task(run), Causal(Copy()), torch.device("cpu"))
    asked: list[tuple[int, int]] = []

    def share(model: object, questions: Any) -> float:
        asked.append((questions.length, len(questions.arranged.tokens)))
        return 1.0 - (wrong_further if len(asked) == 21 else 0.0)

    monkeypatch.setattr(held, "_share", share)
    assert held(cast(Any, torch.nn.Identity()))[0] == pytest.approx(near, abs=1e-4)
    assert [length for length, _ in asked] == [*range(1, 21), *range(1, 21)]
    assert sum(examples for _, examples in asked) == 2000
    first, further = (list(held_out.near(run, held.task, held.layout, held.rule, 100, name)) for name in ("a", "b"))
    same_examples = [np.array_equal(a.arranged.tokens, b.arranged.tokens) for a, b in zip(first, further, strict=True)]
    assert not any(same_examples[3:])


def test_a_look_that_fails_takes_no_more_examples(composed: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    run = composed(*LEARNED, "lengths.train=20", "lengths.test=21", "train.until=0.999", "evaluation.every=0")
    held = held_out.HeldOut(run, instantiation.task(run), Causal(Copy()), torch.device("cpu"))
    asked: list[int] = []

    def share(model: object, questions: Any) -> float:
        asked.append(questions.length)
        return 0.998

    monkeypatch.setattr(held, "_share", share)
    assert held(cast(Any, torch.nn.Identity()))[0] == pytest.approx(0.998)
    assert asked == list(range(1, 21))
