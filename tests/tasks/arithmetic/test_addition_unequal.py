"""Sums of numbers of different lengths."""

from collections import Counter

import numpy as np
import pytest

from tasks.arithmetic.addition_unequal import AdditionUnequal
from tasks.base import ABSENT, Task


def lines(task: Task, length: int, count: int) -> list[tuple[list[str], list[str]]]:
    batch = task.sample(np.random.default_rng(0), length, count)
    return [
        tuple([task.alphabet[token] for token in row if token != ABSENT] for row in rows)
        for rows in zip(batch.prompt, batch.answer, strict=True)
    ]


def test_every_pair_of_lengths_is_equally_likely() -> None:
    task, length, count = AdditionUnequal(), 6, 11_000
    pairs: Counter = Counter()
    for prompt, _ in lines(task, length, count):
        pairs[tuple(map(len, "".join(prompt).split("+")))] += 1
    assert set(pairs) == {(one, other) for one in range(1, 7) for other in range(1, 7) if max(one, other) == 6}
    expected = count / len(pairs)
    assert sum((seen - expected) ** 2 / expected for seen in pairs.values()) < 40  # chi-square with 10 degrees


def test_axes_are_the_digits_of_each_operand() -> None:
    task = AdditionUnequal()
    batch = task.sample(np.random.default_rng(0), 20, 300)
    plus = (batch.prompt == task.alphabet.index("+")).argmax(axis=1)
    assert np.array_equal(batch.axes["first"], plus)
    assert np.array_equal(batch.axes["second"], (batch.prompt != ABSENT).sum(axis=1) - plus - 1)


def test_axes_of_long_sums_are_in_steps_and_one_of_them_is_the_length() -> None:
    axes = AdditionUnequal().sample(np.random.default_rng(0), 210, 3000).axes
    assert np.array_equal(np.maximum(axes["first"], axes["second"]), np.full(3000, 210))
    assert set(axes["first"]) == {*range(9, 210, 9), 210}


def test_leading_zeros_fill_up_to_the_longer() -> None:
    task = AdditionUnequal(leading_zeros=True, answer="plain")
    for prompt, answer in lines(task, 4, 50):
        first, second = "".join(prompt).split("+")
        assert len(first) == len(second) == len(answer) - 1 == 4
        assert int(first) + int(second) == int("".join(answer))


def test_equal_significance_shares_a_place_whatever_the_lengths() -> None:
    task = AdditionUnequal()
    batch = task.sample(np.random.default_rng(1), 8, 100)
    width = batch.prompt.shape[1]
    for prompt, place, digit in zip(batch.prompt, batch.channels["place"], batch.channels["digit"], strict=True):
        shown = "".join(task.alphabet[token] for token in prompt if token != ABSENT)
        sizes = [len(part) for part in shown.split("+")]
        assert place[: len(shown)].tolist() == [*range(sizes[0], 0, -1), 0, *range(sizes[1], 0, -1)]
        assert digit[: len(shown)].tolist() == [*range(1, sizes[0] + 1), 0, *range(1, sizes[1] + 1)]
        assert place[width : width + 4].tolist() == [0, 1, 2, 3]


def test_the_longer_operand_has_most_digits_of_a_binary_sum() -> None:
    """A long binary sum is mostly the longer operand's digits: token accuracy is far above the half of a coin."""
    task = AdditionUnequal(base=2)
    guess, right, total = task.shortcuts()["longer operand"], 0, 0
    for prompt, answer in lines(task, 40, 500):
        right += sum(one == other for one, other in zip(guess(prompt), answer, strict=False))
        total += len(answer)
    assert 0.65 < right / total < 0.8


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="between 2 and 10"):
        AdditionUnequal(base=1)
