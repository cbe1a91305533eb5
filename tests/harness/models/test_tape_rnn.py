"""Tapes do what a head on a tape does: the soft tape is the mean over all ways in which its moves can fall."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.models.tape_rnn import ACTIONS, TapeRNN, apply_actions

STAY, LEFT, RIGHT, JUMP_LEFT, JUMP_RIGHT = range(ACTIONS)


def certain(action: int) -> torch.Tensor:
    return torch.nn.functional.one_hot(torch.tensor([[action]]), ACTIONS).float()


def test_a_trace_by_hand() -> None:
    """Write 1 2 3 to the right, jump three to the left over them and read them again while writing them anew."""
    steps = [(1, RIGHT), (2, RIGHT), (3, RIGHT), (9, JUMP_LEFT), (1, RIGHT), (2, RIGHT), (3, LEFT), (8, JUMP_RIGHT)]
    tapes, read = torch.zeros(1, 1, 33, 1), []
    for value, action in steps:
        read.append(int(tapes[0, 0, tapes.shape[2] // 2, 0]))
        tapes = apply_actions(tapes, certain(action), torch.full((1, 1, 1), float(value)), torch.tensor([3]))
    assert read == [0, 0, 0, 0, 1, 2, 3, 2]
    middle = tapes.shape[2] // 2
    assert tapes[0, 0, middle - 4 : middle + 1, 0].tolist() == [1, 8, 3, 9, 0]


@pytest.mark.slow
@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_soft_tape_is_the_mean_over_tapes_of_plain_python(seed: int) -> None:
    """Rows jump by lengths of their own, up to two cells, so nothing falls off."""
    generator = torch.Generator().manual_seed(seed)
    steps, jumps = 4, [1, 2]
    actions = torch.rand(steps, 2, 1, ACTIONS, generator=generator, dtype=torch.float64)
    actions = actions / actions.sum(dim=-1, keepdim=True)
    values = torch.randn(steps, 2, 1, 3, generator=generator, dtype=torch.float64)
    tapes = torch.zeros(2, 1, 2 * 2 * steps + 1, 3, dtype=torch.float64)
    for action, value in zip(actions, values, strict=True):
        tapes = apply_actions(tapes, action, value, torch.tensor(jumps))
    middle = 2 * steps
    expected = torch.zeros_like(tapes)
    for row, jump in enumerate(jumps):
        moves = {STAY: 0, LEFT: -1, RIGHT: 1, JUMP_LEFT: -jump, JUMP_RIGHT: jump}
        for way in itertools.product(range(ACTIONS), repeat=steps):
            tape: dict[int, torch.Tensor] = {}
            head, chance = 0, 1.0
            for t, action in enumerate(way):
                chance = chance * actions[t, row, 0, action]
                tape[head] = values[t, row, 0]
                head += moves[action]
            for place, cell in tape.items():
                expected[row, 0, middle + place - head] += chance * cell
    assert torch.allclose(tapes, expected, atol=1e-12)


def test_any_number_of_moves_and_a_jump_lose_nothing() -> None:
    """Thirty cells written to the right and a jump by thirty to the right and back: all of them are still there."""
    tapes = torch.zeros(1, 1, 2 * 2 * 32 + 1, 1)
    moves = [RIGHT] * 30 + [JUMP_RIGHT, JUMP_LEFT]
    for number, action in enumerate(moves, 1):
        tapes = apply_actions(tapes, certain(action), torch.full((1, 1, 1), float(number)), torch.tensor([30]))
    middle = tapes.shape[2] // 2
    assert tapes[0, 0, middle - 30 : middle + 1, 0].tolist() == [*range(1, 32)]


def test_the_jump_is_the_length_of_the_input() -> None:
    """Counted without the first token and the separator, as far as it is read, and for each row by itself."""
    told = []
    model = TapeRNN(Dimensions(8, 1, 1, 10), 9, lambda: None)
    model.layers[0].register_forward_pre_hook(lambda module, inputs: told.append(inputs[1]))
    tokens = torch.tensor([[1, 5, 6, 7, 2, 7, 6, 2, 3], [1, 5, 2, 5, 3, 0, 0, 0, 0], [1, 5, 5, 5, 5, 5, 5, 5, 5]])
    model(tokens, Positions(torch.arange(9)[None], True))
    assert told[0].tolist() == [[0, 1, 2, 3, 3, 3, 3, 3, 3], [0, 1, 1, 1, 1, 1, 1, 1, 1], [*range(9)]]


def test_sizes_below_one_are_refused() -> None:
    for options in ({"tapes": 0}, {"cell": 0}, {"write": (64, 0)}):
        with pytest.raises(ValueError, match=r"(=0: it|: 0) must be at least 1"):
            TapeRNN(Dimensions(8, 1, 1, 10), 5, lambda: None, **options)
