"""Flip-flop language modelling."""

from collections import defaultdict
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from distributions import assert_drawn, score, written

from tasks.base import ABSENT
from tasks.formal.flip_flop import FlipFlop


def test_instructions_and_bits_have_their_chances() -> None:
    chances: dict[str, Fraction] = defaultdict(Fraction)
    weight = {"w": Fraction(1, 4), "r": Fraction(1, 4), "i": Fraction(1, 2)}
    for first, instruction, bit in product("01", "wri", "01"):
        if instruction == "r":
            bit = first
        memory = bit if instruction == "w" else first
        chances[f"w{first}{instruction}{bit}r{memory}"] += Fraction(1, 4) * weight[instruction]
    assert_drawn(FlipFlop(ignore=0.5), 3, chances)


@pytest.mark.parametrize(("ignore", "write"), [(0.8, 0.1), (0.98, 0.01), (0.1, 0.45)])
def test_the_published_mixtures(ignore: float, write: float) -> None:
    """256 instructions, of which p are ignored and the rest is written and read equally often."""
    task = FlipFlop(ignore=ignore)
    batch = task.sample(np.random.default_rng(0), 256, 2000)
    assert batch.prompt.shape[1] == 512
    instructions = batch.prompt[:, 2:-2:2]  # but for the first and the last
    shares = [(instructions == number).mean() for number in range(3)]
    assert shares == pytest.approx([write, write, ignore], abs=0.003)
    assert (batch.prompt[:, 0] == task.alphabet.index("w")).all()
    assert (batch.prompt[:, -2] == task.alphabet.index("r")).all()


def test_test_examples_may_have_another_mixture() -> None:
    task = FlipFlop(test_ignore=0.98)
    ignored = {
        split: (task.sample(np.random.default_rng(0), 200, 500, split).prompt[:, ::2] == 2).mean()  # type: ignore[arg-type]
        for split in ("train", "test")
    }
    assert ignored["train"] == pytest.approx(0.8 * 198 / 200, abs=0.01)
    assert ignored["test"] == pytest.approx(0.98 * 198 / 200, abs=0.01)


def test_every_read_is_labelled_with_the_last_written_bit_and_its_distance() -> None:
    task = FlipFlop()
    batch = task.sample(np.random.default_rng(0), 100, 50)
    for prompt, answer, distance in zip(written(task, batch.prompt), batch.answer, batch.axes["distance"], strict=True):
        for place in range(0, 200, 2):
            assert (answer[place] != ABSENT) == (prompt[place] == "r")
            assert answer[place + 1] == ABSENT
            if prompt[place] == "r":
                last = prompt.rindex("w", 0, place)
                assert task.alphabet[answer[place]] == prompt[last + 1] == prompt[place + 1]
                assert distance[place] == ((place - last) // 2).bit_length()


@pytest.mark.parametrize("ignore", [0.8, 0.98, 0.1])
def test_the_bit_before_is_right_unless_it_is_to_be_ignored(ignore: float) -> None:
    """Then it is right by chance: 1 - p / 2 of all reads."""
    measured = score(FlipFlop(test_ignore=ignore), "the bit just before", 200, 300)
    assert measured == pytest.approx(1 - ignore / 2, abs=0.03)


@pytest.mark.parametrize("option", ["ignore", "test_ignore"])
def test_what_makes_no_sense_is_refused(option: str) -> None:
    with pytest.raises(ValueError, match=f"{option}=1.5: a probability is between 0 and 1"):
        FlipFlop(**{option: 1.5})


@pytest.mark.parametrize("ignore", [0.8, 0.5])
def test_four_instructions_back_is_often_far_enough(ignore: float) -> None:
    """A write or a read among them says the bit; otherwise it is a guess."""
    measured = score(FlipFlop(test_ignore=ignore), "writes and reads among the last eight tokens", 200, 300)
    assert measured == pytest.approx(1 - ignore**4 / 2, abs=0.01)
