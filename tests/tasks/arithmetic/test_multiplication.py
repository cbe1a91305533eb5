"""Products."""

import numpy as np
import pytest

from tasks.arithmetic.multiplication import Multiplication
from tasks.base import ABSENT


def lines(task: Multiplication, length: int, count: int) -> list[tuple[str, str]]:
    batch = task.sample(np.random.default_rng(0), length, count)
    return [
        tuple("".join(task.alphabet[token] for token in row if token != ABSENT) for row in rows)
        for rows in zip(batch.prompt, batch.answer, strict=True)
    ]


def test_products_of_200_digits() -> None:
    for question, answer in lines(Multiplication(answer="plain"), 200, 20):
        first, second = question.split("*")
        assert int(first) * int(second) == int(answer)
        assert len(first) == len(second) == 200
        assert answer[0] != "0"


@pytest.mark.parametrize(("second", "digits"), [(0, 6), (1, 1), (2, 2)])
def test_the_second_operand_has_as_many_digits_as_it_should(second: int, digits: int) -> None:
    for question, _ in lines(Multiplication(second=second), 6, 20):
        assert [len(part) for part in question.split("*")] == [6, digits]


def test_every_product_of_single_digits_occurs() -> None:
    seen = dict(lines(Multiplication(), 1, 3000))
    assert set(seen) == {f"{one}*{other}" for one in range(10) for other in range(10)}
    assert seen["0*7"] == "0"
    assert seen["9*9"] == "18"


def test_leading_zeros_fill_the_answer_up() -> None:
    seen = lines(Multiplication(second=1, leading_zeros=True, answer="plain"), 3, 500)
    assert {len(answer) for _, answer in seen} == {4}
    assert any(answer.startswith("0") for _, answer in seen)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="number of digits"):
        Multiplication(second=-1)


@pytest.mark.parametrize("operands", ["plain", "reversed"])
def test_carries_of_one_step_in_every_product_of_two_digits_and_one(operands: str) -> None:
    """Right exactly where what the units carry does not change the hundreds."""
    guess = Multiplication(operands=operands, second=1, answer="plain").shortcuts()["carries of one step"]
    right = 0
    for first in range(10, 100):
        for second in range(10):
            written = str(first) if operands == "plain" else str(first)[::-1]
            said = int("".join(guess(list(f"{written}*{second}"))))
            assert said % 100 == first * second % 100
            assert (said == first * second) == (first * second // 100 == first // 10 * second // 10)
            right += said == first * second
    assert 700 < right < 900
