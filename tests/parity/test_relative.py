"""Relative encodings: content meets position in the logits, or position joins the values."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from golden_cases import Golden, dimensions, golden
from torch import Tensor

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import explicit
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.bert_relative import BERTRelative
from harness.encodings.deberta import DeBERTa
from harness.encodings.inkling import Inkling
from harness.encodings.music import Music
from harness.encodings.nezha import NEZHA
from harness.encodings.pairs import Pairs
from harness.encodings.shaw import Shaw
from harness.encodings.transformer_xl import TransformerXL
from harness.logits.standard import Standard
from harness.mixers.base import heads

DIMENSIONS = dimensions(4, 16)


def where(case: Golden) -> tuple[Tensor, Tensor]:
    return case["pos_q"].long()[None], case["pos_k"].long()[None]


def pairs(case: Golden, encoding: Encoding) -> Pairs:
    q_positions, k_positions = where(case)
    visible = torch.ones(1, 1, q_positions.shape[1], k_positions.shape[1], dtype=torch.bool)
    scale = 16**-0.5 * encoding.logit_scale(q_positions)[:, None, :, None]
    return Pairs(slice(0, q_positions.shape[1]), q_positions, k_positions, visible, scale)


def scores(encoding: Encoding, case: Golden) -> Tensor:
    """Scaled logits [1, H, Lq, Lk] through the encoding's hooks."""
    these = pairs(case, encoding)
    q, k = encoding.rotate(case["q"][None], case["k"][None], *where(case), {})
    return encoding.modify_logits(q @ k.transpose(-1, -2) * these.scale, q, k, these, {})


def output(encoding: Encoding, case: Golden, logits: Tensor, visible: Tensor) -> Tensor:
    weights = encoding.attention_weights(logits, visible)
    out = weights @ case["v"][None]
    if encoding.uses("value"):
        out = out + encoding.value(weights, *where(case))
    return out[0]


@torch.no_grad()
def compare(encoding: Encoding, case: Golden) -> None:
    """Logits, and outputs over the keys that each says."""
    logits = scores(encoding, case)
    everything = torch.ones(logits.shape[-2:], dtype=torch.bool)
    earlier = where(case)[0][0][:, None] >= where(case)[1][0]
    meaningful = case.arrays.get("valid", everything).bool()
    case.match("logits", torch.where(meaningful, logits, case["logits"])[0])
    for name, visible in (("out", meaningful), ("out_causal", earlier)):
        if name in case.meta["tolerance"]:
            case.match(name, output(encoding, case, logits, visible[None, None]))


def test_shaw_with_vectors_for_keys() -> None:
    case = golden("shaw_keys_only")
    hyper = case.meta["hyper"]
    encoding = Shaw(DIMENSIONS, left=hyper["left"], right=hyper["right"], values=False, shared=True)
    encoding.key_table.data = case["table_k"]
    compare(encoding, case)


def test_shaw_with_vectors_for_keys_and_values() -> None:
    case = golden("shaw_keys_values")
    encoding = Shaw(DIMENSIONS, left=6, right=6, shared=True)
    encoding.key_table.data = case["table_k"]
    assert encoding.value_table is not None
    encoding.value_table.data = case["table_v"]
    case.match("index", encoding.row(case["pos_q"].long()[:, None] - case["pos_k"].long()).int())
    compare(encoding, case)


@torch.no_grad()
def test_shaw_with_vectors_of_each_head() -> None:
    """No public code to compare with: the definition, pair by pair."""
    torch.manual_seed(0)
    encoding = Shaw(DIMENSIONS, left=3, right=2, deviation=1.0)
    q, k = torch.randn(2, 1, 4, 9, 16)
    positions = torch.tensor([[0, 1, 2, 4, 5, 8, 9, 10, 20]])
    scale = torch.full((1, 1, 1, 1), 0.25)
    visible = torch.ones(1, 1, 9, 9, dtype=torch.bool)
    logits = encoding.modify_logits(
        torch.zeros(1, 4, 9, 9), q, k, Pairs(slice(0, 9), positions, positions, visible, scale), {}
    )
    weights = torch.rand(1, 4, 9, 9)
    added = encoding.value(weights, positions, positions)
    assert encoding.value_table is not None
    for head in range(4):
        for i in range(9):
            total = torch.zeros(16, dtype=torch.float64)
            for j in range(9):
                row = 3 + max(-3, min(2, int(positions[0, j] - positions[0, i])))
                wanted = q[0, head, i].double() @ encoding.key_table[head, row].double() / 4
                torch.testing.assert_close(logits[0, head, i, j].double(), wanted, atol=1e-5, rtol=1e-5)
                total += weights[0, head, i, j].double() * encoding.value_table[head, row].double()
            torch.testing.assert_close(added[0, head, i].double(), total, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("case", "meets"), [("bert_relative_key", "key"), ("bert_relative_key_query", "key_query")])
def test_bert_relative(case: str, meets: Any) -> None:
    known = golden(case)
    encoding = BERTRelative(DIMENSIONS, rows=32, meets=meets)
    encoding.table.data = known["table"]
    compare(encoding, known)


@pytest.mark.parametrize(
    "case", ["txl", "txl_clamped", "txl_memory", "txl_bidirectional_deepmind", "txl_bidirectional_xlnet"]
)
def test_transformer_xl(case: str) -> None:
    known = golden(case)
    encoding = TransformerXL(DIMENSIONS, clamp=known.meta["hyper"].get("clamp_len") or 1000)
    project = known["w_r"]
    if case == "txl_bidirectional_deepmind":  # distances j - i: sine changes its sign, and is the first half of D
        project = (project * torch.tensor([-1.0, 1.0]).repeat_interleave(32)[:, None]).T
    elif case == "txl_bidirectional_xlnet":
        project = project.permute(1, 2, 0)
    encoding.project.data = project.reshape(4, 16, 64)
    encoding.u.data, encoding.v.data = known["u"], known["v_bias"]
    compare(encoding, known)


@torch.no_grad()
@pytest.mark.parametrize("start", [0, 100_000])
def test_transformer_xl_at_far_and_fractional_positions(start: int) -> None:
    """Against sines and cosines of the distances themselves, in float64, clamped on both sides."""
    torch.manual_seed(0)
    encoding = TransformerXL(DIMENSIONS, clamp=30, deviation=0.5)
    positions = start + torch.tensor([[0.0, 0.5, 1.25, 7.0, 40.75, 90.0]])
    q, k = torch.randn(2, 1, 4, 6, 16)
    these = Pairs(
        slice(0, 6), positions, positions, torch.ones(1, 1, 6, 6, dtype=torch.bool), torch.full((1, 1, 1, 1), 0.25)
    )
    turned, _ = encoding.rotate(q, k, positions, positions, {})
    mine = encoding.modify_logits(turned @ k.transpose(-1, -2) / 4, turned, k, these, {})
    distances = (positions[0, :, None] - positions[0]).double().clamp(-30, 30)
    angles = distances[..., None] * 10000.0 ** (-torch.arange(0, 64, 2, dtype=torch.float64) / 64)
    relative = torch.einsum("hdn,ijn->hijd", encoding.project.double(), torch.cat([angles.sin(), angles.cos()], -1))
    wanted = torch.einsum("bhid,bhjd->bhij", q.double() + encoding.u.double()[:, None], k.double())
    wanted = wanted + torch.einsum("bhid,hijd->bhij", q.double() + encoding.v.double()[:, None], relative)
    torch.testing.assert_close(mine.double(), wanted / 4, atol=1e-4, rtol=1e-5)


def test_nezha() -> None:
    case = golden("nezha")
    encoding = NEZHA(DIMENSIONS, clip=8)
    case.match("table", encoding.table)
    case.match("index", encoding.row(case["pos_q"].long()[:, None] - case["pos_k"].long()).int())
    compare(encoding, case)


@pytest.mark.parametrize(
    ("case", "terms"),
    [
        ("deberta_plain", "both"),
        ("deberta_bucketed", "both"),
        ("deberta_c2p_only", "content_to_position"),
        ("deberta_p2c_only", "position_to_content"),
    ],
)
def test_deberta(case: str, terms: Any) -> None:
    known = golden(case)
    hyper = known.meta["hyper"]
    encoding = DeBERTa(
        DIMENSIONS, farthest=hyper["max_relative_positions"], buckets=max(0, hyper["position_buckets"]), terms=terms
    )
    for table, name in ((encoding.keys, "pos_key"), (encoding.queries, "pos_query")):
        if table is not None:
            table.data = known[name].transpose(0, 1)
    q_positions, k_positions = where(known)
    known.match("index", encoding.row(q_positions[0][:, None] - k_positions[0]).int())
    compare(encoding, known)


@pytest.mark.parametrize("case", ["deberta_plain", "deberta_bucketed"])
def test_deberta_with_a_table_that_layers_share(case: str) -> None:
    """Keys and queries of the library's numbers are two projections of one table: any table of full rank has them."""
    known = golden(case)
    hyper = known.meta["hyper"]
    encoding = DeBERTa(
        DIMENSIONS, farthest=hyper["max_relative_positions"], buckets=max(0, hyper["position_buckets"]), shared=True
    )
    table = torch.randn(2 * hyper["span"], DIMENSIONS.d_model, dtype=torch.float64)
    encoding.table = torch.nn.Parameter(table.float())
    for projection, name in ((encoding.keys, "pos_key"), (encoding.queries, "pos_query")):
        assert projection is not None
        projection.data = (table.pinverse() @ known[name].double().transpose(0, 1)).float()
    compare(encoding, known)


def test_deberta_s_layers_project_one_table_as_the_library_s_do() -> None:
    """Attention of two layers, each with its projections, over the whole sequence."""
    from transformers import DebertaV2Config
    from transformers.models.deberta_v2.modeling_deberta_v2 import DisentangledSelfAttention

    dimensions = Dimensions(32, 4, 2, 20)
    config = DebertaV2Config(
        hidden_size=32,
        num_attention_heads=4,
        relative_attention=True,
        pos_att_type=["c2p", "p2c"],
        max_relative_positions=8,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )

    def made(number: int) -> DeBERTa:
        return DeBERTa(replace(dimensions, layer=number), farthest=8, shared=True)

    layers = list(made(0).for_layers(made, 2))
    x, mask = torch.randn(2, 20, 32), torch.ones(2, 1, 20, 20, dtype=torch.bool)
    with torch.no_grad():
        layers[0].table.copy_(torch.randn(16, 32))  # type: ignore[attr-defined]
    for encoding in layers:
        assert isinstance(encoding, DeBERTa)
        theirs = DisentangledSelfAttention(config).eval()
        pairs = ((theirs.pos_key_proj, encoding.keys), (theirs.pos_query_proj, encoding.queries))
        with torch.no_grad():
            for linear, projection in pairs:
                assert projection is not None
                linear.weight.copy_(projection.transpose(1, 2).flatten(0, 1))
                linear.bias.zero_()
            q, k, v = (heads(part(x), 4) for part in (theirs.query_proj, theirs.key_proj, theirs.value_proj))
            mine = explicit(
                AttentionInputs.of(
                    q,
                    k,
                    v,
                    Positions(torch.arange(20)[None], True),
                    encoding,
                    Standard(dimensions),
                    causal=False,
                    state={},
                )
            )
            (given, *_) = theirs(x, mask, rel_embeddings=encoding.table)
        torch.testing.assert_close(mine.transpose(1, 2).flatten(2), given, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_buckets_are_the_library_s() -> None:
    """For every number of buckets and every bound in reach: rounding decides where growth meets a whole number."""
    from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

    distances, settings = torch.arange(-320, 321), 0
    for buckets in (*range(4, 65, 2), 128, 256):
        for farthest in range(buckets // 2 + 2, 300):
            encoding = DeBERTa(Dimensions(2, 1, 1, 64), buckets=buckets, farthest=farthest)
            theirs = make_log_bucket_position(distances, buckets, farthest).long()
            assert torch.equal(encoding.bucket(distances), theirs), (buckets, farthest)
            settings += 1
    assert settings == 9115
    for buckets, farthest in ((4, 8), (256, 512)):
        for distance in (farthest - 1, 1 - farthest):
            alone = torch.tensor([distance])
            theirs = make_log_bucket_position(alone, buckets, farthest).long()
            assert torch.equal(
                DeBERTa(Dimensions(2, 1, 1, 64), buckets=buckets, farthest=farthest).bucket(alone), theirs
            )
    assert DeBERTa(Dimensions(8, 1, 1, 64), buckets=4, farthest=8).row(torch.tensor([-7])) == 1


def test_music() -> None:
    case = golden("music_skew")
    encoding = Music(DIMENSIONS, rows=32)
    encoding.table.data = case["table_k"].flip(0)  # which end of the table distance 0 has is a matter of naming
    compare(encoding, case)


@torch.no_grad()
def test_inkling() -> None:
    case = golden("inkling")
    encoding = Inkling(DIMENSIONS, profiles=6, extent=40)
    encoding.bank.data = case["bank"].T
    state = {"mix": case["w"].transpose(0, 1)[None]}
    empty = torch.zeros(1, 4, 28, 28)
    q = torch.zeros(1, 4, 28, 16)
    case.match("bias", encoding.modify_logits(empty, q, q, pairs(case, encoding), state)[0])


@torch.no_grad()
def test_inkling_mixes_its_bank_by_the_layers_input() -> None:
    torch.manual_seed(0)
    encoding = Inkling(DIMENSIONS, profiles=3)
    h = torch.randn(2, 5, 64)
    mixed = encoding.state(h, torch.arange(5)[None])["mix"]
    for head in range(4):
        for profile in range(3):
            wanted = h @ encoding.mix[3 * head + profile]
            torch.testing.assert_close(mixed[:, head, :, profile], wanted, atol=1e-6, rtol=1e-5)
