"""Reading sentences in parts, by its definition: one prediction at a time."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.evaluation import scoring
from harness.evaluation.truncation import pair_kept
from harness.layouts.special_tokens import BOS, PAD, SEP
from harness.models.base import Model

WINDOW = 10


def row(first: int, second: int, width: int) -> torch.Tensor:
    """``[CLS] A [SEP] B [SEP]`` with these numbers of tokens, all different, and padding."""
    tokens = [BOS, *range(10, 10 + first), SEP, *range(40, 40 + second), SEP]
    return torch.tensor(tokens + [PAD] * (width - len(tokens)))


@given(st.integers(0, 25), st.integers(0, 25), st.integers(3, 30))
def test_the_longer_sentence_loses_its_end_until_both_fit(first: int, second: int, window: int) -> None:
    tokens = row(first, second, 60)[None]
    kept = tokens[pair_kept(tokens, tokens != PAD, window)].tolist()
    a, b = list(range(10, 10 + first)), list(range(40, 40 + second))
    while len(a) + len(b) + 3 > window:
        (a if len(a) > len(b) else b).pop()
    assert kept == [BOS, *a, SEP, *b, SEP]


@given(st.integers(0, 25), st.integers(2, 30))
def test_a_single_sentence_loses_its_end(length: int, window: int) -> None:
    tokens = torch.tensor([[BOS, *range(10, 10 + length), SEP, PAD]])
    kept = tokens[pair_kept(tokens, tokens != PAD, window)].tolist()
    assert kept == [BOS, *range(10, 10 + min(length, window - 2)), SEP]


def bert(composed: Callable[..., Run], *overrides: str) -> Model:
    """The network as it is tested on sequences that are longer than those of training."""
    text = ("task=next_sentence", "lengths.test=256")
    run = composed("architecture=bert", "encoding=learned", "model=nano", "extension=truncate", *text, *overrides)
    task = instantiation.task(run)
    torch.manual_seed(0)
    return network.model(run, task, instantiation.layout(run, task)).eval()


def alone(model: Model, tokens: torch.Tensor) -> torch.Tensor:
    """What the network says of one short row."""
    return model(tokens[None], Positions(torch.arange(len(tokens))[None], True))[0]


@torch.no_grad()
def test_what_is_said_of_a_pair_comes_from_what_is_left_of_it(composed: Callable[..., Run]) -> None:
    model = bert(composed)
    sizes = [(12, 15), (3, 20), (2, 3)]
    tokens = torch.stack([row(first, second, 31) for first, second in sizes])
    told = Positions(torch.arange(31)[None], True, tokens != PAD)
    with scoring.extended(
        model, instantiation.extensions(composed("extension=truncate"))["truncate"], WINDOW, 31
    ) as reader:
        said = reader(tokens, told)[:, 0]
    for number, (first, second) in enumerate([(4, 3), (3, 4), (2, 3)]):
        torch.testing.assert_close(said[number], alone(model, row(first, second, first + second + 3))[0])


@pytest.mark.parametrize("length", [11, 12, 30, 41])
@torch.no_grad()
def test_a_hidden_token_is_read_with_the_tokens_around_it(length: int, composed: Callable[..., Run]) -> None:
    """Whichever piece it is: there is one that says the same, with at least a quarter of a window on either side but
    where the text ends.
    """
    model = bert(composed)
    tokens = row((length - 3) // 2, length - 3 - (length - 3) // 2, length)
    with scoring.extended(
        model, instantiation.extensions(composed("extension=truncate"))["truncate"], WINDOW, length
    ) as reader:
        said = reader(tokens[None], Positions(torch.arange(length)[None], True))[0]
    size = WINDOW - 1
    for place in range(1, length):
        fair = [
            start
            for start in range(1, length - size + 1)
            if start + (0 if start == 1 else size // 4)
            <= place
            < start + size - (0 if start + size == length else size // 4)
        ]
        found = [alone(model, torch.cat([tokens[:1], tokens[start : start + size]])) for start in fair]
        near = min((one[place - start + 1] - said[place]).abs().max() for start, one in zip(fair, found, strict=True))
        assert near < 1e-5


@torch.no_grad()
def test_nothing_changes_within_the_training_length(composed: Callable[..., Run]) -> None:
    model = bert(composed)
    tokens = row(3, 4, 10)
    with scoring.extended(
        model, instantiation.extensions(composed("extension=truncate"))["truncate"], WINDOW, 10
    ) as reader:
        assert torch.equal(reader(tokens[None], Positions(torch.arange(10)[None], True))[0], alone(model, tokens))


@pytest.mark.parametrize("rows", ["rows at the same positions", "rows at their own"])
@torch.no_grad()
def test_what_is_said_of_some_tokens_is_what_a_window_that_ends_there_says(
    rows: str, composed: Callable[..., Run]
) -> None:
    run = composed("encoding=rope", "model=nano", "extension=truncate")
    task = instantiation.task(run)
    torch.manual_seed(0)
    model = network.model(run, task, instantiation.layout(run, task)).eval()
    tokens = torch.randint(10, 20, (3, 31))
    steps = (1,) if rows == "rows at the same positions" else (1, 2, 3)
    where = torch.stack([torch.arange(31) * step for step in steps])
    positions = Positions(where, len(where) == 1)
    wanted = torch.rand(3, 31) < 0.3
    wanted[1, 20:], wanted[2, :25] = False, False
    read: list[int] = []
    counting = model.register_forward_pre_hook(lambda _, told: read.append(len(told[0])))
    with scoring.extended(model, instantiation.extensions(run)["truncate"], WINDOW, 31) as reader:
        said = reader.hidden_at(tokens, positions, wanted)
    counting.remove()
    assert sum(read) == len(tokens) + int(wanted[:, WINDOW:].sum()), "no window that ends at another token is read"
    for number, (row, last) in enumerate(wanted.nonzero().tolist()):
        start = max(0, last - WINDOW + 1)
        cut = positions.of(slice(row, row + 1)) if len(where) > 1 else positions
        told = model(tokens[row, start : last + 1][None], cut.first(last + 1 - start))[0, -1]
        torch.testing.assert_close(said[number], told)
