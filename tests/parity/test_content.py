"""Encodings that depend on what the tokens are."""

from typing import Any

import pytest
import torch
from golden_cases import Golden, dimensions, golden
from torch import Tensor

from harness.encodings import cope, dape, path
from harness.encodings.base import Encoding
from harness.encodings.cope import CoPE
from harness.encodings.dape import DAPE
from harness.encodings.extent import Extent
from harness.encodings.fox import FoX
from harness.encodings.grape_a import GrapeA
from harness.encodings.pairs import Pairs
from harness.encodings.path import PaTH
from harness.encodings.stick_breaking import StickBreaking


def pairs(length: int, dimension: int, rows: slice | None = None, positions: Tensor | None = None) -> Pairs:
    """All keys and the queries of ``rows`` under causal attention."""
    rows = rows or slice(0, length)
    where = torch.arange(length)[None] if positions is None else positions.long()[None]
    visible = torch.ones(length, length, dtype=torch.bool).tril()[rows][None, None]
    return Pairs(rows, where[:, rows], where, visible, torch.tensor(dimension**-0.5).view(1, 1, 1, 1))


def plain(case: Golden) -> Tensor:
    return (case["q"] @ case["k"].transpose(-1, -2) * case["q"].shape[-1] ** -0.5)[None]


def scored(encoding: Encoding, case: Golden, state: Any, *, logits: Tensor | None = None, step: int = 7) -> Tensor:
    """The logits [H, L, L] after the encoding's hook, a few queries at a time."""
    where = torch.arange(case["q"].shape[1])[None]
    q, k = encoding.rotate(case["q"][None], case["k"][None], where, where, state)
    if logits is None:
        logits = encoding.products(q * case["q"].shape[-1] ** -0.5, k, slice(0, q.shape[2]), state)
    parts = []
    for start in range(0, q.shape[2], step):
        rows = slice(start, min(start + step, q.shape[2]))
        some = pairs(q.shape[2], case["q"].shape[2], rows, case.arrays.get("pos_q"))
        parts.append(encoding.modify_logits(logits[:, :, rows], q[:, :, rows], k, some, state))
    return torch.cat(parts, dim=2)[0]


def attended(encoding: Encoding, case: Golden, logits: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [H, L, L] and output [H, L, d]."""
    weights = encoding.attention_weights(logits[None], pairs(logits.shape[-1], 1).visible)[0]
    return weights, weights @ case["v"]


def meaningful(case: Golden, name: str, mine: Tensor) -> Tensor:
    """Mine, and what is stored where that means nothing."""
    return torch.where(case["valid"].bool(), mine, case[name])


@pytest.mark.parametrize("at_once", [256, 3])
def test_cope(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cope, "KEYS", at_once)
    case = golden("cope")
    encoding = CoPE(dimensions(4, 16), positions=len(case["table"]))
    encoding.table.data = case["table"]
    logits = scored(encoding, case, {})
    case.match("bias", meaningful(case, "bias", logits - plain(case)[0]))
    case.match("logits", meaningful(case, "logits", logits))
    case.match("out", attended(encoding, case, logits)[1])


def test_both_networks_of_dape_are_as_wide() -> None:
    encoding = DAPE(dimensions(4, 16), bias="fire", width=12)
    hidden = {name: len(weight) for name, weight in encoding.named_parameters() if name.endswith("layers.0.weight")}
    assert hidden == {"prior.function.layers.0.weight": 12, "correction.layers.0.weight": 12}


@pytest.mark.parametrize("at_once", [2**18, 50])
@pytest.mark.parametrize("case", ["dape_alibi", "dape_kerple_log", "dape_fire"])
def test_dape(case: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dape, "PAIRS", at_once)
    known = golden(case)
    hyper = known.meta["hyper"]
    encoding = DAPE(dimensions(4, 16), bias=hyper["base_bias"], threshold=int(hyper.get("fire_threshold", 512)))
    given = {
        "correction.layers.0.weight": "mlp_w0",
        "correction.layers.0.bias": "mlp_b0",
        "correction.layers.1.weight": "mlp_w1",
        "correction.layers.1.bias": "mlp_b1",
        "prior.p": "p",
        "prior.a": "a",
        "prior.function.layers.0.weight": "fire_w0",
        "prior.function.layers.0.bias": "fire_b0",
        "prior.function.layers.1.weight": "fire_w1",
        "prior.function.layers.1.bias": "fire_b1",
    }
    for name, parameter in encoding.named_parameters():
        if name in given:
            parameter.data = known[given[name]].view_as(parameter)
    scores = known["scores"][None]
    nothing = torch.zeros(1, 4, scores.shape[-1], 16)
    arrays = {**known.arrays, "q": nothing[0], "k": nothing[0]}
    mine = scored(encoding, known._replace(arrays=arrays), {}, logits=scores)
    known.match("logits", meaningful(known, "logits", mine))


def test_fox() -> None:
    case = golden("fox")
    encoding = FoX(dimensions(4, 16))
    encoding.gate.weight.data, encoding.gate.bias.data = case["gate_w"], case["gate_b"]
    state = encoding.state(case["x"][None], case["pos_q"][None])
    case.match("log_forget", torch.diff(state["gates"][0], prepend=torch.zeros(4, 1)))
    logits = scored(encoding, case, state)
    case.match("bias", meaningful(case, "bias", logits - plain(case)[0]))
    case.match("logits", meaningful(case, "logits", logits))
    case.match("out", attended(encoding, case, logits)[1])
    near = torch.ones(24, 24, dtype=torch.bool).tril().triu(1 - case.meta["hyper"]["window"])
    case.match("out_window", (encoding.attention_weights(logits[None], near) @ case["v"])[0])


def test_fox_bidirectional() -> None:
    case = golden("fox_bidirectional")
    encoding = FoX(dimensions(4, 16), bidirectional=True)
    encoding.gate.weight.data, encoding.gate.bias.data = case["gate_w"], case["gate_b"]
    state = encoding.state(case["x"][None], torch.arange(24)[None])
    zeros = torch.zeros(1, 4, 24, 16)
    for rows in (slice(0, 24), slice(5, 12)):
        bias = encoding.modify_logits(
            torch.zeros(1, 4, 24, 24)[:, :, rows], zeros[:, :, rows], zeros, pairs(24, 16, rows), state
        )
        case.match("bias", case["bias"].index_copy(1, torch.arange(24)[rows], bias[0]))


def test_one_gate_for_both_directions_is_the_golden_bias_with_the_same_gates_twice() -> None:
    torch.manual_seed(0)
    one, two = FoX(dimensions(4, 16)), FoX(dimensions(4, 16), bidirectional=True)
    two.gate.weight.data, two.gate.bias.data = one.gate.weight.repeat(2, 1), one.gate.bias.repeat(2)
    h, zeros = torch.randn(1, 9, 64), torch.zeros(1, 4, 9, 16)
    both = [
        e.modify_logits(torch.zeros(1, 4, 9, 9), zeros, zeros, pairs(9, 16), e.state(h, torch.arange(9)[None]))
        for e in (one, two)
    ]
    torch.testing.assert_close(*(bias.tril() for bias in both))


def test_grape_a() -> None:
    case = golden("grape_a")
    encoding = GrapeA(dimensions(4, 16))
    encoding.o.data, encoding.u.data, encoding.v.data = case["omega"], case["u"], case["v_vec"]
    case.match("bias", meaningful(case, "bias", scored(encoding, case, {}) - plain(case)[0]))


def test_stick_breaking() -> None:
    case = golden("stick_breaking")
    logits = plain(case)[0]
    weights, out = attended(StickBreaking(dimensions(4, 16)), case, logits)
    case.match("weights", weights)
    case.match("out", out)
    whole, with_remainder = attended(StickBreaking(dimensions(4, 16), remainder=True), case, logits)
    case.match("remainder", whole.diagonal(dim1=1, dim2=2))
    case.match("out_with_remainder", with_remainder)
    torch.testing.assert_close(whole.sum(-1), torch.ones(4, 24))


@pytest.mark.parametrize(("case", "block"), [("path", 64), ("path", 5), ("path_fox", 64), ("path_fox", 5)])
def test_path(case: str, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "BLOCK", block)
    monkeypatch.setattr(path, "GROUP", 2)
    known = golden(case)
    encoding = PaTH(dimensions(4, 16), forget="log_forget" in known.arrays)
    state = path.reflections(known["w"][None], known["beta"][None])
    if "log_forget" in known.arrays:
        state["gates"] = known["log_forget"][None].cumsum(-1)
    weights, out = attended(encoding, known, scored(encoding, known, state))
    known.match("weights", weights)
    known.match("out", out)


def reflecting(length: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Queries, keys, directions and strengths, float64."""
    generator = torch.Generator().manual_seed(0)
    q, k, w = torch.randn(3, 1, 2, length, 4, generator=generator, dtype=torch.float64)
    beta = 2 * torch.rand(1, 2, length, generator=generator, dtype=torch.float64)
    return q, k, torch.nn.functional.normalize(w, dim=-1), beta


def carried(q: Tensor, k: Tensor, w: Tensor, beta: Tensor, rows: slice = slice(None)) -> Tensor:
    """The products of the queries at these rows, as attention asks for them."""
    encoding, blocks = PaTH(dimensions(2, 4)), path.reflections(w, beta)
    where = torch.arange(q.shape[2])[None]
    rows = slice(*rows.indices(q.shape[2])[:2])
    q, k = encoding.rotate(q, k, where, where, blocks)
    return encoding.products(q[:, :, rows], k, rows, blocks)


@pytest.mark.parametrize(
    "rows", [slice(0, 11), slice(0, 3), slice(4, 9), slice(6, 7), slice(7, 8), slice(8, 11), slice(10, 11)]
)
def test_path_is_the_product_of_reflections(rows: slice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "BLOCK", 2)
    monkeypatch.setattr(path, "GROUP", 2)
    q, k, w, beta = reflecting(11)
    got = carried(q, k, w, beta, rows)
    for head in range(2):
        for i in range(rows.start, rows.stop):
            for j in range(i + 1):
                product = q[0, head, i]
                for t in range(i, j, -1):
                    product = product - beta[0, head, t] * (product @ w[0, head, t]) * w[0, head, t]
                assert abs(product @ k[0, head, j] - got[0, head, i - rows.start, j]) < 1e-12


def test_path_stays_exact_over_many_blocks_in_float32() -> None:
    q, k, w, beta = reflecting(400)
    exact = carried(q, k, w, beta).tril()
    rounded = carried(q.float(), k.float(), w.float(), beta.float()).tril()
    torch.testing.assert_close(rounded.double(), exact, atol=2e-5, rtol=0)


def test_gradients_of_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "BLOCK", 2)
    monkeypatch.setattr(path, "GROUP", 2)

    def products(q: Tensor, k: Tensor, w: Tensor, beta: Tensor) -> Tensor:
        return carried(q, k, w, beta, slice(2, 7)).tril(2)

    assert torch.autograd.gradcheck(products, [x.requires_grad_() for x in reflecting(7)])


def test_gradients_of_cope() -> None:
    torch.manual_seed(0)
    encoding = CoPE(dimensions(2, 4), positions=5)
    encoding.table = torch.nn.Parameter(torch.randn(5, 4, dtype=torch.float64))
    q, k, _, _ = reflecting(9)

    def logits(q: Tensor, k: Tensor, table: Tensor) -> Tensor:
        assert table is encoding.table, "which is perturbed in place"
        return encoding.modify_logits(q @ k.transpose(-1, -2) / 2, q, k, pairs(9, 4), {}).tril()

    assert torch.autograd.gradcheck(logits, [q.requires_grad_(), k.requires_grad_(), encoding.table])


def test_cope_says_which_rows_are_untrained() -> None:
    few, many = Extent(20, 19), Extent(100, 99)
    assert CoPE(dimensions(2, 4)).untrained(few, few) == []
    assert CoPE(dimensions(2, 4)).untrained(few, many) == ["rows 21 to 63 of the table keep their initial values"]
    assert CoPE(dimensions(2, 4), positions=21).untrained(few, many) == []


@pytest.mark.parametrize("remainder", [False, True])
def test_stick_breaking_breaks_the_stick(remainder: bool) -> None:
    torch.manual_seed(0)
    logits = 2 * torch.randn(1, 2, 8, 8, dtype=torch.float64)
    visible = torch.ones(8, 8, dtype=torch.bool).tril()
    visible[6, 2] = False
    weights = StickBreaking(dimensions(2, 4), remainder=remainder).attention_weights(logits, visible[None, None])
    for head in range(2):
        for i in range(8):
            left = 1.0
            for j in range(i - 1, -1, -1):
                part = left * float(torch.sigmoid(logits[0, head, i, j])) if visible[i, j] else 0.0
                assert abs(part - weights[0, head, i, j]) < 1e-12
                left -= part
            assert abs((left if remainder else 0) - weights[0, head, i, i]) < 1e-12
            assert not weights[0, head, i, i + 1 :].any()
