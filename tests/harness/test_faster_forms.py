"""Forms of an encoding that are faster where they apply give the numbers and gradients of its plain form."""

import pytest
import torch
from support import choices, component
from torch import Tensor

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings import relative
from harness.encodings.base import Encoding
from harness.encodings.relative import key_products, query_products, weighted_rows
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.base import Layer

DIMENSIONS = Dimensions(d_model=64, n_heads=4, n_layers=2, train_tokens=42)


def make(name: str) -> Encoding:
    torch.manual_seed(0)
    return component("encoding", name, dimensions=DIMENSIONS)


ORDERED = [name for name in choices("encoding") if make(name).channel_order(16) is not None]


@pytest.mark.parametrize("kv_heads", [0, 2])
@pytest.mark.parametrize("name", ORDERED)
def test_channels_in_the_order_of_the_encoding_change_nothing(
    name: str, kv_heads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding = make(name).double()
    layer = Layer(DIMENSIONS, encoding, Standard(DIMENSIONS), causal=True, biases=True)
    attention = Attention(layer, kv_heads=kv_heads).double()
    x = torch.randn(2, 20, DIMENSIONS.d_model, dtype=torch.float64)
    shape = (1, 20) if encoding.channels == 1 else (1, 20, encoding.channels)
    where = Positions(torch.randint(0, 900, shape).sort(dim=1).values, False)

    def numbers(attention: Attention) -> list[Tensor]:
        attention.zero_grad()
        out = attention(x, where)
        out.square().sum().backward()
        return [out.detach(), *(p.grad.clone() for p in attention.parameters() if p.grad is not None)]

    ordered = numbers(attention)
    first, state = attention.forward_with_cache(x[:, :15], where.first(15), None)
    second, _ = attention.forward_with_cache(x[:, 15:], where, state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), ordered[0])
    monkeypatch.setattr(type(encoding), "channel_order", Encoding.channel_order)
    plain = Attention(layer, kv_heads=kv_heads).double()
    plain.load_state_dict(attention.state_dict())
    torch.testing.assert_close(numbers(plain), ordered)


@pytest.mark.parametrize("heads", [(), (4,)])
def test_vectors_of_all_pairs_give_what_picked_products_give(heads: tuple[int, ...]) -> None:
    """Sixteen sequences together build the vectors of 8 channels, one at a time pick among products."""
    torch.manual_seed(0)
    table = torch.randn(*heads, 7, 8, dtype=torch.float64, requires_grad=True)
    x = torch.randn(16, 4, 5, 8, dtype=torch.float64)
    weights = torch.randn(16, 4, 5, 9, dtype=torch.float64)
    rows = torch.randint(1, 6, (1, 5, 9))
    for f, given, where in (
        (query_products, x, rows),
        (key_products, x, rows.transpose(1, 2)),
        (weighted_rows, weights, rows),
    ):
        found = []
        for parts in ([given], given.split(1)):
            out = torch.cat([f(part, table, where) for part in parts])
            found.append((out.detach(), *torch.autograd.grad(out.square().sum(), table)))
        torch.testing.assert_close(found[0], found[1])


@pytest.mark.parametrize("heads", [(), (3,)])
@pytest.mark.parametrize(("queries", "keys", "past"), [(64, 300, 236), (100, 130, 30), (300, 64, 0), (70, 70, 0)])
def test_views_of_diagonals_give_what_picked_products_give(
    heads: tuple[int, ...], queries: int, keys: int, past: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    table = torch.randn(*heads, 33, 8, dtype=torch.float64)
    q, k = (torch.randn(1, 3, length, 8, dtype=torch.float64) for length in (queries, keys))
    weights = torch.randn(2, 3, queries, keys, dtype=torch.float64)
    distances = torch.arange(past, past + queries)[:, None] - torch.arange(keys)
    rows = (16 - distances.clamp(-16, 16))[None]
    found = []
    for few in (relative.FEW, rows.numel() + 1):
        monkeypatch.setattr(relative, "FEW", few)
        parts = query_products(q, table, rows), key_products(k, table, rows), weighted_rows(weights, table, rows)
        found.append(parts)
    torch.testing.assert_close(found[0], found[1])
    rows[0, 1, 3] = 32 - rows[0, 1, 3]  # no diagonal any more
    monkeypatch.setattr(relative, "FEW", 0)
    picked = torch.einsum("bhid,hid->bhi", q, table.expand(3, -1, -1)[:, rows[0, :, 3]])
    torch.testing.assert_close(query_products(q, table, rows)[..., 3], picked)
