"""A choice that breaks a promise is found out, and what was seen is said."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from harness import cli
from harness.checks.batteries import encoding as encodings
from harness.checks.batteries import positions, task
from harness.checks.batteries.positions import are_as_declared
from harness.checks.claims import Claim, DoesNotApply, Failed, outcome, sentence
from harness.checks.encodings import Subject
from harness.config import instantiation
from harness.config.schema import Run
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.models.base import Model
from harness.positions.base import PositionRule
from tasks.base import Batch, Task
from tasks.copying.copy import Copy


class Bias(Encoding):
    """What others here do wrong."""

    kind = "bias"

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.full((dimensions.n_heads,), 0.1))

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        distances = (q_positions[:, :, None] - k_positions[:, None, :]).abs()[:, None]
        return -self.w[:, None, None].to(self.precision) * distances.to(self.precision)


class Unused(Bias):
    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__(dimensions)
        self.spare = nn.Parameter(torch.ones(3))


class Absolute(Bias):
    """Says that it is shift-invariant."""

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return super().bias(q_positions, k_positions) - k_positions[:, None, None, :].to(self.precision).sqrt()


class Total(Bias):
    """Says that it is prefix-consistent."""

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return super().bias(q_positions, k_positions) / (1 + k_positions.max())


class Rounded(Bias):
    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return super().bias(q_positions.bfloat16(), k_positions.bfloat16())


class Infinite(Bias):
    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return super().bias(q_positions, k_positions) / 0


class Remembering(Bias):
    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        self.seen = max(getattr(self, "seen", 1), q_positions.shape[1], k_positions.shape[1])
        return super().bias(q_positions, k_positions) / self.seen


BROKEN: list[tuple[type[Encoding], Callable[[Subject], Any], str]] = [
    (Unused, encodings.trains, "no gradient for"),
    (Absolute, encodings.shift_invariance, "shift_invariant = True, largest difference"),
    (Total, encodings.no_look_ahead, "prefix_consistent = True, 7 of 30 tokens"),
    (Rounded, encodings.shift_invariance, "largest difference"),
    (Infinite, encodings.builds, "not finite"),
    (Remembering, encodings.nothing_remembered, "largest difference"),
]


def subject(made: type[Encoding], composed: Callable[..., Run]) -> Subject:
    from harness.config import network

    def build(dimensions: Dimensions) -> Encoding:
        return made(dimensions)  # type: ignore[call-arg]

    def with_it() -> Model:
        run = composed("model=nano", "encoding=alibi", "lengths.test=21")
        chosen = instantiation.task(run)
        model = network.model(run, chosen, instantiation.layout(run, chosen))
        torch.manual_seed(0)
        own = build(Dimensions(run.model.dimension, run.model.heads, run.model.layers, 42))
        for module in model.modules():
            if isinstance(getattr(module, "encoding", None), Encoding):
                module.encoding = own
        return model.eval()

    return Subject({}, build, with_it)


def test_an_honest_encoding_passes(composed: Callable[..., Run]) -> None:
    for claim in encodings.CLAIMS:
        found = outcome(Claim(sentence(claim), lambda claim=claim: claim(subject(Bias, composed))))  # type: ignore[misc]
        assert found.verdict != "fails", found


@pytest.mark.parametrize(("made", "claim", "said"), BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_a_broken_promise_of_an_encoding_is_seen(
    made: type[Encoding], claim: Callable[[Subject], Any], said: str, composed: Callable[..., Run]
) -> None:
    with pytest.raises(Failed, match=said):
        claim(subject(made, composed))


class Unseeded(Copy):
    def sample(self, rng: np.random.Generator, length: int, count: int, split: Any = "train") -> Batch:
        return super().sample(np.random.default_rng(), length, count, split)


class Wrong(Copy):
    def solve(self, prompt: Any) -> list[str]:
        return list(reversed(prompt))


class Longer(Copy):
    def answer_length(self, length: int) -> int:
        return length - 1


class Rare(Copy):
    @property
    def outputs(self) -> tuple[str, ...]:
        return (*self.alphabet, "!")


@pytest.mark.parametrize(
    ("made", "claim", "said"),
    [
        (Unseeded, task.seeded, "something else is random"),
        (Wrong, task.agrees_with_oracle, "and by the oracle"),
        (Longer, task.well_shaped, "tokens of answer, answer_length says"),
        (Rare, task.outputs_occur, "an output is not in the alphabet"),
    ],
)
def test_a_broken_promise_of_a_task_is_seen(
    made: type[Task], claim: Callable[[Any], Any], said: str, composed: Callable[..., Run]
) -> None:
    with pytest.raises(Failed, match=said):
        claim(task.Subject(composed("task=copy", "lengths.test=21"), made()))


class Falling(PositionRule):
    def sample(self, rng: np.random.Generator, sequences: Any) -> np.ndarray:
        return np.arange(sequences.width)[None, ::-1].copy()

    def largest(self, tokens: int, *, training: bool, maxima: Any = None) -> int:
        return tokens - 1


def test_a_broken_promise_of_a_position_rule_is_seen() -> None:
    with pytest.raises(Failed, match="they do not rise from token to token"):
        are_as_declared(positions.Subject(Falling()))


def test_an_error_in_what_is_checked_is_a_failure_that_names_its_place() -> None:
    def broken() -> str:
        return [][3]

    found = outcome(Claim("It works", broken))
    assert found.verdict == "fails"
    assert found.seen.startswith("IndexError: list index out of range, test_checks.py line ")

    def none() -> str:
        raise DoesNotApply("it has none")

    assert str(outcome(Claim("It works", none))) == "does not apply: It works (it has none)"


def test_the_command_says_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (["rop"], "unknown choice 'rop'; did you mean 'rope'?"),
        (["encodin=rope"], "unknown group 'encodin'; did you mean 'encoding'?"),
        (["encoding=copy"], "unknown encoding 'copy'"),
        (["rope", "encoding.bas=3"], "bas"),
    ):
        assert cli.main(["check", *words]) == 2
        assert said in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    "choice",
    [
        "encoding=learned",
        "ntk",
        "train_extension=yarn",
        "optimizer=sgd",
        "logger=csv",
        "model=nano",
        "study=six_encodings",
    ],
)
def test_choices_of_the_harness_hold(choice: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", choice]) == 0, capsys.readouterr().out
