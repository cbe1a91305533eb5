"""Transformers give the numbers of independent ones with the same weights: those of Hugging Face transformers 5.23.0
(tests/golden/make_architectures.py) and of PyTorch's own layers.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from support import ROOT, component, layers
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.learned import Learned
from harness.encodings.nope import NoPE
from harness.encodings.rope import RoPE
from harness.encodings.t5 import T5
from harness.layouts.special_tokens import SEP
from harness.models.base import Model
from harness.models.bert import BERT
from harness.models.encoder_decoder import EncoderDecoder

DIMENSIONS = Dimensions(d_model=16, n_heads=2, n_layers=2, train_tokens=12)
VOCABULARY = 20


class Case:
    """Weights of the other implementation that are taken one by one; none may be left over."""

    def __init__(self, name: str) -> None:
        with np.load(ROOT / "tests" / "golden" / "architectures" / f"{name}.npz") as file:
            self.arrays = {key: torch.from_numpy(file[key]) for key in file.files}

    def take(self, name: str) -> Tensor:
        value = self.arrays.pop(name)
        return value.float() if value.dtype == torch.float16 else value

    def into(self, mine: nn.Module, *names: str, transposed: bool = False) -> None:
        """Weights, and biases where there are any, of several layers into one, below each other."""
        own = dict(mine.named_parameters())
        for part in own:
            parts = [self.take(f"{name}.{part}") for name in names]
            if transposed and part == "weight":
                parts = [value.T for value in parts]
            put(own[part], torch.cat(parts))

    def finished(self) -> None:
        assert not self.arrays, "weights or outputs that were not used"


@torch.no_grad()
def put(parameter: nn.Parameter, value: Tensor) -> None:
    assert parameter.shape == value.shape
    parameter.copy_(value)


def made(name: str, encoding: Callable[[int], Encoding]) -> Any:
    """A choice of conf/architecture with an encoding for each layer, all weights drawn so that none is special."""
    return drawn(component("architecture", name, DIMENSIONS, VOCABULARY, layers(DIMENSIONS, encoding)))


def drawn(model: Any) -> Any:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    return model.eval()


def positions(length: int, visible: Tensor | None = None) -> Positions:
    return Positions(torch.arange(length)[None], True, visible)


@torch.no_grad()
def logits(model: Model, tokens: Tensor, visible: Tensor | None = None) -> Tensor:
    return model.readout(model(tokens, positions(tokens.shape[1], visible)))


def close(mine: Tensor, theirs: Tensor) -> None:
    assert theirs.abs().max() > 0.5
    np.testing.assert_allclose(mine.numpy(), theirs.numpy(), atol=2e-5, rtol=2e-5)


def test_gpt2() -> None:
    case = Case("gpt2")
    table = Learned(DIMENSIONS, rows=32)
    model = made("gpt2", lambda _: table)
    put(model.embedding.weight, case.take("transformer.wte.weight"))
    put(table.table.weight, case.take("transformer.wpe.weight"))
    for number, block in enumerate(model.blocks):
        here = f"transformer.h.{number}"
        case.into(block.mixer_norm, f"{here}.ln_1")
        case.into(block.mixer.project, f"{here}.attn.c_attn", transposed=True)
        case.into(block.mixer.output, f"{here}.attn.c_proj", transposed=True)
        case.into(block.feed_forward_norm, f"{here}.ln_2")
        case.into(block.widen, f"{here}.mlp.c_fc", transposed=True)
        case.into(block.narrow, f"{here}.mlp.c_proj", transposed=True)
    case.into(model.norm, "transformer.ln_f")
    close(logits(model, case.take("tokens")), case.take("logits"))
    case.finished()


def test_llama() -> None:
    case = Case("llama")
    model = made("llama", lambda _: RoPE(DIMENSIONS, layout="half"))
    put(model.embedding.weight, case.take("model.embed_tokens.weight"))
    for number, block in enumerate(model.blocks):
        here = f"model.layers.{number}"
        case.into(block.mixer_norm, f"{here}.input_layernorm")
        case.into(block.mixer.project, *(f"{here}.self_attn.{part}_proj" for part in "qkv"))
        case.into(block.mixer.output, f"{here}.self_attn.o_proj")
        case.into(block.feed_forward_norm, f"{here}.post_attention_layernorm")
        case.into(block.gate, f"{here}.mlp.gate_proj")
        case.into(block.widen, f"{here}.mlp.up_proj")
        case.into(block.narrow, f"{here}.mlp.down_proj")
    case.into(model.norm, "model.norm")
    case.into(model.head, "lm_head")
    close(logits(model, case.take("tokens")), case.take("logits"))
    case.finished()


def test_gemma_2_has_a_norm_before_and_after_each_sublayer() -> None:
    """Its other features too: GELU with a gate, logits that nothing divides, scaled and tied embeddings, a feed-forward
    layer of any width. Its norms multiply by one more than their weights. Neither kind of logit is capped.
    """
    case = Case("gemma2")
    options = {"norm": "sandwich", "activation": "geglu", "tied": True, "scaled": True, "feed_forward": 20}
    built = layers(DIMENSIONS, lambda _: RoPE(DIMENSIONS, layout="half"), "unscaled")
    model = drawn(component("architecture", "llama", DIMENSIONS, VOCABULARY, built, **options))
    put(model.embedding.weight, case.take("model.embed_tokens.weight"))
    norms = {
        "input_layernorm": "mixer_norm",
        "post_attention_layernorm": "mixer_added_norm",
        "pre_feedforward_layernorm": "feed_forward_norm",
        "post_feedforward_layernorm": "feed_forward_added_norm",
    }
    for number, block in enumerate(model.blocks):
        here = f"model.layers.{number}"
        for theirs, mine in norms.items():
            put(getattr(block, mine).weight, 1 + case.take(f"{here}.{theirs}.weight"))
        case.into(block.mixer.project, *(f"{here}.self_attn.{part}_proj" for part in "qkv"))
        case.into(block.mixer.output, f"{here}.self_attn.o_proj")
        case.into(block.gate, f"{here}.mlp.gate_proj")
        case.into(block.widen, f"{here}.mlp.up_proj")
        case.into(block.narrow, f"{here}.mlp.down_proj")
    put(model.norm.weight, 1 + case.take("model.norm.weight"))
    close(logits(model, case.take("tokens")), case.take("logits"))
    case.finished()


def test_bert_with_both_heads() -> None:
    """The shorter of two rows is padded. Only the rows of the two answers are compared at ``[CLS]``."""
    case = Case("bert")
    table = Learned(DIMENSIONS, rows=32)
    model: BERT = made("bert", lambda _: table)
    put(model.embedding.weight, case.take("bert.embeddings.word_embeddings.weight"))
    put(table.table.weight, case.take("bert.embeddings.position_embeddings.weight"))
    put(model.segments.weight, case.take("bert.embeddings.token_type_embeddings.weight"))
    case.into(model.embedding_norm, "bert.embeddings.LayerNorm")
    block: Any
    for number, block in enumerate(model.blocks):
        here = f"bert.encoder.layer.{number}"
        case.into(block.mixer.project, *(f"{here}.attention.self.{part}" for part in ("query", "key", "value")))
        case.into(block.mixer.output, f"{here}.attention.output.dense")
        case.into(block.mixer_norm, f"{here}.attention.output.LayerNorm")
        case.into(block.widen, f"{here}.intermediate.dense")
        case.into(block.narrow, f"{here}.output.dense")
        case.into(block.feed_forward_norm, f"{here}.output.LayerNorm")
    case.into(model.pooler, "bert.pooler.dense")
    case.into(model.restore, "cls.predictions.transform.dense")
    case.into(model.restore_norm, "cls.predictions.transform.LayerNorm")
    put(model.bias, case.take("cls.predictions.bias"))
    tokens, shown = case.take("tokens"), case.take("shown")
    found = logits(model, tokens, shown)
    close(found[:, 1:][shown[:, 1:]], case.take("masked")[:, 1:][shown[:, 1:]])
    answers = slice(7, 9)
    with torch.no_grad():
        model.classifier.weight[answers] = case.take("cls.seq_relationship.weight")
        model.bias[answers] = case.take("cls.seq_relationship.bias")
    close(logits(model, tokens, shown)[:, 0, answers], case.take("next"))
    case.finished()


def translated(model: Model, case: Case) -> None:
    """Both rows, whose separators stand at different places, are right from ``[SEP]`` on."""
    tokens = case.take("tokens")
    found = logits(model, tokens)
    for row in range(2):
        close(found[row, int((tokens[row] == SEP).nonzero()) :], case.take(f"logits_{row}"))
    case.finished()


def test_t5() -> None:
    """T5's logits are not over sqrt(d), its readout is over sqrt(D), and its decoder has a table of one direction: the
    first two are moved into the weights, the third is an encoding of the decoder's own, which no choice of conf/ makes.
    """
    case = Case("t5")
    bias = {"buckets": 8, "farthest": 16}
    both, past = T5(DIMENSIONS, **bias, bidirectional=True), T5(DIMENSIONS, **bias, bidirectional=False)
    model: EncoderDecoder = made("t5", lambda number: both if number < DIMENSIONS.n_layers else past)
    put(model.embedding.weight, case.take("shared.weight") * DIMENSIONS.d_model**-0.5)
    block: Any
    for side, blocks in (("encoder", model.encoder), ("decoder", model.decoder)):
        last = 2 if side == "decoder" else 1
        for number, block in enumerate(blocks):
            here = f"{side}.block.{number}.layer"
            case.into(block.mixer.project, *(f"{here}.0.SelfAttention.{part}" for part in "qkv"))
            case.into(block.mixer.output, f"{here}.0.SelfAttention.o")
            case.into(block.mixer_norm, f"{here}.0.layer_norm")
            unscaled(block.mixer.project.weight)
            if side == "decoder":
                case.into(block.cross.query, f"{here}.1.EncDecAttention.q")
                case.into(block.cross.project, *(f"{here}.1.EncDecAttention.{part}" for part in "kv"))
                case.into(block.cross.output, f"{here}.1.EncDecAttention.o")
                case.into(block.cross_norm, f"{here}.1.layer_norm")
                unscaled(block.cross.query.weight)
            case.into(block.widen, f"{here}.{last}.DenseReluDense.wi")
            case.into(block.narrow, f"{here}.{last}.DenseReluDense.wo")
            case.into(block.feed_forward_norm, f"{here}.{last}.layer_norm")
        table = f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias.weight"
        put(blocks[0].mixer.encoding.table, case.take(table).T)  # type: ignore[union-attr, arg-type]
    case.into(model.encoder_norm, "encoder.final_layer_norm")
    case.into(model.decoder_norm, "decoder.final_layer_norm")
    translated(model, case)


@torch.no_grad()
def unscaled(weight: Tensor) -> None:
    """Queries, the first of what is projected, larger by sqrt(d)."""
    weight[: DIMENSIONS.d_model] *= DIMENSIONS.head_dim**0.5


def test_bart() -> None:
    case = Case("bart")
    shared = Learned(DIMENSIONS, rows=32, offset=2)
    model: EncoderDecoder = made("bart", lambda _: shared)
    put(model.embedding.weight, case.take("model.shared.weight"))
    block: Any
    for side, blocks in (("encoder", model.encoder), ("decoder", model.decoder)):
        for number, block in enumerate(blocks):
            here = f"model.{side}.layers.{number}"
            case.into(block.mixer.project, *(f"{here}.self_attn.{part}_proj" for part in "qkv"))
            case.into(block.mixer.output, f"{here}.self_attn.out_proj")
            case.into(block.mixer_norm, f"{here}.self_attn_layer_norm")
            if side == "decoder":
                case.into(block.cross.query, f"{here}.encoder_attn.q_proj")
                case.into(block.cross.project, *(f"{here}.encoder_attn.{part}_proj" for part in "kv"))
                case.into(block.cross.output, f"{here}.encoder_attn.out_proj")
                case.into(block.cross_norm, f"{here}.encoder_attn_layer_norm")
            case.into(block.widen, f"{here}.fc1")
            case.into(block.narrow, f"{here}.fc2")
            case.into(block.feed_forward_norm, f"{here}.final_layer_norm")
        put(blocks[0].mixer.encoding.table.weight, case.take(f"model.{side}.embed_positions.weight"))  # type: ignore[union-attr, arg-type]
    case.into(model.encoder_embedding_norm, "model.encoder.layernorm_embedding")
    case.into(model.decoder_embedding_norm, "model.decoder.layernorm_embedding")
    translated(model, case)


def copied(theirs: Any, mine: Any) -> None:
    """A block of mine into a layer of PyTorch's, whose attention keeps biases of 0."""
    own = {
        "self_attn.in_proj": mine.mixer.project,
        "self_attn.out_proj": mine.mixer.output,
        "linear1": mine.widen,
        "linear2": mine.narrow,
        "norm1": mine.mixer_norm,
    }
    crossed = hasattr(mine, "cross")
    own |= {"norm2": mine.cross_norm, "norm3": mine.feed_forward_norm} if crossed else {"norm2": mine.feed_forward_norm}
    weights = {key: torch.zeros_like(value) for key, value in theirs.state_dict().items()}
    for key, module in own.items():
        for part, value in module.named_parameters():
            weights[f"{key}_{part}" if key.endswith("in_proj") else f"{key}.{part}"] = value
    if crossed:
        weights["multihead_attn.in_proj_weight"] = torch.cat([mine.cross.query.weight, mine.cross.project.weight])
        weights["multihead_attn.out_proj.weight"] = mine.cross.output.weight
    theirs.load_state_dict(weights)
    theirs.eval()


@pytest.mark.parametrize("choice", ["encoder", "chomsky_encoder"])
@torch.no_grad()
def test_encoders_are_pytorchs(choice: str) -> None:
    model = made(choice, lambda _: NoPE(DIMENSIONS))
    pre = choice == "encoder"
    tokens = torch.randint(4, VOCABULARY, (2, 12))
    shown = torch.arange(12) < torch.tensor([[12], [7]])
    x = model.embedding.weight[tokens] * (1 if pre else 4)
    for block in model.blocks:
        theirs = nn.TransformerEncoderLayer(16, 2, 64, 0.0, "gelu" if pre else "relu", batch_first=True, norm_first=pre)
        copied(theirs, block)
        with torch.enable_grad():  # not their fused path, which fills padding with zeros
            x = theirs(x, src_key_padding_mask=~shown).detach()
    expected = model.head(model.norm(x) if pre else x)
    close(logits(model, tokens, shown)[shown], expected[shown])


@pytest.mark.parametrize("choice", ["encoder_decoder", "vaswani"])
@torch.no_grad()
def test_encoder_decoders_are_pytorchs(choice: str) -> None:
    model: EncoderDecoder = made(choice, lambda _: NoPE(DIMENSIONS))
    pre = choice == "encoder_decoder"
    tokens = torch.randint(4, VOCABULARY, (1, 12))
    tokens[0, 5] = SEP
    x = model.embedding.weight[tokens] * (1 if pre else 4)
    options: dict[str, Any] = {"batch_first": True, "norm_first": pre}
    kind = "gelu" if pre else "relu"
    memory, written = x[:, :5], x[:, 5:]
    for block in model.encoder:
        encoder = nn.TransformerEncoderLayer(16, 2, 64, 0.0, kind, **options)
        copied(encoder, block)
        memory = encoder(memory)
    memory = model.encoder_norm(memory)
    for block in model.decoder:
        decoder = nn.TransformerDecoderLayer(16, 2, 64, 0.0, kind, **options)
        copied(decoder, block)
        mask = nn.Transformer.generate_square_subsequent_mask(7)
        written = decoder(written, memory, tgt_mask=mask, tgt_is_causal=True)
    close(logits(model, tokens)[:, 5:], model.head(model.decoder_norm(written)))
