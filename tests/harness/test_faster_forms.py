"""Forms of an encoding that are faster where they apply give the numbers and gradients of its plain form."""

from collections.abc import Callable

import encoding_cases
import pytest
import torch
from support import choices, component
from torch import Tensor

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import explicit, fusible
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings import cope, relative, stick_breaking
from harness.encodings.base import Encoding
from harness.encodings.cope import CoPE
from harness.encodings.pairs import Pairs
from harness.encodings.relative import Rows, add_key_products, add_query_products, weighted_rows
from harness.encodings.stick_breaking import StickBreaking
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


@pytest.mark.parametrize("variant", encoding_cases.variants(), ids=str)
def test_without_gradients_a_long_sequence_has_the_outputs_that_it_has_with_them(
    variant: encoding_cases.Variant,
) -> None:
    """Evaluation takes other ways than training, which pay for one long sequence."""
    encoding = encoding_cases.make(variant.name, **variant.options).double()
    layer = Layer(encoding_cases.DIMENSIONS, encoding, Standard(encoding_cases.DIMENSIONS), causal=True, biases=True)
    attention = Attention(layer).double()
    x = torch.randn(1, 400, encoding_cases.DIMENSIONS.d_model, dtype=torch.float64)
    where = encoding_cases.sequential(400, channels=encoding.channels)
    trained = attention(x, where)
    with torch.no_grad():
        evaluated = attention(x, where)
    torch.testing.assert_close(evaluated, trained.detach())


@pytest.mark.parametrize("positions", [torch.arange(9)[None], torch.tensor([[0, 1, 3, 4, 8, 9, 10, 12, 20]])])
@pytest.mark.parametrize("heads", [(), (4,)])
def test_vectors_of_all_pairs_give_what_picked_products_give(heads: tuple[int, ...], positions: Tensor) -> None:
    """Sixteen sequences together build the vectors of 8 channels, one at a time pick among products."""
    torch.manual_seed(0)
    table = torch.randn(*heads, 7, 8, dtype=torch.float64, requires_grad=True)
    logits, weights = torch.randn(2, 16, 4, 5, 9, dtype=torch.float64)
    q, k = (torch.randn(16, 4, length, 8, dtype=torch.float64) for length in (5, 9))
    scale = torch.rand(1, 1, 5, 1, dtype=torch.float64)
    rows = Rows(lambda distances: distances.clamp(-3, 3) + 3, positions[:, 4:], positions)
    found = []
    for size in (16, 1):
        parts = [
            (
                add_query_products(logits[one], q[one], table, rows),
                add_key_products(logits[one], k[one], table, rows, scale),
                weighted_rows(weights[one], table, rows),
            )
            for one in torch.arange(16).split(size)
        ]
        together = [torch.cat(form) for form in zip(*parts, strict=True)]
        found.append([*(x.detach() for x in together), *(_gradient(x, table) for x in together)])
    torch.testing.assert_close(found[0], found[1])


def _gradient(x: Tensor, table: Tensor) -> Tensor:
    return torch.autograd.grad(x.square().sum(), table)[0]


def _clipped(distances: Tensor) -> Tensor:
    return 16 - distances.clamp(-16, 16)


def _buckets(distances: Tensor) -> Tensor:
    """A hundred distances each: those farthest from a block of queries may share one that the farthest key has not."""
    return 16 - distances // 100


@pytest.mark.parametrize("of", [_clipped, _buckets])
@pytest.mark.parametrize("heads", [(), (3,)])
@pytest.mark.parametrize(
    ("queries", "keys", "past"), [(64, 300, 236), (100, 130, 30), (300, 64, 0), (70, 70, 0), (64, 200, 300), (2, 64, 9)]
)
def test_views_of_diagonals_give_what_picked_products_give(
    heads: tuple[int, ...],
    queries: int,
    keys: int,
    past: int,
    of: Callable[[Tensor], Tensor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    table = torch.randn(*heads, 33, 8, dtype=torch.float64)
    q, k = (torch.randn(1, 3, length, 8, dtype=torch.float64) for length in (queries, keys))
    logits, weights = torch.randn(2, 1, 3, queries, keys, dtype=torch.float64)
    scale = torch.rand(1, 1, queries, 1, dtype=torch.float64)
    here, where = past + torch.arange(queries)[None], torch.arange(keys)[None]

    def forms(rows: Rows) -> list[Tensor]:
        return [
            add_query_products(logits, q, table, rows),
            add_key_products(logits, k, table, rows, scale),
            weighted_rows(weights, table, rows),
        ]

    rows = Rows(of, here, where)
    monkeypatch.setattr(relative, "FEW", 0)
    found = forms(rows)
    where = where.clone()
    where[0, 3] += 1  # no diagonals any more
    apart = forms(rows._replace(k_positions=where))
    monkeypatch.setattr(relative, "FEW", queries * keys + 1)
    torch.testing.assert_close(found, forms(rows))
    torch.testing.assert_close(apart, forms(rows._replace(k_positions=where)))


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(
    "name", [name for name in choices("encoding") if not fusible(make(name), Standard(DIMENSIONS))]
)
def test_without_gradients_numbers_are_the_same(name: str, causal: bool, hidden: bool) -> None:
    """Attention then writes into logits, and encodings take forms that are for one long sequence."""
    encoding = make(name)
    if ("causal" if causal else "bidirectional") not in encoding.modes:
        pytest.skip("it is not defined there")
    with torch.no_grad():
        for parameter in encoding.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    visible = torch.rand(1, 300) < 0.9 if hidden else None
    where = Positions(torch.arange(300)[None], True, visible)
    q, k, v = torch.randn(3, 1, DIMENSIONS.n_heads, 300, DIMENSIONS.head_dim)
    state = encoding.state(torch.randn(1, 300, DIMENSIONS.d_model), where.values)
    inputs = AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=causal, state=state)
    kept = explicit(inputs._replace(q=q.clone().requires_grad_()))
    with torch.no_grad():
        torch.testing.assert_close(explicit(inputs), kept.detach(), atol=2e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("keys", [1, 7, 1000])
def test_gates_that_are_summed_in_blocks_are_summed_in_whole(keys: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the last position of the table, or where nothing is left of a stick, nothing more is computed."""
    torch.manual_seed(0)
    logits = 3 * torch.randn(2, 2, 120, 120, dtype=torch.float64)
    logits[0, 0] -= 5  # gates that let nothing through in one head, so that its sums go on
    visible = torch.ones(120, 120, dtype=torch.bool).tril()[None, None]
    monkeypatch.setattr(cope, "KEYS", keys)
    monkeypatch.setattr(stick_breaking, "KEYS", keys)

    shares = logits.sigmoid() * visible.tril(-1)
    left = torch.cat([(1 - shares).flip(-1).cumprod(-1).flip(-1)[..., 1:], torch.ones(2, 2, 120, 1)], dim=-1)
    weights = StickBreaking(DIMENSIONS).attention_weights(logits, visible)
    torch.testing.assert_close(weights, shares * left, atol=1e-30, rtol=1e-9)

    encoding = CoPE(DIMENSIONS, positions=9).double()
    encoding.table.data.normal_()
    q = torch.randn(2, 2, 120, 16, dtype=torch.float64)
    order = torch.arange(120)[None]
    pairs = Pairs(slice(0, 120), order, order, visible, torch.ones(1, 1, 1, 1))
    counts = (logits.sigmoid() * visible).flip(-1).cumsum(-1).flip(-1).clamp(max=8)
    hats = (1 - (counts[..., None] - torch.arange(9)).abs()).clamp(min=0)
    wanted = logits + (hats * (q @ encoding.table.T)[:, :, :, None]).sum(-1)
    torch.testing.assert_close(encoding.modify_logits(logits, q, q, pairs, {}), wanted)
