"""One teacher-forced pass says what greedy decoding would."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from partly_trained import CPU, partly_trained, scored
from support import choices
from torch import Tensor

from harness.attention.positions import Positions
from harness.config import instantiation
from harness.config.schema import Run
from harness.encodings.base import Encoding
from harness.errors import Refused
from harness.evaluation import scoring
from harness.evaluation.decoding import greedy
from harness.layouts.base import Layout
from harness.mixers.attention import Attention
from harness.models.base import Model
from harness.positions.sequential import Sequential
from tasks.base import Task


@pytest.mark.slow
@pytest.mark.parametrize(
    ("encoding", "positions"),
    [*((encoding, "sequential") for encoding in choices("encoding")), *(("rope", p) for p in choices("positions"))],
)
@torch.no_grad()
def test_one_pass_says_what_greedy_decoding_says(
    encoding: str, positions: str, composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    task_with_digits = ["task=addition", "lengths.grid=[4,6]"]
    asked = task_with_digits if positions == "abacus" else ["task=copy", "task.symbols=2"]
    try:
        run = composed(
            f"encoding={encoding}", f"positions={positions}", *asked, "model=nano",
            "lengths.train=4", "lengths.test=6", "extension=extrapolate",
        )  # fmt: skip
    except Refused as refused:
        if not any(
            reason in str(refused) for reason in ("Positions for task=", "is not defined for", "what a saved network")
        ):
            raise
        pytest.skip(str(refused))
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 60)
    rule = instantiation.rule(run)
    for length in (1, 2, 3, 4, 6):
        questions = scoring.make_questions(task, layout, rule, length, 200)
        told = Positions(torch.from_numpy(questions.positions), rule.consecutive)
        one_pass = scored(model, questions, rule)
        exact, given_length = greedy(model, questions.arranged, told, CPU)
        assert one_pass.exact == int(exact.sum())
        assert one_pass.exact_given_length == int(given_length.sum()) >= one_pass.exact


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "encoding", "positions"),
    [
        ("encoder_decoder", "rope", "sequential"),
        ("encoder_decoder", "learned", "random_offset"),
        ("encoder_decoder", "sinusoidal", "randomized"),
        ("encoder_decoder", "learned", "coupled"),
        ("t5", "t5", "sequential"),
        ("bart", "learned", "sequential"),
        ("looped", "rope", "sequential"),
        ("universal", "sinusoidal", "sequential"),
    ],
)
@torch.no_grad()
def test_one_pass_says_what_decoding_says_in_other_architectures(
    architecture: str, encoding: str, positions: str, composed: Callable[..., Run]
) -> None:
    """Rows are read whole, answer and all, in one pass, and token by token in the other."""
    run = composed(
        f"architecture={architecture}", f"encoding={encoding}", f"positions={positions}", "task=reverse",
        "task.symbols=2", "model=nano", "lengths.train=4", "lengths.test=6",
    )  # fmt: skip
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 60)
    rule = instantiation.rule(run)
    right = []
    for length in (1, 2, 3, 4, 6):
        questions = scoring.make_questions(task, layout, rule, length, 200)
        told = Positions(torch.from_numpy(questions.positions), rule.consecutive)
        score = scored(model, questions, rule)
        exact, given_length = greedy(model, questions.arranged, told, CPU)
        assert score.exact == int(exact.sum())
        assert score.exact_given_length == int(given_length.sum())
        right.append(score.exact)
    assert any(10 < count < 190 for count in right), right


def decoded_as_scored(run: Run, model: Model, task: Task, layout: Layout, lengths: list[int]) -> None:
    """One pass and decoding agree at these lengths, and at one of them some answers are right and some wrong."""
    rule = instantiation.rule(run)
    right = []
    for length in lengths:
        questions = scoring.make_questions(task, layout, rule, length, 200)
        numbers = (rule.channels,) if rule.channels > 1 else ()
        assert questions.positions.shape == (*questions.arranged.tokens.shape, *numbers)
        told = Positions(torch.from_numpy(questions.positions), rule.consecutive)
        right.append(scored(model, questions, rule).exact)
        assert right[-1] == int(greedy(model, questions.arranged, told, CPU)[0].sum())
    assert any(5 < count < 195 for count in right), right


@pytest.mark.slow
@pytest.mark.parametrize("positions", ["coupled", "abacus"])
@pytest.mark.parametrize("answer", ["plain", "reversed"])
@torch.no_grad()
def test_one_pass_says_what_decoding_says_of_sums(positions: str, answer: str, composed: Callable[..., Run]) -> None:
    """Positions come from channels there; answers of one length have one more digit or not."""
    run = composed(
        "task=addition", f"task.answer={answer}", f"positions={positions}", "encoding=learned", "model=nano",
        "lengths.train=2", "lengths.test=3", "lengths.step=1",
    )  # fmt: skip
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 300)
    decoded_as_scored(run, model, task, layout, [1, 2, 3])


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["learned_levels", "multi_channel_rope"])
@torch.no_grad()
def test_one_pass_says_what_decoding_says_of_positions_on_two_levels(
    encoding: str, composed: Callable[..., Run]
) -> None:
    run = composed(
        "task=multiple_addition", "task.most=1", "positions=coupled_levels", f"encoding={encoding}", "model=nano",
        "lengths.train=3", "lengths.test=4", "lengths.step=1",
    )  # fmt: skip
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 200)
    decoded_as_scored(run, model, task, layout, [2, 3, 4])


@torch.no_grad()
def test_the_agreement_is_not_for_want_of_right_and_wrong_answers(composed: Callable[..., Run]) -> None:
    run = composed("task.symbols=2", "model=nano", "lengths.train=4", "lengths.test=6")
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 60)
    exact = [
        scored(model, scoring.make_questions(task, layout, Sequential(), length, 200), Sequential()).exact
        for length in (1, 2, 3, 4)
    ]
    assert any(20 < count < 180 for count in exact), exact


class LooksAtTheTotalLength(Encoding):
    """Not prefix-consistent: every token sees how many there are."""

    prefix_consistent = False

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        direction = torch.linspace(-1, 1, x.shape[-1])
        return x + 2.0 * torch.sin(torch.tensor(tokens.shape[1] * 1.7)) * direction


@torch.no_grad()
def test_a_model_that_sees_the_total_length_is_decoded_for_real(
    composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = composed("task.symbols=2", "model=nano", "lengths.train=4", "lengths.test=6")
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 60)
    for module in model.modules():
        if isinstance(module, Attention):
            module.encoding = LooksAtTheTotalLength()
    differs = False
    for length in (1, 2, 3):
        questions = scoring.make_questions(task, layout, Sequential(), length, 200)
        told = Positions(torch.from_numpy(questions.positions), True)
        score = scored(model, questions, Sequential())
        assert score.exact == int(greedy(model, questions.arranged, told, CPU)[0].sum())
        monkeypatch.setattr(LooksAtTheTotalLength, "prefix_consistent", True)
        differs |= score.exact != scored(model, questions, Sequential()).exact
        monkeypatch.setattr(LooksAtTheTotalLength, "prefix_consistent", False)
    assert differs, "one pass would have counted something else"


@torch.no_grad()
def test_labels_are_not_fed_back(composed: Callable[..., Run]) -> None:
    """Where an answer labels the prompt's tokens, the model is given all of these and writes nothing: its labels are
    those of one pass, whatever its encoding looks at.
    """
    run = composed("task=running_parity", "model=nano", "lengths.train=4", "lengths.test=6")
    with torch.enable_grad():
        model, task, layout = partly_trained(run, 60)
    for module in model.modules():
        if isinstance(module, Attention):
            module.encoding = LooksAtTheTotalLength()
    assert not layout.generates
    questions = scoring.make_questions(task, layout, Sequential(), 6, 200)
    judged = scoring.judgements(model, questions, Sequential(), layout, CPU)
    right = np.split(judged.right, questions.arranged.scored.sum(axis=1).cumsum()[:-1])
    assert judged.exact.tolist() == [bool(row.all()) for row in right]
    assert 0 < judged.exact.sum() < 200
