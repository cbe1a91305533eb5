"""Stacks do what lists do: the soft stack is the mean over all ways in which its actions can fall."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.models.stack_rnn import ACTIONS, StackLayer, StackRNN, apply_actions

PUSH, POP, LEAVE = range(ACTIONS)


def run(actions: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """The stacks after actions [T, S, 3] with values [T, S, C] on empty ones, [S, T + 1, C]."""
    stacks = torch.zeros(1, values.shape[1], len(values) + 1, values.shape[2], dtype=values.dtype)
    for action, value in zip(actions, values, strict=True):
        stacks = apply_actions(stacks, action[None], value[None])
    return stacks[0]


def test_a_trace_by_hand() -> None:
    """Push 1, push 2, leave, pop, push 3, pop, pop, pop: the tops are 1 2 2 1 3 1 0 0, a pop from nothing does no
    harm, and then 4 is pushed on the empty stack.
    """
    steps = [(PUSH, 1), (PUSH, 2), (LEAVE, 7), (POP, 7), (PUSH, 3), (POP, 7), (POP, 7), (POP, 7), (PUSH, 4)]
    stacks, tops = torch.zeros(1, 1, 10, 1), []
    for action, value in steps:
        weights = torch.nn.functional.one_hot(torch.tensor([[action]]), ACTIONS).float()
        stacks = apply_actions(stacks, weights, torch.full((1, 1, 1), float(value)))
        tops.append(int(stacks[0, 0, 0, 0]))
    assert tops == [1, 2, 2, 1, 3, 1, 0, 0, 4]
    assert stacks[0, 0, :, 0].tolist() == [4.0] + [0.0] * 9


def test_a_soft_step_by_hand() -> None:
    """On the stack (4, 2), half a push of 6, a quarter of a pop, a quarter of nothing."""
    stacks = torch.tensor([4.0, 2.0, 0.0]).view(1, 1, 3, 1)
    after = apply_actions(stacks, torch.tensor([[[0.5, 0.25, 0.25]]]), torch.full((1, 1, 1), 6.0))
    assert after.flatten().tolist() == [3 + 0.5 + 1, 2 + 0 + 0.5, 1.0]


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_soft_stack_is_the_mean_over_stacks_of_plain_python(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    steps, count = 5, 2
    actions = torch.rand(steps, count, ACTIONS, generator=generator, dtype=torch.float64)
    actions = actions / actions.sum(dim=-1, keepdim=True)
    values = torch.randn(steps, count, 3, generator=generator, dtype=torch.float64)
    expected = torch.zeros(count, steps + 1, 3, dtype=torch.float64)
    for s in range(count):
        for way in itertools.product(range(ACTIONS), repeat=steps):
            stack: list[torch.Tensor] = []
            chance = 1.0
            for t, action in enumerate(way):
                chance = chance * actions[t, s, action]
                if action == PUSH:
                    stack.insert(0, values[t, s])
                elif action == POP and stack:
                    stack.pop(0)
            for place, cell in enumerate(stack):
                expected[s, place] += chance * cell
    assert torch.allclose(run(actions, values), expected, atol=1e-12)


def test_every_stack_has_a_distribution_of_its_own() -> None:
    """A layer that is certain to push on one of two stacks and certain to leave the other alone: with one softmax over
    both, as in the code of Deletang et al., each would be half done.
    """
    layer = StackLayer(4, stacks=2, cell=1)
    with torch.no_grad():
        layer.action.weight.zero_()
        layer.action.bias.copy_(torch.tensor([100.0, 0, 0, 0, 0, 100.0]))
        layer.value.weight.zero_()
        layer.value.bias.fill_(1.0)
        layer.controller.recur.weight.zero_()
        layer.controller.recur.weight[:2, 4:] = torch.eye(2)  # what is read is what is put out
        layer.controller.input.bias.zero_()
    tops = layer(torch.zeros(1, 3, 4), 0, None)[0][0, :, :2]
    assert torch.allclose(tops, torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]]))


def test_pushed_and_popped_tokens_come_back_in_reverse_at_any_depth() -> None:
    """A layer set by hand: pushes what it reads while a flag is up, then pops. 300 values come back reversed: nothing
    overflows.
    """
    layer = StackLayer(4, stacks=1, cell=1)
    with torch.no_grad():
        for linear in (layer.controller.input, layer.controller.recur, layer.action, layer.value):
            linear.weight.zero_()
        for linear in (layer.controller.input, layer.action, layer.value):
            linear.bias.zero_()
        layer.controller.input.weight[0, 0] = 1  # the value
        layer.controller.input.weight[1, 1] = 1  # the flag
        layer.controller.recur.weight[2, 4] = 1  # the top that was read
        layer.action.bias.copy_(torch.tensor([-50.0, 50.0, -500.0]))
        layer.action.weight[PUSH, 1], layer.action.weight[POP, 1] = 100.0, -100.0
        layer.value.weight[0, 0] = 1
    values = torch.rand(300)
    x = torch.zeros(1, 601, 4)
    x[0, :300, 0], x[0, :300, 1] = values, 1
    tops = layer(x, 0, None)[0][0, :, 2]
    assert torch.equal(tops[300:600], values.flip(0))
    assert tops[600] < 1e-30


def test_sizes_below_one_are_refused() -> None:
    for options in ({"stacks": 0}, {"cell": 0}):
        with pytest.raises(ValueError, match=r"=0: it must be at least 1"):
            StackRNN(Dimensions(8, 1, 1, 10), 5, lambda: None, **options)


def test_the_paper_s_size() -> None:
    """One layer of 256 with a cell of 8: inputs, recurrence with the cell, three actions, eight values."""
    model = StackRNN(Dimensions(256, 1, 1, 10), 6, lambda: None)
    sizes = 256 * 257 + 256 * 264 + 3 * 257 + 8 * 257
    assert sum(p.numel() for p in model.layers.parameters()) == sizes
    tokens = torch.randint(6, (2, 7))
    assert model(tokens, Positions(torch.arange(7)[None], True)).shape == (2, 7, 256)
