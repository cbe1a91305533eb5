"""Hugging Face's library as a supplier of everything but attention and positions.

Attention is computed by a function that is registered with the library under a name of ours and finds what to do in its
arguments. The positions of a network are taken out of it. Both are compared with the library's own computation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.frequencies import angles
from harness.encodings.pretrained_rotary import PretrainedRotary
from harness.encodings.pretrained_table import PretrainedTable
from harness.encodings.rotary import Layout, rotate
from harness.logits.base import LogitScale
from harness.logits.standard import Standard
from harness.models import huggingface_folder

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ATTENTION = "length_generalization"
"""What attention that is computed here is called in the library."""

PROBE = 24
"""Tokens on which a network is compared with the library's own computation."""

TOLERANCE = 1e-4
"""How far the two may differ, as a share of the largest number: they round differently."""

LAYOUTS: tuple[Layout, ...] = ("half", "interleaved")

UNKNOWN = {
    "sliding_window": "attention to the last tokens alone",
    "softcap": "capped logits",
    "s_aux": "attention sinks",
    "position_bias": "biases of positions",
}
"""Arguments by which the library asks attention for more than softmax(q k) v."""

Attend = Callable[[nn.Module, Tensor, Tensor, Tensor, float], Tensor]
"""The library's attention module, q [B, H, L, d], k and v [B, K, L, d], and the factor on dot products ->
[B, H, L, d].
"""


class ReplacedAttention(Attending):
    """The attention of one layer of the library's network, whose keys may be shared by groups of heads. The network
    multiplies logits by a factor of its own; a logit scale counts as what it does beyond ``1 / sqrt(d)``.
    """

    def __init__(self, dimensions: Dimensions, encoding: Encoding, logit: LogitScale) -> None:
        super().__init__(encoding, logit, causal=True)
        self.unscaled = math.sqrt(dimensions.head_dim)

    def answer(self, q: Tensor, k: Tensor, v: Tensor, factor: float, positions: Positions) -> Tensor:
        """As :data:`Attend` says."""
        group = q.shape[1] // k.shape[1]
        k, v = k.repeat_interleave(group, dim=1), v.repeat_interleave(group, dim=1)
        return self.attend(q * (factor * self.unscaled), k, v, positions, {})


class NoRotation(nn.Module):
    """Replaces a rotary embedding: cosines of 1 and sines of 0, which rotate nothing."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, x: Tensor, position_ids: Tensor) -> tuple[Tensor, Tensor]:
        shape = (1, x.shape[1], self.channels)
        return x.new_ones(shape), x.new_zeros(shape)


class NoPositionTable(nn.Module):
    """Replaces a table of positions by zero vectors."""

    def forward(self, positions: Tensor) -> Tensor:
        return torch.zeros((), device=positions.device)


def load(folder: Path, weights: Literal["saved", "drawn"]) -> PreTrainedModel:
    """The network of a folder in float32, with its saved weights, all of them, or with newly drawn ones. Raises
    :class:`ValueError` where that cannot be.
    """
    try:
        import transformers
    except ImportError:
        raise ValueError(
            "the library transformers is needed: pip install 'length-generalization-harness[huggingface]'"
        ) from None
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    transformers.modeling_utils.ALL_ATTENTION_FUNCTIONS.register(ATTENTION, _attention)
    if weights == "saved":
        huggingface_folder.check_weights(folder)
    safely = {"trust_remote_code": False, "local_files_only": True}
    auto = transformers.AutoModelForCausalLM
    try:
        config = transformers.AutoConfig.from_pretrained(folder, **safely)
        if weights == "drawn":
            return auto.from_config(config, trust_remote_code=False, dtype=torch.float32)
        network, found = auto.from_pretrained(
            folder, config=config, use_safetensors=True, dtype=torch.float32, output_loading_info=True, **safely
        )
    except Exception as error:  # the library raises what it likes
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{folder}: transformers cannot load it: {reason}") from error
    lacking = sorted(found["missing_keys"]) + sorted(map(str, found["mismatched_keys"]))
    if lacking:
        raise ValueError(f"{folder}: its weights lack {lacking[0]}, which would be drawn at random")
    return network


def hidden(network: PreTrainedModel, x: Tensor, attend: Attend) -> Tensor:
    """The last hidden vectors [B, L, D] of token embeddings [B, L, D], with this attention."""
    return network.base_model(inputs_embeds=x, use_cache=False, attend=attend).last_hidden_state


@torch.no_grad()
def take_over(network: PreTrainedModel, dimensions: Dimensions) -> PretrainedRotary | PretrainedTable:
    """Take positions and attention out of a network. Gives its positions as an encoding, with which it computes what
    the library did. Raises :class:`ValueError` where it does not.
    """
    network.eval()
    table: Any = network.get_input_embeddings()
    tokens = torch.randint(table.num_embeddings, (1, PROBE), generator=torch.Generator().manual_seed(0))
    network.set_attn_implementation("eager")
    expected = network(input_ids=tokens, use_cache=False).logits
    network.set_attn_implementation(ATTENTION)
    own = _taken(network, dimensions, table(tokens))
    positions = Positions(torch.arange(PROBE)[None], True)
    place = ReplacedAttention(dimensions, own, Standard(dimensions))
    x = own.embed(table(tokens), tokens, positions.values)
    last = hidden(network, x, lambda module, q, k, v, factor: place.answer(q, k, v, factor, positions))
    head: Any = network.get_output_embeddings()
    if not _close(head(last), expected):
        raise ValueError(
            f"{network.config.model_type}: with attention taken over it does not compute what transformers computes, "
            "so it is more than a plain decoder: it cannot be used"
        )
    network.train()
    return own


def _taken(network: PreTrainedModel, dimensions: Dimensions, x: Tensor) -> PretrainedRotary | PretrainedTable:
    base: Any = network.base_model
    if hasattr(base, "rotary_emb"):
        rotary, turned = base.rotary_emb, _first(network, x)
        if not isinstance(rotary.rope_type, str) or rotary.rope_type in ("dynamic", "longrope"):
            raise ValueError(
                f"config.json: rope_type {rotary.rope_type} changes with the length of the input or with the layer: "
                "set the type to default there and use an extension such as dynamic_ntk or longrope"
            )
        own = PretrainedRotary(dimensions)
        own.frequencies, own.attention_factor = rotary.inv_freq.double(), float(rotary.attention_scaling)
        base.rotary_emb = NoRotation(2 * len(own.frequencies))
        own.layout = _layout(own, _first(network, x), turned)
        return own
    if isinstance(table := getattr(base, "wpe", None), nn.Embedding):
        own_table = PretrainedTable(dimensions, rows=table.num_embeddings)
        own_table.table.weight.copy_(table.weight)
        base.wpe = NoPositionTable()
        return own_table
    raise ValueError(
        f"{network.config.model_type}: its positions are neither one rotary embedding nor a table like GPT-2's: "
        "it cannot be used"
    )


def _layout(own: PretrainedRotary, plain: Tensor, turned: Tensor) -> Layout:
    """Which channels form the pairs that the library rotates, determined from queries before and after rotation."""
    turns = angles(torch.arange(PROBE)[None], own.frequencies)
    for layout in LAYOUTS:
        if _close(rotate(plain, turns, layout, own.attention_factor), turned):
            return layout
    raise ValueError("its rotary embedding turns neither neighbouring channels nor halves: it cannot be used")


def _first(network: PreTrainedModel, x: Tensor) -> Tensor:
    """The queries of the first layer [1, H, L, d] as they reach attention."""
    met: list[Tensor] = []

    def attend(module: nn.Module, q: Tensor, k: Tensor, v: Tensor, factor: float) -> Tensor:
        met.append(q)
        return torch.zeros_like(q)

    try:
        hidden(network, x, attend)
    except ValueError:
        raise
    except Exception as error:  # a network whose layers do not hand arguments or heads of one size on to attention
        raise ValueError(
            f"{network.config.model_type}: its attention cannot be taken over, since the library computes it otherwise "
            f"than that of most networks ({error})"
        ) from error
    if len(met) != network.config.num_hidden_layers:
        raise ValueError(f"{network.config.model_type}: attention is not computed once in every layer")
    return met[0]


def _close(computed: Tensor, expected: Tensor) -> bool:
    return bool((computed - expected).abs().max() <= TOLERANCE * expected.abs().max())


def _attention(
    module: nn.Module,
    q: Tensor,
    k: Tensor,
    v: Tensor,
    attention_mask: Tensor | None,
    *,
    attend: Attend,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """What the library calls in every layer."""
    asked = [name for name in UNKNOWN if others.get(name) is not None]
    if asked:
        raise ValueError(
            f"some of its layers have {UNKNOWN[asked[0]]} ({asked[0]}={others[asked[0]]}), which is not computed here, "
            "so that none of its scores would be its own"
        )
    factor = q.shape[-1] ** -0.5 if scaling is None else scaling
    return attend(module, q, k, v, factor).transpose(1, 2).contiguous(), None
