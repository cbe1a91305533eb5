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
