"""Saved language models read longer texts as transformers does under every way to scale them."""

from pathlib import Path

import pytest
import torch
from pretrained import LLAMA3, SCALED, TABLE, TRAINED, YARN, library, logits, ours, sequences
from support import choices, component

from harness.evaluation.scoring import extended


@torch.no_grad()
@pytest.mark.parametrize("test_tokens", [48, 128])
@pytest.mark.parametrize("extension", ["interpolate", "dynamic_ntk", "llama3", "yarn", "longrope"])
def test_extensions_are_the_librarys_scalings(tmp_path: Path, extension: str, test_tokens: int) -> None:
    """The same weights, once with our extension and once with the library's own configuration of that name."""
    scale = test_tokens / TRAINED
    long = [1.0 + number for number in range(4)]
    dynamic = {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 2.0}
    theirs = {
        "interpolate": {"rope_type": "linear", "rope_theta": 10000.0, "factor": scale},
        "dynamic_ntk": dynamic,
        "llama3": {**LLAMA3, "factor": scale},
        "yarn": {**YARN, "factor": scale},
        "longrope": {
            **SCALED,
            "rope_type": "longrope",
            "factor": scale,
            "short_factor": [1.0] * 4,
            "long_factor": long,
        },
    }[extension]
    network = library("Llama")
    model = ours(network, tmp_path / "network")
    other = library("Llama", rope_parameters=theirs)
    other.load_state_dict(network.state_dict())
    tokens = sequences(test_tokens)
    expected = other(tokens).logits
    chosen = component("extension", extension, **({"long": long} if extension == "longrope" else {}))
    plain = logits(model, tokens)
    with extended(model, chosen, TRAINED, test_tokens) as reader:
        scaled = logits(reader, tokens)
    assert torch.allclose(scaled, expected, atol=3e-4)
    assert not torch.allclose(plain, expected, atol=1e-2)
    assert torch.equal(logits(model, tokens), plain), "the network is left as it was"


@torch.no_grad()
def test_a_window_is_the_librarys_sliding_window(tmp_path: Path) -> None:
    network = library("Mistral", num_key_value_heads=4, sliding_window=None)
    windowed = library("Mistral", num_key_value_heads=4, sliding_window=8)
    windowed.load_state_dict(network.state_dict())
    windowed.set_attn_implementation("eager")
    model = ours(network, tmp_path / "network")
    with extended(model, component("extension", "window", size=8), TRAINED, 50) as reader:
        assert torch.allclose(logits(reader, sequences(50)), windowed(sequences(50)).logits, atol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("extension", choices("extension"))
def test_every_extension_that_fits_changes_the_last_tokens_and_leaves_the_first(tmp_path: Path, extension: str) -> None:
    made = component("extension", extension)
    table = made.needs == "table"
    network = library("GPT2" if table else "Llama")
    model = ours(network, tmp_path, **(TABLE if table else {}))
    length = 60
    plain = logits(model, sequences(length))
    with extended(model, made, 16, length) as reader:
        there = logits(reader, sequences(length))
    assert there.isfinite().all()
    assert torch.equal(plain, there) == (extension == "extrapolate")
    assert torch.allclose(plain[:, 0], there[:, 0], atol=1e-4), "the first token sees nothing but itself"


@torch.no_grad()
def test_truncation_reads_the_last_tokens_anew(tmp_path: Path) -> None:
    """The only way beyond a table that GPT-2's users have."""
    network = library("GPT2")
    model = ours(network, tmp_path / "network", "pretrained_table", rows=64)
    tokens = sequences(100)
    with extended(model, component("extension", "truncate"), TRAINED, 100) as reader:
        last = logits(reader, tokens)[:, -1]
    assert torch.allclose(last, network(tokens[:, -TRAINED:]).logits[:, -1], atol=1e-4)
