"""Counts are exact, and do not depend on how they are computed."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from partly_trained import CPU, partly_trained, scored
from torch import Tensor

from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.encodings.base import Encoding
from harness.evaluation import blind, scoring
from harness.evaluation.decoding import greedy, write
from harness.extensions.extrapolate import Extrapolate
from harness.layouts import Causal
from harness.layouts.special_tokens import EOS
from harness.models import base
from harness.models.base import Model
from harness.positions.random_offset import RandomOffset
from harness.positions.randomized import Randomized
from harness.positions.sequential import Sequential
from harness.results import metrics
from harness.results.records import Counts, ScoreRow
from tasks.base import Batch, Split
from tasks.copying.copy import Copy
from tasks.formal.parity import Parity


class Scripted(Model):
    """Answers by rule: copies the prompt, wrong from a place on that depends on the first symbol."""

    layout = "Causal"
    mode = "causal"

    def __init__(self, wrong_at: dict[int, int]) -> None:
        super().__init__()
        self.wrong_at = wrong_at

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        hidden = torch.zeros(*tokens.shape, 30)
        for row, sequence in enumerate(tokens.tolist()):
            end = sequence.index(2)
            prompt = sequence[1:end]
            answer = [*prompt, EOS]
            wrong = self.wrong_at.get(prompt[0])
            if wrong is not None:
                answer[wrong] = 4 if answer[wrong] != 4 else 5
            for offset, token in enumerate(answer):
                if end + offset < len(sequence):
                    hidden[row, end + offset, token] = 5.0
        return hidden

    def readout(self, hidden: Tensor) -> Tensor:
        return hidden


def test_counts_are_what_they_say() -> None:
    task = Copy()
    layout = Causal(task)
    found = scoring.evaluate(
        Scripted({4: 0, 5: 3}),
        task,
        layout,
        Sequential(),
        {"extrapolate": Extrapolate()},
        [4, 6],
        train_length=5,
        examples=500,
        device=CPU,
    )
    for score in found:
        prompts = scoring.make_questions(task, layout, Sequential(), score.length, 500).arranged.tokens[:, 1]
        wrong = int(np.isin(prompts, [4, 5]).sum())
        assert 0 < wrong < 100
        tokens = 500 * (score.length + 1)
        right = 500 - wrong
        counts = (500, right, right, tokens, tokens - wrong)
        assert score == ("extrapolate", score.length, *counts, score.nats, None, 500, 500, {})


def test_a_model_that_does_not_stop_in_time_is_wrong() -> None:
    task = Copy()
    questions = scoring.make_questions(task, Causal(task), Sequential(), 3, 50)
    told = Positions(torch.arange(8)[None], True)
    assert greedy(Scripted({}), questions.arranged, told, CPU)[0].all()
    late = Scripted(dict.fromkeys(range(4, 30), 3))
    assert not greedy(late, questions.arranged, told, CPU)[0].any()
    assert write(late, questions.arranged, told, CPU).shape == questions.arranged.targets.shape


def test_an_answer_that_does_not_stop_is_right_given_its_length() -> None:
    """The end token is never the likeliest: every answer is right but for its end."""
    task = Copy()
    endless = Scripted(dict.fromkeys(range(4, 30), 3))
    scores = scoring.evaluate(
        endless, task, Causal(task), Sequential(), {"extrapolate": Extrapolate()}, [3], train_length=5, examples=50,
        device=CPU,
    )  # fmt: skip
    assert (scores[0].exact, scores[0].exact_given_length) == (0, 50)


class Halves(Copy):
    """Copying, told apart by the first symbol's number and by the half in which a symbol lies."""

    axes = ("first", "half")

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        batch = super().sample(rng, length, count, split)
        half = np.broadcast_to(np.arange(length) >= length // 2, batch.answer.shape).astype(int)
        return batch._replace(axes={"first": batch.prompt[:, 0] % 2, "half": half})


def test_scores_are_told_apart_along_the_axes_of_a_task() -> None:
    task = Halves()
    model = Scripted(dict.fromkeys(range(4, 30, 2), 0) | {7: 5})  # wrong at a place, by the first symbol
    whole, *parts = scoring.evaluate(
        model, task, Causal(task), Sequential(), {"extrapolate": Extrapolate()}, [6], train_length=6, examples=200,
        device=CPU,
    )  # fmt: skip
    prompts = scoring.make_questions(task, Causal(task), Sequential(), 6, 200).arranged.tokens[:, 1]
    even, seven = int((prompts % 2 == 0).sum()), int((prompts == 7).sum())
    assert whole.at == {}
    assert whole.exact == 200 - even - seven
    by = {tuple(part.at.items()): part for part in parts}
    assert set(by) == {(("first", 0),), (("first", 1),), (("half", 0),), (("half", 1),)}
    first = by[("first", 0),]
    assert (first.examples, first.exact, first.tokens, first.correct) == (even, 0, even * 7, even * 6)
    odd = by[("first", 1),]
    assert (odd.examples, odd.exact) == (200 - even, 200 - even - seven)
    half = by[("half", 0),]
    assert (half.examples, half.exact, half.tokens, half.correct) == (200, 200 - even, 600, 600 - even)
    half = by[("half", 1),]
    assert (half.examples, half.exact, half.tokens, half.correct) == (200, 200 - seven, 600, 600 - seven)
    assert sum(part.nats for part in parts[:2]) == pytest.approx(whole.nats)


class Syllables(Copy):
    """Copying where a symbol of an even number stands for two bytes of text, of an odd one for three."""

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        batch = super().sample(rng, length, count, split)
        return batch._replace(sizes=2 + batch.answer % 2)


def test_bits_per_byte_divide_by_the_bytes_that_tokens_stand_for() -> None:
    task = Syllables()
    (score,) = scoring.evaluate(
        Scripted({}), task, Causal(task), Sequential(), {"extrapolate": Extrapolate()}, [6], train_length=6,
        examples=50, device=CPU,
    )  # fmt: skip
    symbols = scoring.make_questions(task, Causal(task), Sequential(), 6, 50).arranged.tokens[:, 1:7] - 4
    assert score.bytes == 50 * 6 * 2 + int((symbols % 2).sum()), "an end is no text"
    row = ScoreRow(**{key: value for key, value in score._asdict().items() if key != "at"})
    assert metrics.bits(row) == pytest.approx(score.nats / score.bytes / np.log(2))
    base = Counts(**blind.estimate(task, 6, 50)._asdict())
    assert base.bytes == score.bytes


def test_every_run_is_asked_the_same_questions(composed: Callable[..., Run]) -> None:
    task = Parity()
    first = scoring.make_questions(task, Causal(task), Sequential(), 9, 30)
    again = scoring.make_questions(task, Causal(task), Sequential(), 9, 30)
    assert all(np.array_equal(a, b) for a, b in zip(first.arranged, again.arranged, strict=True))
    run = composed("positions=randomized")
    drawn = [scoring.make_questions(task, Causal(task), instantiation.rule(run), 9, 30).positions for _ in range(2)]
    assert np.array_equal(*drawn)


@torch.no_grad()
def test_scores_do_not_depend_on_the_tile(composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    run = composed("task.symbols=2", "model=nano", "lengths.train=4", "lengths.test=6")
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 40)
    questions = scoring.make_questions(task, layout, Sequential(), 4, 100)
    scores = []
    for tokens in (1, 77, 100_000):
        monkeypatch.setitem(scoring.TILE_TOKENS, "cpu", tokens)
        scores.append(scored(model, questions, Sequential()))
    assert scores[0][:7] == scores[1][:7] == scores[2][:7]
    assert scores[0].nats == pytest.approx(scores[2].nats, rel=1e-5)


@torch.no_grad()
def test_a_tile_that_does_not_fit_in_memory_is_halved(composed: Callable[..., Run]) -> None:
    run = composed("task.symbols=2", "model=nano", "lengths.train=4", "lengths.test=6")
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 40)
    questions = scoring.make_questions(task, layout, Sequential(), 4, 100)
    wanted = scored(model, questions, Sequential())
    forward = model.forward

    def short_of_memory(tokens: Tensor, positions: Positions) -> Tensor:
        if len(tokens) > 7:
            raise torch.OutOfMemoryError("simulated")
        return forward(tokens, positions)

    model.forward = short_of_memory  # type: ignore[method-assign]
    got = scored(model, questions, Sequential())
    assert got[:7] == wanted[:7]


def test_evaluation_switches_dropout_off(composed: Callable[..., Run]) -> None:
    run = composed("model=nano", "architecture.dropout=0.5", "lengths.test=21")
    model, task, layout = partly_trained(run, 1)
    model.train()
    arguments = (task, layout, Sequential(), {"extrapolate": Extrapolate()}, [5, 21])
    first = scoring.evaluate(model, *arguments, train_length=20, examples=50, device=CPU)
    model.train()
    assert scoring.evaluate(model, *arguments, train_length=20, examples=50, device=CPU) == first


def test_extensions_are_told_tokens_and_not_lengths(composed: Callable[..., Run]) -> None:
    told = []

    class Spy(Extrapolate):
        def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
            told.append((train_tokens, test_tokens))
            return encoding

    model, task, layout = partly_trained(composed("model=nano", "lengths.train=4", "lengths.test=6"), 0)
    scoring.evaluate(model, task, layout, Sequential(), {"spy": Spy()}, [3, 6], train_length=4, examples=2, device=CPU)
    assert told == [(2 * 4 + 2, 2 * 6 + 2)], "a copy of n symbols is read as 2 n + 2 tokens"


def test_tests_are_told_the_positions_of_tests() -> None:
    """Random starts are for training; randomized positions can be told to be sequential in evaluation."""
    task = Copy()
    for rule in (RandomOffset(), Randomized(evaluation="sequential")):
        questions = scoring.make_questions(task, Causal(task), rule, 7, 20)
        assert questions.positions.tolist() == [list(range(questions.span))]


@torch.no_grad()
def test_truncation_reads_every_prediction_from_its_last_tokens(composed: Callable[..., Run]) -> None:
    """By its definition: the model is run once for every token, on the window that ends there."""
    run = composed("encoding=learned", "encoding.rows=10", "model=nano", "lengths.train=4", "extension=truncate")
    task = instantiation.task(run)
    torch.manual_seed(0)
    model = network.model(run, task, instantiation.layout(run, task)).eval()
    tokens = torch.randint(4, 12, (3, 30))
    with scoring.extended(model, instantiation.extensions(run)["truncate"], 10, 30) as reader:
        read = reader(tokens, Positions(torch.arange(30)[None], True))
    for place in range(30):
        window = tokens[:, max(0, place - 9) : place + 1]
        alone = model(window, Positions(torch.arange(window.shape[1])[None], True))[:, -1]
        torch.testing.assert_close(read[:, place], alone, atol=1e-5, rtol=1e-5)


def test_reading_in_stretches_scores_the_same(composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of several lengths are judged together, whose scored tokens lie in different stretches."""
    run = composed("architecture=lstm", "encoding=nope", "model=nano", "task=addition")
    task, rule = instantiation.task(run), instantiation.rule(run)
    layout = instantiation.layout(run, task)
    torch.manual_seed(0)
    model = network.model(run, task, layout)

    def score() -> list[scoring.Score]:
        return scoring.evaluate(
            model, task, layout, rule, {"extrapolate": Extrapolate()}, [3, 12], train_length=5, examples=50, device=CPU
        )

    whole = score()
    monkeypatch.setattr(base, "CHUNK", 4)
    for one, other in zip(whole, score(), strict=True):
        assert other._replace(nats=0) == one._replace(nats=0)
        assert other.nats == pytest.approx(one.nats, rel=1e-5)


@pytest.mark.parametrize("size", [1e12, float("nan")])
def test_the_loss_of_a_state_that_overflows_is_bounded_and_can_be_recorded(size: float) -> None:
    """A network whose state grows with every token is wrong beyond all measure, and that is a result."""

    class Growing(Scripted):
        def readout(self, hidden: Tensor) -> Tensor:
            return hidden * size

    task = Copy(symbols=20)
    scores = scoring.evaluate(
        Growing({4: 0, 5: 1}), task, Causal(task), Sequential(), {"extrapolate": Extrapolate()}, [3], train_length=3,
        examples=64, device=CPU,
    )  # fmt: skip
    counts = ScoreRow(**{key: value for key, value in scores[0]._asdict().items() if key in ScoreRow.model_fields})
    assert np.isfinite(counts.nats)
    assert counts.nats > 1e5
