"""Sums of many numbers."""

import numpy as np
import pytest
from distributions import exact

from tasks.arithmetic.multiple_addition import MultipleAddition
from tasks.arithmetic.multiple_addition_scratchpad import MultipleAdditionScratchpad
from tasks.base import ABSENT


@pytest.mark.parametrize(("counts", "length"), [("operands", 7), ("digits", 5)])
def test_operands_digits_and_segments(counts: str, length: int) -> None:
    task = MultipleAddition(counts=counts, most=4, answer="plain")
    batch = task.sample(np.random.default_rng(0), length, 300)
    width = batch.prompt.shape[1]
    met = set()
    for row in range(300):
        text = "".join(task.alphabet[token] for token in batch.prompt[row] if token != ABSENT)
        total = "".join(task.alphabet[token] for token in batch.answer[row] if token != ABSENT)
        parts = text.split("+")
        operands, digits = batch.axes["operands"][row], batch.axes["digits"][row]
        assert int(total) == sum(map(int, parts))
        assert [len(part) for part in parts] == [digits] * operands
        met.add((operands, digits))
        segments = [number for number in range(operands) for _ in range(digits + 1)][:-1]
        assert batch.channels["segment"][row, : len(text)].tolist() == segments
        assert set(batch.channels["segment"][row, width:]) == {operands}
        places = [*range(digits, 0, -1), 0] * operands
        assert batch.channels["place"][row, : len(text)].tolist() == places[:-1]
        assert (
            batch.channels["digit"][row, : len(text)].tolist()
            == [*range(1, digits + 1), 0, *places][: digits + 1] + ([*range(1, digits + 1), 0] * (operands - 1))[:-1]
        )
    other = {"operands": {(7, 1), (7, 2), (7, 3), (7, 4)}, "digits": {(2, 5), (3, 5), (4, 5)}}
    assert met == other[counts]


def test_carries_above_one() -> None:
    """Twelve nines of two digits: the carry is larger than a digit."""
    assert "".join(MultipleAddition(answer="plain").solve("+".join(["99"] * 12))) == "1188"
    task = MultipleAddition(answer="plain", most=2)
    batch = task.sample(np.random.default_rng(0), 120, 20)
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        text = "".join(task.alphabet[token] for token in prompt if token != ABSENT)
        total = "".join(task.alphabet[token] for token in answer if token != ABSENT)
        assert int(total) == sum(map(int, text.split("+")))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"counts": "terms"}, "operands or digits"),
        ({"most": 0}, "between 1 and 50"),
        ({"most": 1, "counts": "digits"}, "2"),
    ],
)
def test_what_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MultipleAddition(**options)


def test_the_sums_on_the_way() -> None:
    task = MultipleAdditionScratchpad()
    assert "".join(task.solve("057+068+080")) == "000>750>521>502"
    plain = MultipleAdditionScratchpad(answer="plain", most=2)
    batch = plain.sample(np.random.default_rng(0), 11, 50)
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        parts = "".join(plain.alphabet[token] for token in prompt if token != ABSENT).split("+")
        sums = "".join(plain.alphabet[token] for token in answer if token != ABSENT).split(">")
        assert [int(total) for total in sums] == np.cumsum([0, *map(int, parts)]).tolist()
        assert len({len(number) for number in parts + sums}) == 1
        assert len(sums[0]) == len(str(11 * 9)) if int(max(parts)) < 10 else len(str(11 * 99))


def test_carries_of_one_step_fail_only_where_a_carry_runs_on() -> None:
    """Of three columns: where the units change what the tens carry, and nowhere else."""
    task = MultipleAddition()
    guess = task.shortcuts()["carries of one step"]
    batch = task.sample(np.random.default_rng(0), 15, 300)
    failed = 0
    for prompt, answer, digits in zip(batch.prompt, batch.answer, batch.axes["digits"], strict=True):
        question = [task.alphabet[token] for token in prompt if token != ABSENT]
        parts = "".join(question).split("+")
        below, upper = sum(int(part[-1:]) for part in parts), sum(int(part[-2:-1] or 0) for part in parts)
        runs_on = digits == 3 and (upper + below // 10) // 10 != upper // 10
        right = guess(question) == [task.alphabet[token] for token in answer if token != ABSENT]
        assert right != runs_on
        failed += runs_on
    assert 30 < failed < 100


def test_a_column_of_fifty_digits_is_added_without_fault() -> None:
    guess = MultipleAddition(answer="plain").shortcuts()["carries of one step"]
    assert "".join(guess(list("+".join("9" * 50)))) == "450"


@pytest.mark.parametrize("answer", ["plain", "reversed"])
def test_one_sum_on_the_way_without_running_carries(answer: str) -> None:
    """Two numbers of 1, 2 or 3 digits and a leading zero. Two columns fail where the units carry (0.45) and the digits
    above make 9 (8 in 81); of three, tens may make 9 (0.1) above units that carry, or carry below hundreds that make 9.
    """
    failing = (0 + 0.45 * 8 / 81 + 0.45 * (0.1 + 8 / 81)) / 3
    task = MultipleAdditionScratchpad(answer=answer)
    assert exact(task, "carries of one step", 2, 4000) == pytest.approx(1 - failing, abs=0.013)
    assert exact(MultipleAdditionScratchpad(most=1), "carries of one step", 9, 200) == 1
