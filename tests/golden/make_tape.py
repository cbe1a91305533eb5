"""Two layers of TAPE's published code with random weights, forwards and backwards: the case of
tests/parity/test_tape.py. It is given the file models/llama/adape.py of github.com/VITA-Group/TAPE at commit 259cd848:

    pip install torch==2.13.0 transformers==5.23.0 numpy
    python tests/golden/make_tape.py adape.py

The classes named below are taken out of that file and run as they are, but that they compute in float64 where they go
down to float32. The rest of it needs an old version of transformers and a GPU.
"""

import ast
import json
import math
import random
import sys
import typing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN

CASE = Path(__file__).parent / "encodings" / "tape.npz"
NAMES = (
    "LlamaRMSNorm",
    "AdaRotaryEmbedding",
    "rotate_half",
    "apply_rotary_pos_emb",
    "LlamaMLP",
    "repeat_kv",
    "PELlamaAttention",
    "PELayer",
    "add_tuples",
    "LlamaDecoderLayer",
)
BATCH, LENGTH, HEADS, WIDTH, LAYERS, POSITION = 2, 10, 4, 32, 2, 12
CHANNELS = WIDTH // HEADS
CONFIG = SimpleNamespace(
    hidden_size=WIDTH,
    num_attention_heads=HEADS,
    num_key_value_heads=HEADS,
    intermediate_size=88,
    position_size=POSITION,
    hidden_act="silu",
    rms_norm_eps=1e-6,
    max_position_embeddings=64,
    pretraining_tp=1,
    use_flash_attention_2=False,
)


def published(path: str) -> dict[str, Any]:
    """The classes and functions of these names; of several definitions the last one, as in Python."""
    tree = ast.parse(Path(path).read_text())
    tree.body = [
        node for node in tree.body if getattr(node, "name", None) in NAMES and not isinstance(node, ast.Import)
    ]
    source = ast.unparse(tree).replace("torch.float32", "torch.float64").replace(".float()", ".double()")
    found: dict[str, Any] = {**vars(typing), "math": math, "random": random, "torch": torch, "nn": nn, "ACT2FN": ACT2FN}
    exec(compile(source, path, "exec"), found)
    return found


def exact(*shape: int) -> Tensor:
    """Random numbers that float16 holds."""
    return torch.randn(shape).half().double()


def main(path: str) -> None:
    code = published(path)
    torch.manual_seed(0)
    rotary = code["AdaRotaryEmbedding"](CHANNELS, HEADS, max_position_embeddings=64).eval()
    layers = nn.ModuleList(code["LlamaDecoderLayer"](CONFIG) for _ in range(LAYERS)).double().eval()
    with torch.no_grad():
        for name, parameter in layers.named_parameters():
            parameter.copy_((0.3 * torch.randn_like(parameter) + float("norm" in name)).half())
    x, direction = exact(BATCH, LENGTH, WIDTH).requires_grad_(), exact(BATCH, LENGTH, WIDTH)
    pull = exact(BATCH, HEADS, LENGTH, CHANNELS)

    mask = torch.full((LENGTH, LENGTH), torch.finfo(torch.float64).min, dtype=torch.float64).triu(1)
    where = torch.arange(LENGTH)
    hidden, carried = x, rotary(x, seq_len=LENGTH)
    outputs: dict[str, Tensor] = {}
    for number, layer in enumerate(layers):
        hidden, carried = layer(hidden, carried, attention_mask=mask.expand(BATCH, 1, -1, -1), position_ids=where[None])
        halves = [part.chunk(2, dim=-1) for part in carried]
        assert all(torch.equal(*half) for half in halves), "the code keeps every cosine and sine twice"
        once = torch.cat([half[0] for half in halves], dim=-1)
        outputs |= {f"hidden_{number}": hidden, f"carried_{number}": once}
    loss = (hidden * direction).sum() + (once * pull).sum()
    loss.backward()
    outputs |= {"loss": loss, "gradient_x": typing.cast(Tensor, x.grad)}
    outputs |= {f"gradient_{name}": typing.cast(Tensor, p.grad) for name, p in layers.named_parameters()}

    inputs = {"x": x.half(), "direction": direction.half(), "pull": pull.half(), "pos_q": where.int()}
    weights = {name: parameter.half() for name, parameter in layers.named_parameters()}
    roles = {**dict.fromkeys(inputs, "input"), **dict.fromkeys(weights, "param"), **dict.fromkeys(outputs, "output")}
    results = {name: value.float() for name, value in outputs.items()}
    arrays = {name: value.detach().numpy() for name, value in {**inputs, **weights, **results}.items()}
    meta = {
        "format": "golden-encodings/1",
        "case": "tape",
        "encoding": "tape",
        "family": "data dependent",
        "reference": {
            "package": "VITA-Group/TAPE",
            "version": "259cd848",
            "object": "models.llama.adape.LlamaDecoderLayer",
        },
        "hyper": {
            "num_heads": HEADS,
            "head_dim": CHANNELS,
            "layers": LAYERS,
            "position_size": POSITION,
            "rms_norm_eps": CONFIG.rms_norm_eps,
            "base": 10000,
        },
        "mode": "causal",
        "layout": "half",
        "definition": "carried_n [B,H,L,d]: cosines, then sines, each once, after layer n; hidden_n [B,L,D]; loss = "
        "sum(hidden_1 * direction) + sum(carried_1 * pull); gradient_NAME is that of the loss by a parameter, or by x",
        "arrays": {
            name: {"shape": list(value.shape), "dtype": str(value.dtype), "role": roles[name]}
            for name, value in arrays.items()
        },
        "tolerance": {
            name: {"atol": 1e-6 * float(value.detach().abs().max()), "rtol": 1e-5} for name, value in outputs.items()
        },
        "notes": "tests/golden/make_tape.py; computed in float64, stored in float32, weights and inputs in float16",
    }
    np.savez_compressed(CASE, meta=np.array(json.dumps(meta)), **arrays)


if __name__ == "__main__":
    main(sys.argv[1])
