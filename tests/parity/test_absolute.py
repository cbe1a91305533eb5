"""Encodings added to the token embeddings, and no encoding."""

from typing import Any

import numpy as np
import pytest
import torch
from golden_cases import dimensions, golden, logits

from harness.dimensions import Dimensions
from harness.encodings.digits import Digits
from harness.encodings.learned import Learned
from harness.encodings.learned_levels import LearnedLevels
from harness.encodings.nope import NoPE
from harness.encodings.scaled_sinusoidal import ScaledSinusoidal
from harness.encodings.segment import Segment
from harness.encodings.sinusoidal import Sinusoidal
from harness.extensions.hierarchical import Hierarchical
from harness.layouts import Causal
from harness.layouts.special_tokens import SEP
from tasks.base import ABSENT, Batch
from tasks.copying.copy import Copy


def test_none() -> None:
    case = golden("none")
    case.match("logits", logits(NoPE(dimensions(4, 16)), case))
    for output, mask in (
        ("out_causal", torch.ones(20, 20).tril().bool()),
        ("out_bidirectional", torch.ones(20, 20).bool()),
    ):
        weights = NoPE(dimensions(4, 16)).attention_weights(case["logits"][None], mask[None, None])
        case.match(output, (weights @ case["v"])[0])


@pytest.mark.parametrize(
    ("case", "layout"),
    [
        ("sinusoidal_concat", "concatenated"),
        ("sinusoidal_interleaved", "interleaved"),
        ("sinusoidal_concat_base", "concatenated"),
        ("random_positions_sinusoidal", "concatenated"),
    ],
)
def test_sinusoidal(case: str, layout: Any) -> None:
    known = golden(case)
    encoding = Sinusoidal(Dimensions(64, 4, 1, 64), base=known.meta["hyper"]["base"], layout=layout)
    positions = known.arrays.get("positions", torch.arange(len(known["table"]))).long()
    known.match("table", encoding.table(positions))
    x = torch.randn(1, len(positions), 64)
    torch.testing.assert_close(encoding.embed(x, positions[None], positions[None]), x + encoding.table(positions))


def test_learned() -> None:
    case = golden("learned_bert")
    encoding = Learned(Dimensions(64, 4, 1, 64), rows=64)
    encoding.table.weight.data = case["position"]
    x = (case["word"][case["ids"].long()] + case["segment"][case["segments"].long()])[None]
    positions = case["positions"].long()[None]
    embedded = encoding.embed(x, positions, positions)
    case.match("table", (embedded - x)[0])
    case.match("output", torch.nn.functional.layer_norm(embedded, (64,), case["ln_weight"], case["ln_bias"], 1e-12)[0])


def test_learned_with_an_offset() -> None:
    """Padding on the left is at position -1 there."""
    case = golden("learned_offset2_opt")
    encoding = Learned(Dimensions(64, 4, 1, 64), rows=64, offset=2)
    encoding.table.weight.data = case["table_full"]
    mask = case["mask"].long()
    positions = mask.cumsum(dim=1) * mask - 1
    case.match("rows", encoding.row(positions).int())
    case.match("table", encoding.embed(torch.zeros(2, 20, 64), positions, positions))


def test_learned_clamps_where_it_is_asked_to() -> None:
    encoding = Learned(Dimensions(64, 4, 1, 64), rows=8, beyond="clamp", offset=1)
    positions = torch.tensor([[0, 7, 8, 10**6]])
    added = encoding.embed(torch.zeros(1, 4, 64), positions, positions)[0]
    assert encoding.longest is None
    assert torch.equal(added, encoding.table.weight[[1, 8, 8, 8]])


@torch.no_grad()
def test_learned_hierarchical() -> None:
    case = golden("learned_hierarchical")
    encoding = Learned(Dimensions(64, 4, 1, 16), rows=16)
    encoding.table.weight.data = case["base_table"]
    extended = Hierarchical(alpha=case.meta["hyper"]["alpha"]).extend(encoding, 16, 256)
    positions = case["positions"].long()[None]
    case.match("table", extended.embed(torch.zeros(1, 256, 64), positions, positions)[0])
    assert extended.longest == 256
    with pytest.raises(IndexError, match="position 256 is beyond the 256 rows"):
        extended.embed(torch.zeros(1, 1, 64), positions[:, :1], torch.tensor([[256]]))


@torch.no_grad()
def test_hierarchical_takes_its_digits_from_trained_rows_alone() -> None:
    """Rows that training never reached do not matter, nor does an offset."""
    encoding = Learned(Dimensions(64, 4, 1, 5), rows=9, offset=2)
    trained = encoding.table.weight[2:7].clone()
    extended = Hierarchical().extend(encoding, 5, 20)
    positions = torch.arange(25)[None]
    got = extended.embed(torch.zeros(1, 25, 64), positions, positions)[0]
    digits = (trained - 0.4 * trained[0]) / 0.6
    for position in range(25):
        wanted = 0.4 * digits[position // 5] + 0.6 * digits[position % 5]
        torch.testing.assert_close(got[position], wanted, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(got[:5], trained, atol=1e-6, rtol=1e-5)


def test_sinusoidal_scaled() -> None:
    case = golden("sinusoidal_scaled")
    encoding = ScaledSinusoidal(Dimensions(64, 4, 1, 64), base=case.meta["hyper"]["base"])
    assert float(encoding.scale.detach()) == case.meta["hyper"]["scale"]
    encoding.scale.data = case["scale"]
    case.match("table", encoding.table(case["positions"].long()))


def test_digits() -> None:
    """No public code to compare with: digits as Python writes them."""
    encoding = Digits(Dimensions(64, 4, 1, 64), positions=1000)
    positions = torch.tensor([[0, 7, 10, 99, 305, 999]])
    added = encoding.embed(torch.zeros(1, 6, 64), positions, positions)[0]
    for row, position in zip(added, positions[0].tolist(), strict=True):
        wanted = sum(encoding.table[place, int(digit)] for place, digit in enumerate(reversed(f"{position:03}")))
        torch.testing.assert_close(row, wanted, atol=1e-6, rtol=1e-5)


def test_segments_are_what_stands_before_and_after_the_separator() -> None:
    """As the causal layout lays them out, with answers of different lengths."""
    encoding = Segment(Dimensions(64, 4, 1, 64))
    assert encoding.separator == SEP
    prompt, answer = np.array([[0, 1, 2], [3, ABSENT, ABSENT]]), np.array([[0, 1, 2], [3, ABSENT, ABSENT]])
    tokens = torch.from_numpy(Causal(Copy()).arrange(Batch(prompt, answer, answer != ABSENT), 4).tokens)
    added = encoding.embed(torch.zeros(*tokens.shape, 64), tokens, torch.arange(tokens.shape[1])[None])
    wanted = torch.tensor([[0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 1, 1, 1]])  # the rest of the second is padding
    assert torch.equal(added, encoding.table.weight[wanted])


def test_segment_rows_of_bert() -> None:
    """The sum of token, position and segment rows, with the segments that a separator makes."""
    case = golden("learned_bert")
    segments = case["segments"].long()
    encoding = Segment(Dimensions(64, 4, 1, 64), separator=29)
    encoding.table.weight.data = case["segment"]
    tokens = torch.zeros(1, len(segments), dtype=torch.long)
    tokens[0, int((segments == 0).sum()) - 1] = 29
    x = (case["word"][case["ids"].long()] + case["table"])[None]
    embedded = encoding.embed(x, tokens, torch.arange(len(segments))[None])
    case.match("output", torch.nn.functional.layer_norm(embedded, (64,), case["ln_weight"], case["ln_bias"], 1e-12)[0])


@pytest.mark.parametrize("rows", [1, 36, 64])
def test_learned_rows_are_at_right_angles_if_asked(rows: int) -> None:
    table = Learned(dimensions(4, 16), rows=rows, deviation=0.5, orthogonal=True).table.weight.detach()
    torch.testing.assert_close(table @ table.T, 64 * 0.5**2 * torch.eye(rows), atol=1e-4, rtol=0)


def test_of_more_rows_than_dimensions_each_block_of_so_many_is_orthogonal() -> None:
    table = Learned(dimensions(4, 16), rows=130, offset=2, deviation=0.5, orthogonal=True).table.weight.detach()
    blocks = table.split(64)
    assert [len(block) for block in blocks] == [64, 64, 4]
    for block in blocks:
        torch.testing.assert_close(block @ block.T, 64 * 0.5**2 * torch.eye(len(block)), atol=1e-4, rtol=0)
    assert (blocks[0] @ blocks[1].T).abs().max() > 0.5, "the blocks are drawn independently of each other"


def test_learned_levels() -> None:
    """A token at (i, j) is given row i of the first table and row j of the second, as products with one-hot vectors."""
    encoding = LearnedLevels(dimensions(4, 16), rows=30)
    positions = torch.randint(30, (2, 12, 2), generator=torch.Generator().manual_seed(0))
    x = torch.randn(2, 12, 64)
    first, second = torch.nn.functional.one_hot(positions, 30).float().unbind(2)
    tables = [parameter.detach() for parameter in encoding.parameters()]
    assert [table.shape for table in tables] == [(30, 64)] * 2
    torch.testing.assert_close(encoding.embed(x, x, positions), x + first @ tables[0] + second @ tables[1])
    for table in LearnedLevels(dimensions(4, 64), rows=400, deviation=1.5).parameters():
        assert abs(float(table.detach().std()) / 1.5 - 1) < 0.01
    with pytest.raises(IndexError, match="position 30 is beyond the 30 rows of the learned tables"):
        encoding.embed(x[:1, :1], x, torch.tensor([[[3, 30]]]))


@pytest.mark.parametrize(("option", "value"), [("rows", 0), ("deviation", -0.1)])
def test_learned_levels_refuse_numbers_that_make_no_sense(option: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{option}={value}: "):
        LearnedLevels(dimensions(4, 16), **{option: value})
