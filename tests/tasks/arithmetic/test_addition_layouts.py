"""Hints, spaces and steps around the digits of sums."""

import numpy as np
import pytest
from distributions import exact

from tasks.arithmetic.addition_hints import AdditionHints
from tasks.arithmetic.addition_scratchpad import AdditionScratchpad
from tasks.arithmetic.addition_spaces import AdditionSpaces
from tasks.base import ABSENT, Batch, Task


def shown(task: Task, row: np.ndarray) -> list[str]:
    return [task.alphabet[token] for token in row if token != ABSENT]


def draw(task: Task, length: int, count: int = 50) -> Batch:
    return task.sample(np.random.default_rng(0), length, count)


@pytest.mark.parametrize("operands", ["plain", "reversed"])
@pytest.mark.parametrize("answer", ["plain", "reversed"])
def test_a_hint_means_the_same_significance_in_all_three_numbers(operands: str, answer: str) -> None:
    task = AdditionHints(operands=operands, answer=answer)
    batch = draw(task, 7)
    for question, said in zip(batch.prompt, batch.answer, strict=True):
        tokens = [*shown(task, question), "=", *shown(task, said)]
        numbers = []
        for part in " ".join(tokens).replace("=", "+").split("+"):
            names, digits = part.split()[::2], part.split()[1::2]
            numbers.append(dict(zip(names, digits, strict=True)))
        assert set(numbers[0]) == set(numbers[1]) == set(numbers[2])
        names = [token for token in tokens[: len(tokens) // 3 : 2] if token.isalpha()]
        units_first = names if operands == "reversed" else names[::-1]
        one, other, total = (
            sum(int(number[name]) * 10**power for power, name in enumerate(units_first)) for number in numbers
        )
        assert one + other == total
        places = [task.alphabet.index(name) for name in names]
        assert places == list(range(places[0], places[0] + 8)), "consecutive, in the order of the operands"


def test_hints_begin_anywhere_that_they_fit() -> None:
    task = AdditionHints(hints=10)
    first = draw(task, 4, 2000).prompt[:, 0] - task.alphabet.index("a")
    assert set(first) == set(range(6))
    assert np.bincount(first).min() > 2000 / 6 * 0.8


def test_too_few_hints() -> None:
    task = AdditionHints(hints=10)
    assert task.produces(9)
    assert not task.produces(10)
    with pytest.raises(ValueError, match="no examples of length 10"):
        draw(task, 10)
    with pytest.raises(ValueError, match="between 2 and 702"):
        AdditionHints(hints=1)


def test_spaces_stand_before_tokens_as_often_as_they_should() -> None:
    task = AdditionSpaces(share=0.5)
    batch = draw(task, 20, 500)
    runs: list[int] = []
    for row in batch.prompt:
        text = "".join(shown(task, row))
        assert text.replace("_", "").count("+") == 1
        assert not text.endswith("_")
        count = 0
        for token in text:
            if token == "_":
                count += 1
            else:
                runs.append(count)
                count = 0
    share = np.bincount(runs, minlength=4) / len(runs)
    # at least one with 0.5, at least two with 0.5 * 0.05, three with 0.5 * 0.05 * 0.005
    assert share[:3] == pytest.approx([0.5, 0.475, 0.024875], abs=0.012)
    assert share[3] < 0.001
    assert not (batch.answer == task.alphabet.index("_")).any()


def test_spaces_leave_the_channels_of_digits_alone() -> None:
    task, bare = AdditionSpaces(answer="plain"), AdditionSpaces(answer="plain", share=0.0)
    batch, without = draw(task, 9), draw(bare, 9)
    space = task.alphabet.index("_")
    width = batch.prompt.shape[1]
    for name, joint in (("place", 1), ("digit", 0)):
        for row in range(50):
            kept = np.flatnonzero((batch.prompt[row] != space) & (batch.prompt[row] != ABSENT))
            assert np.array_equal(batch.channels[name][row, kept], without.channels[name][row, :19])
            assert np.array_equal(batch.channels[name][row, width:], without.channels[name][row, 19:])
            assert len(batch.channels[name][row, width:]) == 10 + joint
    assert np.array_equal(batch.answer, without.answer)


def test_no_spaces() -> None:
    assert draw(AdditionSpaces(share=0.0), 5).prompt.shape == (50, 11)
    with pytest.raises(ValueError, match="between 0 and 1"):
        AdditionSpaces(share=1.5)


def test_the_steps_of_a_sum() -> None:
    assert "".join(AdditionScratchpad().solve("128+367")) == "A5C1,A9C0,A4C0:495"
    assert "".join(AdditionScratchpad().solve("95+7" + "5")) == "A0C1,A7C1:170"


def test_a_step_shares_the_place_of_its_column() -> None:
    task = AdditionScratchpad()
    batch = draw(task, 3, 1)
    digits = (batch.answer != ABSENT).sum() - 15
    place = batch.channels["place"][0, : 8 + 15 + digits].tolist()
    steps = [1, 1, 1, 1, 0, 2, 2, 2, 2, 0, 3, 3, 3, 3, 0]
    assert place == [3, 2, 1, 0, 3, 2, 1, 0, *steps, *range(digits, 0, -1)]


def test_the_examples_of_hints() -> None:
    assert "".join(AdditionHints().solve(list("b7c5d0+b8c6d0"))) == "b5c2d1"
    plain = AdditionHints(operands="plain", answer="plain")
    assert "".join(plain.solve(list("b0c5d7+b0c6d8"))) == "b1c2d5"
    assert "".join(AdditionHints(operands="plain").solve(list("b0c5d7+b0c6d8"))) == "d5c2b1"


@pytest.mark.parametrize("operands", ["plain", "reversed"])
@pytest.mark.parametrize("answer", ["plain", "reversed"])
def test_with_hints_a_carry_fails_to_run_into_the_leading_zero(operands: str, answer: str) -> None:
    """Of two columns: the units carry in 0.45 of all sums, and the digits above make 9 in 8 of 81."""
    task = AdditionHints(operands=operands, answer=answer)
    assert exact(task, "carries of one step", 2, 3000) == pytest.approx(1 - 0.45 * 8 / 81, abs=0.015)


def test_steps_that_do_not_read_the_step_before() -> None:
    task = AdditionScratchpad()
    guess = task.shortcuts()["carries of one step"]
    assert "".join(guess("128+367")) == "A5C1,A9C0,A4C0:495"
    assert "".join(guess("345+155")) == "A0C1,A0C1,A4C0:400", "the carry that the second step writes is not read"
    assert "".join(guess("45+55")) == "A0C1,A0C1:100", "the last is written whole"
    assert exact(task, "carries of one step", 2) == 1
    assert exact(AdditionScratchpad(operands="reversed"), "carries of one step", 3, 3000) == pytest.approx(
        1 - 0.45 * 0.1, abs=0.015
    )
