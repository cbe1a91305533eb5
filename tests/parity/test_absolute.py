"""Encodings added to the token embeddings, and no encoding."""

from typing import Any

import pytest
import torch
from golden_cases import golden, logits, shape

from harness.encodings.learned import Learned
from harness.encodings.nope import NoPE
from harness.encodings.sinusoidal import Sinusoidal
from harness.shape import Shape


def test_none() -> None:
    case = golden("none")
    case.match("logits", logits(NoPE(shape(4, 16)), case))
    for output, mask in (
        ("out_causal", torch.ones(20, 20).tril().bool()),
        ("out_bidirectional", torch.ones(20, 20).bool()),
    ):
        weights = NoPE(shape(4, 16)).weights(case["logits"][None], mask[None, None])
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
    encoding = Sinusoidal(Shape(64, 4, 1, 64), base=known.meta["hyper"]["base"], layout=layout)
    positions = known.arrays.get("positions", torch.arange(len(known["table"]))).long()
    known.match("table", encoding.table(positions))
    x = torch.randn(1, len(positions), 64)
    torch.testing.assert_close(encoding.embed(x, positions[None], positions[None]), x + encoding.table(positions))


def test_learned() -> None:
    case = golden("learned_bert")
    encoding = Learned(Shape(64, 4, 1, 64), rows=64)
    encoding.table.weight.data = case["position"]
    x = (case["word"][case["ids"].long()] + case["segment"][case["segments"].long()])[None]
    positions = case["positions"].long()[None]
    embedded = encoding.embed(x, positions, positions)
    case.match("table", (embedded - x)[0])
    case.match("output", torch.nn.functional.layer_norm(embedded, (64,), case["ln_weight"], case["ln_bias"], 1e-12)[0])
