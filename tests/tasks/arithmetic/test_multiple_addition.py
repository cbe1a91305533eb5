"""Sums of many numbers."""

import numpy as np
import pytest

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
