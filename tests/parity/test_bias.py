"""Biases that do not depend on content."""

import pytest
import torch
from golden_cases import golden, shape

from harness.encodings.alibi import ALiBi
from harness.encodings.t5 import T5
from harness.shape import Shape


@pytest.mark.parametrize(("case", "heads"), [("alibi_h4", 4), ("alibi_h6", 6)])
def test_alibi(case: str, heads: int) -> None:
    known = golden(case)
    encoding = ALiBi(Shape(heads * 8, heads, 1, 64))
    known.match("slopes", encoding.slopes)
    known.match("bias", encoding.bias(known["pos_q"].long()[None], known["pos_k"].long()[None])[0])
    length = known["scores"].shape[-1]
    positions = torch.arange(length)[None]
    visible = torch.ones(length, length).tril().bool()[None, None]
    known.match(
        "weights_causal", encoding.weights(known["scores"][None] + encoding.bias(positions, positions), visible)[0]
    )


@pytest.mark.parametrize("case", ["t5_causal", "t5_bidirectional"])
def test_t5(case: str) -> None:
    known = golden(case)
    encoding = T5(shape(4, 16), bidirectional=known.meta["hyper"]["bidirectional"])
    encoding.table.data = known["table"].T.contiguous()
    buckets = encoding.bucket(-known["relative"].long())
    # Which half of the table later keys have is a matter of naming: the reference gives them the upper one, as here.
    known.match("buckets", buckets.int())
    bias = encoding.bias(known["pos_q"].long()[None], known["pos_k"].long()[None])[0]
    meaningful = known.arrays.get("valid", torch.ones(bias.shape[1:])).bool()
    known.match("bias", torch.where(meaningful, bias, known["bias"]))
