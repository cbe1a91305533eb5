"""Addition as people and models write it."""

import numpy as np
import pytest

from tasks.arithmetic.addition import Addition
from tasks.base import ABSENT


def written(task: Addition, length: int, count: int) -> list[str]:
    batch = task.sample(np.random.default_rng(0), length, count)
    rows = zip(batch.prompt, batch.answer, strict=True)
    return ["=".join("".join(task.alphabet[t] for t in part if t != ABSENT) for part in row) for row in rows]


@pytest.mark.parametrize("operands", ["plain", "reversed"])
@pytest.mark.parametrize("answer", ["plain", "reversed"])
@pytest.mark.parametrize("length", [1, 2, 7, 40])
def test_the_sum_is_right_and_has_no_leading_zero(operands: str, answer: str, length: int) -> None:
    for line in written(Addition(operands=operands, answer=answer), length, 50):
        question, total = line.split("=")
        first, second = question.split("+")
        if operands == "reversed":
            first, second = first[::-1], second[::-1]
        total = total[::-1] if answer == "reversed" else total
        assert int(first) + int(second) == int(total)
        assert len(first) == len(second) == length
        assert length == 1 or "0" not in (first[0], second[0])
        assert total == str(int(total))


def test_single_digits_include_zero() -> None:
    digits = {line.split("+")[0] for line in written(Addition(), 1, 500)}
    assert digits == set("0123456789")


def parts(line: str) -> tuple[int, int, int]:
    question, total = line.split("=")
    first, second = question.split("+")
    return int(first), int(second), int(total)


def test_binary_sums() -> None:
    for line in written(Addition(answer="plain", base=2), 30, 50):
        question, total = line.split("=")
        assert sum(int(part, 2) for part in question.split("+")) == int(total, 2)
        assert total.startswith("1")


def test_leading_zeros_give_every_answer_one_digit_more() -> None:
    lines = written(Addition(answer="plain", leading_zeros=True), 3, 200)
    assert {len(line.split("=")[1]) for line in lines} == {4}
    assert {line.split("=")[1][0] for line in lines} == {"0", "1"}
    assert all(sum(parts(line)[:2]) == parts(line)[2] for line in lines)


def test_random_sums_of_200_digits_have_short_chains_of_carries() -> None:
    """Of 5,000, the longest has 7 columns; the median is 3, which as a power of two is 2."""
    carry = Addition().sample(np.random.default_rng(0), 200, 5000).axes["carry"]
    assert np.median(carry) == 2
    assert 4 <= carry.max() <= 8


def test_a_full_chain_runs_through_all_columns_and_a_forced_one_through_any_number() -> None:
    for line in written(Addition(answer="plain", carries="full"), 12, 50):
        first, second, total = parts(line)
        assert len(str(first)) == len(str(second)) == 12
        assert 10**12 <= total < 10**12 + 10, "all digits but the first and the units become 0"
    carry = Addition(carries="chain").sample(np.random.default_rng(0), 64, 4000).axes["carry"]
    share = np.array([(carry == power).mean() for power in (64, 32, 16, 8)])
    assert share == pytest.approx([1 / 64, 1 / 2, 1 / 4, 1 / 8], abs=0.03), "uniform from 1 to 64 columns"


def test_a_forced_chain_can_begin_anywhere() -> None:
    batch = Addition(operands="reversed", carries="chain").sample(np.random.default_rng(0), 3, 2000)
    columns = batch.prompt[:, :3] + batch.prompt[:, 4:7]
    assert (columns > 9).any(axis=1).all()
    assert {tuple(row) for row in np.minimum(columns, 10) // 5 * 5} >= {(10, 5, 5), (0, 10, 5), (0, 0, 10), (5, 5, 10)}


def chance_that_no_carry_runs_on(length: int) -> float:
    """That no column of a sum that makes a carry is followed by one that adds up to 9, but for the highest, exactly."""

    def column(digits: range) -> tuple[float, float]:
        sums = [one + other for one in digits for other in digits]
        return sum(total > 9 for total in sums) / len(sums), sum(total == 9 for total in sums) / len(sums)

    no_carry, carry = 1.0, 0.0  # so far, by what the column before does on its own
    for place in range(length):
        makes, passes = column(range(10))
        if place == length - 1:
            passes = 0.0
        no_carry, carry = (
            no_carry * (1 - makes) + carry * (1 - makes - passes),
            (no_carry + carry) * makes,
        )
    return no_carry + carry


@pytest.mark.parametrize(("length", "known"), [(5, 0.864), (10, 0.684), (20, 0.416), (50, 0.105), (100, 0.006)])
def test_carries_of_one_step_do_well_on_random_sums(length: int, known: float) -> None:
    exact = chance_that_no_carry_runs_on(length)
    assert exact == pytest.approx(known, abs=0.008), "the known figures are of samples"
    task = Addition()
    guess = task.shortcuts()["carries of one step"]
    batch = task.sample(np.random.default_rng(0), length, 1500)
    right = [
        guess([task.alphabet[token] for token in question])
        == [task.alphabet[token] for token in answer if token != ABSENT]
        for question, answer in zip(batch.prompt, batch.answer, strict=True)
    ]
    assert np.mean(right) == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 1500) ** 0.5)


def test_carries_of_one_step_fail_wherever_a_carry_runs_on() -> None:
    task = Addition(carries="full")
    guess = task.shortcuts()["carries of one step"]
    batch = task.sample(np.random.default_rng(0), 5, 50)
    for question in batch.prompt:
        prompt = [task.alphabet[token] for token in question]
        assert guess(prompt) != task.solve(prompt)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"base": 11}, "between 2 and 10"),
        ({"carries": "hard"}, "random, chain or full"),
        ({"carries": "full", "base": 2}, "random"),
        ({"operands": "backwards"}, "plain or reversed"),
    ],
)
def test_what_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Addition(**options)
