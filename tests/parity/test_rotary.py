"""Rotary encodings and their test-time extensions."""

from typing import Any

import pytest
from golden_cases import golden, logits, shape

from harness.encodings.rope import RoPE
from harness.extensions.interpolate import Interpolate
from harness.extensions.ntk import NTK


@pytest.mark.parametrize("layout", ["half", "interleaved"])
@pytest.mark.parametrize(
    "case",
    [
        "rope_half_split",
        "rope_interleaved",
        "rope_deepmind",
        "rope_bert4keras",
        "rope_base",
        "random_positions_rope_deepmind",
        "rope_linear",
        "rope_ntk",
    ],
)
def test_rope_and_its_extensions(case: str, layout: Any) -> None:
    known = golden(case)
    encoding = RoPE(shape(4, 16), base=known.meta["hyper"]["base"], layout=layout)
    factor = known.meta["hyper"].get("factor")
    if factor:
        (Interpolate() if case == "rope_linear" else NTK()).extend(encoding, 100, int(100 * factor))
    if "inv_freq" in known.meta["tolerance"]:
        known.match("inv_freq", encoding.frequencies)
    order = known["to_half" if layout == "half" else "to_interleaved"].long()
    arrays = {**known.arrays, "q": known["q"][..., order], "k": known["k"][..., order]}
    known.match("logits", logits(encoding, known._replace(arrays=arrays)))
