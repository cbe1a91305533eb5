"""Differences, with and without a minus."""

import numpy as np
import pytest

from tasks.arithmetic.subtraction import Subtraction
from tasks.base import ABSENT


def lines(task: Subtraction, length: int, count: int) -> list[tuple[str, str]]:
    batch = task.sample(np.random.default_rng(0), length, count)
    return [
        tuple("".join(task.alphabet[token] for token in row if token != ABSENT) for row in rows)
        for rows in zip(batch.prompt, batch.answer, strict=True)
    ]


def test_half_of_the_differences_are_negative_and_the_minus_is_where_the_order_puts_it() -> None:
    plain, turned = Subtraction(answer="plain"), Subtraction(answer="reversed")
    seen = lines(plain, 15, 2000)
    for question, answer in seen:
        first, second = question.split("-")
        assert int(first) - int(second) == int(answer)
        assert answer == str(int(answer))
    assert np.mean([answer.startswith("-") for _, answer in seen]) == pytest.approx(0.5, abs=0.05)
    assert [answer[::-1] for _, answer in lines(turned, 15, 2000)] == [answer for _, answer in seen]


def test_positive_differences_have_the_same_sizes() -> None:
    signed = lines(Subtraction(answer="plain"), 4, 300)
    positive = lines(Subtraction(answer="plain", result="positive"), 4, 300)
    assert [answer.lstrip("-") for _, answer in signed] == [answer for _, answer in positive]
    assert all(int(question.split("-")[0]) >= int(question.split("-")[1]) for question, _ in positive)


def test_every_difference_of_one_digit_occurs() -> None:
    seen = {question for question, _ in lines(Subtraction(), 1, 3000)}
    assert seen == {f"{one}-{other}" for one in range(10) for other in range(10)}


def test_equal_numbers_differ_by_zero() -> None:
    seen = dict(lines(Subtraction(), 1, 3000))
    assert seen["4-4"] == "0"
    assert "".join(Subtraction().solve("57-68")) == "11-"


def test_the_longest_borrow() -> None:
    """``10000-9999`` borrows through four columns, as does ``1000-0001`` in a number of its own."""
    task = Subtraction(operands="plain", answer="plain", result="positive")
    batch = task.sample(np.random.default_rng(0), 6, 3000)
    for question, power in zip(batch.prompt, batch.axes["borrow"], strict=True):
        text = "".join(task.alphabet[token] for token in question)
        upper, lower = ([int(digit) for digit in part[::-1]] for part in text.split("-"))
        longest = 0
        for start in range(6):
            if upper[start] < lower[start]:
                end = start + 1
                while end < 6 and upper[end] == lower[end]:
                    end += 1
                longest = max(longest, end - start)
        assert power == (1 << longest.bit_length() >> 1)


def test_borrows_of_one_step_get_worse_with_length() -> None:
    task = Subtraction()
    guess = task.shortcuts()["borrows of one step"]
    scores = []
    for length in (3, 10, 40):
        seen = lines(task, length, 500)
        scores.append(np.mean(["".join(guess(list(question))) == answer for question, answer in seen]))
    assert scores[0] > 0.85
    assert scores[0] > scores[1] > scores[2]
    assert scores[2] < 0.35


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="signed or positive"):
        Subtraction(result="absolute")
