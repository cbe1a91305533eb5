"""Rotary encodings."""

import math
from typing import Any

import pytest
import torch
from golden_cases import Golden, dimensions, golden, logits
from torch import Tensor

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.contextual_rope import ContextualRoPE
from harness.encodings.fope import FoPE
from harness.encodings.grape_m import GrapeM
from harness.encodings.multi_channel_rope import MultiChannelRoPE
from harness.encodings.pope import PoPE
from harness.encodings.rope import RoPE
from harness.encodings.rope_nope import RopeNope
from harness.encodings.xpos import XPos

LAYOUTS = pytest.mark.parametrize("layout", ["half", "interleaved"])


def in_layout(case: Golden, layout: str) -> Golden:
    """The case with the channels of queries and keys in the order that a layout pairs."""
    order = case["to_half" if layout == "half" else "to_interleaved"].long()
    return case._replace(arrays={**case.arrays, "q": case["q"][..., order], "k": case["k"][..., order]})


def meaningful(case: Golden, mine: Tensor) -> Tensor:
    """Mine where the case says something, and the case's own numbers elsewhere."""
    return torch.where(case["valid"].bool(), mine, case["logits"])


@LAYOUTS
@pytest.mark.parametrize(
    "case",
    [
        "rope_half_split",
        "rope_interleaved",
        "rope_deepmind",
        "rope_bert4keras",
        "rope_base",
        "random_positions_rope_deepmind",
        "rope_partial_half_split",
        "rope_partial_interleaved",
        "p_rope",
    ],
)
def test_rope(case: str, layout: Any) -> None:
    known = golden(case)
    hyper = known.meta["hyper"]
    encoding = RoPE(
        dimensions(4, 16),
        base=hyper["base"],
        layout=layout,
        fraction=hyper.get("partial_rotary_factor", 1.0),
        kept=hyper.get("p", 1.0),
    )
    if "inv_freq" in known.meta["tolerance"]:
        known.match("inv_freq", encoding.frequencies)
    known.match("logits", logits(encoding, in_layout(known, layout)))


@pytest.mark.parametrize("case", ["xpos", "xpos_sparse_positions"])
@LAYOUTS
def test_xpos(case: str, layout: Any) -> None:
    known = golden(case)
    hyper = known.meta["hyper"]
    encoding = XPos(
        dimensions(4, 16), base=hyper["base"], scale_base=hyper["scale_base"], gamma=hyper["gamma"], layout=layout
    )
    if "zeta" in known.arrays:
        known.match("zeta", encoding.zeta)
    known.match("logits", meaningful(known, logits(encoding, in_layout(known, layout))))


def test_xpos_holds_up_to_the_span_that_it_refuses_to_pass() -> None:
    encoding = XPos(Dimensions(16, 2, 1, 64))
    positions = torch.tensor([[100_000, 100_001, 115_000, 130_600]])
    x = torch.ones(1, 2, 4, 8)
    q, k = encoding.rotate(x, x, positions, positions, {})
    near = (q @ k.mT).float()[0, 0]
    assert near.isfinite().all()
    distances = (positions[0][:, None] - positions[0]).double()
    frequencies, zeta = encoding.frequencies.double(), encoding.zeta.double()
    exact = (2 * zeta ** (distances[..., None] / 512) * torch.cos(distances[..., None] * frequencies)).sum(-1)
    torch.testing.assert_close(near.double().tril(), exact.tril(), atol=1e-2, rtol=0)
    beyond = torch.tensor([[0, 31_000]])
    with pytest.raises(IndexError, match=r"set encoding\.scale_base higher"):
        encoding.rotate(x[:, :, :2], x[:, :, :2], beyond, beyond, {})


def test_pope() -> None:
    case = golden("pope")
    encoding = PoPE(dimensions(4, 16), base=case.meta["hyper"]["base"])
    assert not encoding.delta.any()
    encoding.delta.data = case["delta"]
    case.match("inv_freq", encoding.frequencies)
    case.match("logits", logits(encoding, case))


@LAYOUTS
def test_fope(layout: Any) -> None:
    case = golden("fope")
    encoding = FoPE(Dimensions(64, 4, 1, case.meta["hyper"]["train_length"]), layout=layout)
    case.match("inv_freq", encoding.frequencies)
    assert encoding.sines.shape == case["sin_coef"].shape
    encoding.sines, encoding.cosines = case["sin_coef"], case["cos_coef"]
    case.match("logits", logits(encoding, in_layout(case, layout)))


@pytest.mark.parametrize("heads_share", [True, False])
@LAYOUTS
def test_grape_m(layout: Any, heads_share: bool) -> None:
    case = golden("grape_m")
    encoding = GrapeM(dimensions(4, 16), layout=layout, shared=heads_share)
    torch.testing.assert_close(encoding.log_frequencies[0].exp(), RoPE(dimensions(4, 16)).frequencies.float())
    encoding.log_frequencies.data = case["log_freq"].expand_as(encoding.log_frequencies).clone()
    case.match("logits", logits(encoding, in_layout(case, layout)))


@LAYOUTS
def test_contextual_rope(layout: Any) -> None:
    case = golden("rope_contextual_phase")
    encoding = ContextualRoPE(dimensions(4, 16), layout=layout, per_head=True)
    # A projection that reads the steps, before softplus, off the first channels.
    encoding.step.weight.data = torch.eye(4, 64)
    encoding.step.bias.data.zero_()
    x = torch.zeros(1, len(case["omega"]), 64)
    x[0, :, :4] = case["omega"].double().expm1().log().float()
    state = encoding.state(x, torch.arange(40)[None])
    torch.testing.assert_close(state["phase"][0], case["phi"], atol=1e-5, rtol=1e-5)
    case = in_layout(case, layout)
    q, k = encoding.rotate(case["q"][None], case["k"][None], torch.zeros(1, 40), torch.zeros(1, 40), state)
    case.match("logits", (q @ k.mT)[0] / 4)


def test_contextual_rope_starts_with_equal_steps() -> None:
    encoding = ContextualRoPE(dimensions(4, 16), initial=1.0)
    steps = encoding.state(torch.randn(2, 5, 64), torch.arange(5)[None])["phase"].diff(dim=1)
    torch.testing.assert_close(steps, torch.ones(2, 4, 1))


@LAYOUTS
@pytest.mark.parametrize(
    ("case", "split"), [("rope_multi_channel_hirope", "blocks"), ("rope_multi_channel_multirope", "all")]
)
def test_multi_channel_rope(case: str, split: Any, layout: Any) -> None:
    known = golden(case)
    encoding = MultiChannelRoPE(dimensions(4, 16), base=known.meta["hyper"]["base"], split=split, layout=layout)
    known.match("inv_freq", encoding.frequencies)
    ordered = in_layout(known, layout)
    positions = known["positions"].T[None].long()
    q, k = encoding.rotate(ordered["q"][None], ordered["k"][None], positions, positions, {})
    known.match("logits", (q @ k.mT)[0] / 4)


@pytest.mark.parametrize(
    ("split", "series"),
    [
        # blocks of 3, 2 and 3 pairs; of HiRoPE each channel has one, of MultiRoPE the last ones move to the front
        ("blocks", [[0, 1, 2, None, None, None, None, None], [None] * 3 + [3, 4] + [None] * 3, [None] * 5 + [5, 6, 7]]),
        ("all", [[0, 1, 2, 3, 4, 5, 6, 7], [5, 6, 7, 0, 1, 2, 3, 4], [3, 4, 5, 6, 7, 0, 1, 2]]),
    ],
)
@LAYOUTS
def test_multi_channel_rope_with_three_numbers(split: Any, series: list[list[int | None]], layout: Any) -> None:
    encoding = MultiChannelRoPE(dimensions(2, 16), split=split, layout=layout, channels=3)
    frequency = [[0.0 if m is None else 10000 ** (-m / 8) for m in row] for row in series]
    torch.testing.assert_close(encoding.frequencies, torch.tensor(frequency, dtype=torch.float64))
    x = torch.randn(1, 2, 1, 16)
    here, there = torch.tensor([[[5, 2, 7]]]), torch.tensor([[[1, 9, 3]]])
    q, k = encoding.rotate(x, x, here, there, {})
    turns = [sum((h - t) * row[m] for h, t, row in zip((5, 2, 7), (1, 9, 3), frequency, strict=True)) for m in range(8)]
    first, second = (x[..., 0::2], x[..., 1::2]) if layout == "interleaved" else x.chunk(2, dim=-1)
    wanted = ((first**2 + second**2) * torch.tensor(turns).cos()).sum(-1)
    torch.testing.assert_close((q * k).sum(-1), wanted)
    one = MultiChannelRoPE(dimensions(2, 16), split=split, layout=layout, channels=1)
    rope = RoPE(dimensions(2, 16), layout=layout)
    alone = torch.tensor([[3]])
    torch.testing.assert_close(one.rotate(x, x, alone, alone, {}), rope.rotate(x, x, alone, alone, {}))


def test_rope_nope() -> None:
    case = golden("nope_interleave_layers")
    layers, interval = case.meta["hyper"]["num_layers"], case.meta["hyper"]["interval"]
    made = [RopeNope(Dimensions(32, 2, layers, 64, layer), interval=interval) for layer in range(layers)]
    q, positions = torch.randn(1, 2, 5, 16), torch.arange(5)[None]
    turned = [not torch.equal(encoding.rotate(q, q, positions, positions, {})[0], q) for encoding in made]
    case.match("uses_rope", torch.tensor(turned).int())
    rope = RoPE(Dimensions(32, 2, layers, 64))
    torch.testing.assert_close(
        made[0].rotate(q, q, positions, positions, {}), rope.rotate(q, q, positions, positions, {})
    )
    assert [RopeNope(Dimensions(32, 2, 3, 64, layer)).turns for layer in range(3)] == [True, True, False]


def turned_fully(frequencies: Tensor, tokens: int) -> float:
    return float(frequencies[frequencies > 0].min()) * tokens / math.tau


@pytest.mark.parametrize(
    "encoding",
    [
        RoPE(Dimensions(64, 4, 1, 42), base=0.0),
        RoPE(Dimensions(64, 4, 1, 42), base=0.0, kept=0.5),
        RoPE(Dimensions(64, 4, 1, 42), base=0.0, fraction=0.25),
        XPos(Dimensions(64, 4, 1, 42), base=0.0),
        PoPE(Dimensions(64, 4, 1, 42), base=0.0),
        RopeNope(Dimensions(64, 4, 1, 42), base=0.0),
    ],
)
def test_base_zero_gives_the_slowest_pair_one_period_in_training(encoding: Encoding) -> None:
    assert turned_fully(encoding.get_buffer("frequencies"), 42) == pytest.approx(1, abs=1e-5)
    assert encoding.get_buffer("frequencies")[0] == 1


@pytest.mark.parametrize(("options", "message"), [({"fraction": 0.2}, "fraction=0.2"), ({"kept": 0.01}, "kept=0.01")])
def test_shares_that_leave_no_pairs_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}: it must"):
        RoPE(dimensions(2, 8), **options)
