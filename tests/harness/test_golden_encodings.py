"""Parity with numbers that independent implementations computed (tests/golden/encodings), to the tolerance stated
there.
"""

import json
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from support import ROOT
from torch import Tensor

from harness.encodings.alibi import ALiBi
from harness.encodings.base import Encoding
from harness.encodings.learned import Learned
from harness.encodings.nope import NoPE
from harness.encodings.rope import RoPE
from harness.encodings.sinusoidal import Sinusoidal
from harness.encodings.t5 import T5
from harness.extensions.interpolate import Interpolate
from harness.extensions.ntk import NTK
from harness.logits.log_n import LogN
from harness.shape import Shape

FOLDER = ROOT / "tests" / "golden" / "encodings"


class Golden(NamedTuple):
    """One case: its arrays as tensors, and what its authors say of them."""

    arrays: dict[str, Tensor]
    meta: dict[str, Any]

    def __getitem__(self, name: str) -> Tensor:  # type: ignore[override]
        return self.arrays[name]

    def match(self, name: str, mine: Tensor) -> None:
        """Compare with an output to the stated tolerance, and near the origin to the tighter one if there is one."""
        np.testing.assert_allclose(mine.detach().numpy(), self.arrays[name].numpy(), **self.meta["tolerance"][name])
        near = (self.meta.get("tolerance_near") or {}).get(name)
        if near:
            close = {
                key: (self.arrays[key] <= near["max_position"]).numpy()
                for key in ("positions", "pos_q", "pos_k")
                if key in self.arrays
            }
            rows = (slice(None), *np.ix_(close["pos_q"], close["pos_k"])) if "pos_q" in close else (close["positions"],)
            tolerance = {key: near[key] for key in ("atol", "rtol")}
            np.testing.assert_allclose(mine.detach().numpy()[rows], self.arrays[name].numpy()[rows], **tolerance)


def golden(case: str) -> Golden:
    with np.load(FOLDER / f"{case}.npz", allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
        return Golden({key: torch.from_numpy(file[key]) for key in file.files if file[key].dtype.kind in "fiu"}, meta)


def shape(heads: int, head_dimension: int) -> Shape:
    return Shape(heads * head_dimension, heads, 1, 64)


def logits(encoding: Encoding, case: Golden) -> Tensor:
    """Unmasked scaled logits [H, Lq, Lk] through the encoding's own hooks."""
    q, k = case["q"][None], case["k"][None]
    q_positions = case.arrays.get("pos_q", torch.arange(q.shape[2])).long()[None]
    k_positions = case.arrays.get("pos_k", torch.arange(k.shape[2])).long()[None]
    q, k = encoding.rotate(q, k, q_positions, k_positions, {})
    return (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5)[0]


@pytest.mark.parametrize("case", sorted(path.stem for path in FOLDER.glob("*.npz")))
def test_every_case_here_is_matched_below(case: str) -> None:
    source = (ROOT / "tests" / "harness" / "test_golden_encodings.py").read_text()
    assert f'"{case}"' in source


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


def test_log_n() -> None:
    case = golden("logn")
    scale = LogN(Shape(16, 1, 1, case.meta["hyper"]["training_length"]))
    case.match("scale", scale.factor(case["positions"].long()[None])[0, 0] * 4)
