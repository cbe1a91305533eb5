"""What the shortcuts of the Chomsky hierarchy's tasks reach, where it can be counted."""

from itertools import product

import pytest
from distributions import exact, score
from hypothesis import given
from hypothesis import strategies as st

from tasks.base import Task
from tasks.formal.binary_arithmetic import BinaryMultiplication
from tasks.formal.compute_sqrt import ComputeSqrt
from tasks.formal.cycle_navigation import CycleNavigation
from tasks.formal.duplicate_string import DuplicateString
from tasks.formal.missing_duplicate_string import MissingDuplicateString
from tasks.formal.modular_arithmetic import ModularArithmetic
from tasks.formal.odds_first import OddsFirst
from tasks.formal.parity_scratchpad import ParityScratchpad
from tasks.formal.running_parity import RunningParity
from tasks.formal.stack_manipulation import StackManipulation


def failures(task: Task, name: str, prompts: list[str]) -> list[str]:
    guess = task.shortcuts()[name]
    return [prompt for prompt in prompts if guess(list(prompt)) != task.solve(list(prompt))]


@given(first=st.integers(1, 2**20), second=st.integers(1, 2**20))
def test_products_without_carries_are_right_where_no_two_ones_meet(first: int, second: int) -> None:
    """A product has as many ones as its factors' together multiplied, or fewer where a column had two of them."""
    meet = (first * second).bit_count() < first.bit_count() * second.bit_count()
    prompt = f"{first:b}"[::-1] + "*" + f"{second:b}"[::-1]
    assert failures(BinaryMultiplication(), "without carries", [prompt]) == [prompt] * meet


@pytest.mark.parametrize("order", ["released", "paper"])
def test_the_root_of_the_highest_eight_bits_of_ten(order: str) -> None:
    """Wrong where a square lies between: of four numbers with the same first eight bits, odd squares are the second."""
    task = ComputeSqrt(order=order)
    numbers = [f"{number:010b}"[:: 1 if order == "released" else -1] for number in range(1, 1024)]
    wrong = failures(task, "the highest eight bits", numbers)
    assert len(wrong) == 3 * len([root for root in range(1, 32) if root % 2])
    assert exact(task, "the highest eight bits", 8, 100) == 1


def test_a_walk_that_does_not_go_round() -> None:
    """Of 3^5 walks, 51 end where they began, 45 and 30 one and two places away on either side."""
    walks = ["".join(walk) for walk in product("LSR", repeat=5)]
    assert len(walks) - len(failures(CycleNavigation(), "without going round", walks)) == 51 + 2 * 45 + 2 * 30


@pytest.mark.parametrize("length", [2, 3, 4, 9, 12, 13])
def test_the_hidden_bit_is_the_parity_of_the_others_in_every_string(length: int) -> None:
    """A string written twice has an even number of ones: the task can be done without looking for the copy."""
    twice = ["".join(bits) * 2 + "#" * (length % 2) for bits in product("01", repeat=length // 2)]
    hidden = [text[:gap] + "_" + text[gap + 1 :] for text in twice for gap in range(length // 2 * 2)]
    assert not failures(MissingDuplicateString(), "parity of the visible bits", hidden)


@pytest.mark.parametrize("length", [100, 500])
def test_it_is_at_lengths_that_cannot_be_enumerated_too(length: int) -> None:
    assert score(MissingDuplicateString(), "parity of the visible bits", length) == 1


@pytest.mark.parametrize("order", ["released", "paper"])
@pytest.mark.parametrize("length", [1, 7, 8])
def test_half_of_an_answer_and_zeros_get_three_quarters(order: str, length: int) -> None:
    """All of the half that is copied and half of the zeros, over all strings."""
    strings = ["".join(bits) for bits in product("01", repeat=length)]
    tasks = [
        (
            OddsFirst(order=order),
            "the first half and then zeros",
            length // 2 if order == "released" else -(-length // 2),
        ),
        (DuplicateString(), "the string and then zeros", length),
    ]
    for task, name, copied in tasks:
        guess, right = task.shortcuts()[name], 0
        for string in strings:
            truth, guessed = task.solve(list(string)), guess(list(string))
            assert len(truth) == len(guessed)
            right += sum(one == other for one, other in zip(truth, guessed, strict=True))
        others = len(truth) - copied
        assert right * 2 == len(strings) * (2 * copied + others)


@pytest.mark.parametrize("order", ["forward", "reversed"])
def test_eight_parities_and_zeros(order: str) -> None:
    """Of 12 parities the first eight are right, and of the others half: over all strings."""
    task = ParityScratchpad(order=order)
    guess, right = task.shortcuts()["the parities of the first eight bits"], 0
    for bits in product("01", repeat=12):
        right += sum(one == other for one, other in zip(task.solve(bits), guess(bits), strict=True))
    assert right == 2**12 * (8 + 4 // 2)
    labels = RunningParity().shortcuts()["the first eight bits"]
    if order == "forward":
        assert all(labels(bits) == guess(bits) for bits in product("01", repeat=10))


def test_looking_back_three_bits_finds_the_copy_where_they_stand_nowhere_else() -> None:
    twice = "00010111" * 2  # read round, it has every three bits once
    hidden = [twice[:gap] + "_" + twice[gap + 1 :] for gap in (*range(3, 8), *range(11, 16))]
    name = "what follows the same three bits elsewhere"
    assert not failures(MissingDuplicateString(), name, hidden)
    assert score(MissingDuplicateString(), name, 20, 2000) > 0.6
    assert score(MissingDuplicateString(), name, 400, 2000) == pytest.approx(0.5, abs=0.05)


def test_from_left_to_right_in_every_expression_of_three_digits() -> None:
    """Modulo 5 only a sum or a difference that is multiplied can fail: a * c is not a in (4/5)^2 of these."""
    digits, signs = product("01234", repeat=3), list(product("+-*", repeat=2))
    prompts = [f"{a}{one}{b}{other}{c}" for a, b, c in digits for one, other in signs]
    wrong = failures(ModularArithmetic(), "from left to right", prompts)
    assert len(wrong) == 2 * 5 * 4 * 4
    assert score(ModularArithmetic(), "from left to right", 99, 2000) == pytest.approx(0.2, abs=0.04)


def test_pops_after_all_pushes_fail_where_an_emptied_stack_is_filled() -> None:
    prompts = [bit + "".join(actions) for bit in "01" for actions in product("pab", repeat=2)]
    prompts += [one + other + action for one in "01" for other in "01" for action in "pab"]
    assert failures(StackManipulation(), "pops after all pushes", prompts) == ["0pb", "1pa"]
