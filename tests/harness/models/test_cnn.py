"""Convolutions see the tokens of their receptive field, all of them and no others."""

import pytest
import torch

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.models.cnn import CNN, BidirectionalCNN


def seen(model: CNN | BidirectionalCNN, length: int, place: int) -> list[int]:
    """Tokens whose embedding has a gradient from the output at ``place``, all tokens being different."""
    hidden = model(torch.arange(length)[None], Positions(torch.arange(length)[None], True))
    hidden[0, place].sin().sum().backward()
    gradient = model.embedding.weight.grad
    assert gradient is not None
    return gradient.abs().sum(dim=1).nonzero().flatten().tolist()


@pytest.mark.parametrize(
    ("kernel", "dilation", "layers", "field"), [(5, 4, 3, 85), (3, 2, 3, 15), (2, 2, 4, 16), (3, 1, 2, 5)]
)
def test_an_output_depends_on_the_receptive_field_and_on_nothing_else(
    kernel: int, dilation: int, layers: int, field: int
) -> None:
    model = CNN(Dimensions(8, 1, layers, 10), 100, lambda: None, kernel=kernel, dilation=dilation)
    assert model.receptive_field == field
    assert seen(model, 100, 95) == [*range(96 - field, 96)]


def test_in_both_directions_it_is_centred() -> None:
    model = BidirectionalCNN(Dimensions(8, 1, 3, 10), 100, lambda: None, kernel=3, dilation=3)
    assert model.receptive_field == 27
    assert seen(model, 100, 50) == [*range(37, 64)]


def test_hidden_tokens_change_nothing_in_both_directions() -> None:
    model = BidirectionalCNN(Dimensions(8, 1, 3, 10), 20, lambda: None).eval()
    tokens = torch.randint(20, (2, 12))
    alone = model(tokens[:1, :7], Positions(torch.arange(7)[None], True))
    visible = torch.arange(12) < torch.tensor([[7], [12]])
    padded = model(tokens, Positions(torch.arange(12)[None], True, visible))
    assert torch.allclose(padded[:1, :7], alone, atol=1e-6)


def test_convolutions_that_would_pass_over_tokens_are_refused() -> None:
    dimensions = Dimensions(8, 1, 2, 10)
    for options, message in (
        ({"kernel": 1}, "kernel=1: it must be at least 2"),
        ({"kernel": 3, "dilation": 4}, "dilation=4: it must be at most kernel=3"),
        ({"dilation": 0}, "dilation=0: it must be at least 1"),
    ):
        with pytest.raises(ValueError, match=message):
            CNN(dimensions, 5, lambda: None, **options)
    with pytest.raises(ValueError, match="kernel=4: it must be odd"):
        BidirectionalCNN(dimensions, 5, lambda: None, kernel=4)
