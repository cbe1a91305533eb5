"""Small networks of the library transformers with random weights, saved and loaded by us."""

from pathlib import Path
from typing import Any

import pytest
import torch
from support import component, layers
from torch import Tensor

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.models import huggingface_folder
from harness.models.huggingface import HuggingFace

transformers = pytest.importorskip("transformers")
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

TRAINED = 32
ROWS = 30
LLAMA = {
    "vocab_size": ROWS,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "initializer_range": 0.3,  # large, so that positions matter
    "max_position_embeddings": TRAINED,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GPT2 = {
    "vocab_size": ROWS,
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "n_positions": 64,
    "initializer_range": 0.3,
    "bos_token_id": 1,
    "eos_token_id": 1,
}
SCALED = {"rope_theta": 10000.0, "original_max_position_embeddings": TRAINED}
LLAMA3 = {**SCALED, "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
YARN = {**SCALED, "rope_type": "yarn", "factor": 4.0}


def library(family: str, **options: Any) -> Any:
    """A network of the library with large random weights."""
    defaults = GPT2 if family == "GPT2" else LLAMA
    config = getattr(transformers, f"{family}Config")(**{**defaults, **options})
    name = "GPT2LMHeadModel" if family == "GPT2" else f"{family}ForCausalLM"
    return getattr(transformers, name)(config).eval()


def ours(
    network: Any, folder: Path, encoding: str = "pretrained_rotary", *, tokens: str = "numbers", **options: Any
) -> HuggingFace:
    """The same network, saved and loaded."""
    network.save_pretrained(folder)
    dimensions = Dimensions(*huggingface_folder.size(folder), train_tokens=TRAINED)
    made: Encoding = component("encoding", encoding, dimensions, **options)
    model = HuggingFace(
        dimensions,
        ROWS,
        layers(dimensions, lambda _: made),
        name_or_path=str(folder),
        local_files_only=True,
        tokens=tokens,
    )
    model.name_tokens([f"token {number}" for number in range(ROWS)])
    return model.eval()


def sequences(length: int, count: int = 3) -> Tensor:
    return torch.randint(ROWS, (count, length), generator=torch.Generator().manual_seed(length))


def counting(length: int) -> Positions:
    return Positions(torch.arange(length)[None], True)


@torch.no_grad()
def logits(model: HuggingFace, tokens: Tensor, positions: Positions | None = None) -> Tensor:
    return model.readout(model(tokens, positions or counting(tokens.shape[1])))


TABLE = {"encoding": "pretrained_table", "rows": 64}
