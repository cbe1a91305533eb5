"""Saved language models compute what transformers computes, or are refused."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from pretrained import (
    LLAMA3,
    ROWS,
    SCALED,
    TABLE,
    TRAINED,
    YARN,
    counting,
    library,
    logits,
    ours,
    sequences,
)
from support import component, layers

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.models import huggingface_folder
from harness.models.huggingface import HuggingFace


@torch.no_grad()
@pytest.mark.parametrize(
    ("family", "config", "encoding"),
    [
        ("Llama", {"num_key_value_heads": 2}, {}),
        ("Llama", {"rope_parameters": LLAMA3}, {}),
        ("Llama", {"rope_parameters": YARN}, {}),
        ("Llama", {"tie_word_embeddings": True, "attention_bias": True}, {}),
        ("Mistral", {"num_key_value_heads": 2, "sliding_window": None}, {}),
        ("Qwen2", {"num_key_value_heads": 2}, {}),
        ("Qwen3", {"num_key_value_heads": 2, "head_dim": 16}, {}),
        ("Gemma", {"num_key_value_heads": 1, "head_dim": 8}, {}),
        ("Olmo2", {}, {}),
        ("Phi3", {}, {}),
        ("GPTNeoX", {"rotary_pct": 0.5}, {}),  # a part of every head turns
        ("Cohere", {"logit_scale": 1.0}, {}),  # neighbouring channels turn together
        ("GPT2", {}, TABLE),
        ("GPT2", {"scale_attn_by_inverse_layer_idx": True}, TABLE),
    ],
    ids=str,
)
def test_a_network_computes_what_the_library_computes(
    tmp_path: Path, family: str, config: dict[str, Any], encoding: dict[str, Any]
) -> None:
    network = library(family, **config)
    tokens = sequences(60)
    assert torch.allclose(logits(ours(network, tmp_path, **encoding), tokens), network(tokens).logits, atol=1e-4)


@torch.no_grad()
def test_positions_are_those_that_are_told(tmp_path: Path) -> None:
    told = torch.tensor([[0, 3, 4, 9, 20, 21, 40, 47]])
    for name, family, encoding in (("a", "Llama", {}), ("b", "GPT2", TABLE)):
        network = library(family)
        model = ours(network, tmp_path / name, **encoding)
        expected = network(sequences(8, 1), position_ids=told).logits
        assert torch.allclose(logits(model, sequences(8, 1), Positions(told, False)), expected, atol=1e-4)
        assert not torch.allclose(logits(model, sequences(8, 1)), expected, atol=1e-2)


@torch.no_grad()
def test_another_encoding_takes_the_place_of_the_networks_own(tmp_path: Path) -> None:
    """Without a position encoding: as if every token stood at position 0."""
    network = library("Llama")
    expected = network(sequences(20), position_ids=torch.zeros(3, 20, dtype=torch.long)).logits
    assert torch.allclose(logits(ours(network, tmp_path / "a", "nope"), sequences(20)), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("family", "config", "message"),
    [
        (
            "Mistral",
            {"num_key_value_heads": 4, "sliding_window": 4096},
            "attention to the last tokens alone .sliding_window=4096",
        ),
        ("Llama", {"rope_parameters": {**SCALED, "rope_type": "dynamic", "factor": 2.0}}, "rope_type dynamic changes"),
        ("Cohere", {"logit_scale": 0.0625}, "does not compute what transformers computes"),
        ("Bloom", {"n_layer": 2, "n_head": 4}, "neither one rotary embedding nor a table"),
        (
            "Gemma2",
            {"num_key_value_heads": 4, "head_dim": 8},
            "attention to the last tokens alone .sliding_window=4096",
        ),
    ],
)
def test_a_network_that_does_more_is_refused_and_not_computed_wrongly(
    tmp_path: Path, family: str, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ours(library(family, **config), tmp_path / "network")


def test_the_encoding_must_be_the_networks_or_fit_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="use encoding=pretrained_rotary"):
        ours(library("Llama"), tmp_path / "a", "pretrained_table")
    with pytest.raises(ValueError, match=r"encoding\.rows=1024: the saved table has 64 rows"):
        ours(library("GPT2"), tmp_path / "b", "pretrained_table")
    with pytest.raises(ValueError, match="its heads have 16 channels and not 8"):
        ours(library("Qwen3", num_key_value_heads=4, head_dim=16), tmp_path / "c", "rope")
    with pytest.raises(ValueError, match="reads the input of every layer"):
        ours(library("Llama"), tmp_path / "d", "fox")


def test_code_of_a_network_is_never_run_and_pickles_are_never_read(tmp_path: Path) -> None:
    folder = tmp_path / "network"
    library("Llama").save_pretrained(folder)
    dimensions = Dimensions(*huggingface_folder.size(folder), train_tokens=TRAINED)
    own = layers(dimensions, lambda _: component("encoding", "pretrained_rotary", dimensions))

    torch.save({"weight": torch.zeros(3)}, folder / "pytorch_model.bin")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="reading that could run code"):
        HuggingFace(dimensions, ROWS, own, name_or_path=str(folder))
    (folder / "model.safetensors").write_bytes(weights)

    (folder / "modeling_trap.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "trap",
        "auto_map": {"AutoConfig": "modeling_trap.C", "AutoModelForCausalLM": "modeling_trap.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    huggingface_folder.folder.cache_clear()
    with pytest.raises(ValueError, match="wants Python code of its own to be run"):
        HuggingFace(dimensions, ROWS, own, name_or_path=str(folder))
    assert not (tmp_path / "sprung").exists()


def test_weights_that_are_missing_are_not_drawn(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "network"
    library("Llama").save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    dimensions = Dimensions(*huggingface_folder.size(folder), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", dimensions)
    with pytest.raises(ValueError, match=r"lack model\.layers\.1\.mlp\.up_proj\.weight"):
        HuggingFace(dimensions, ROWS, layers(dimensions, lambda _: encoding), name_or_path=str(folder))


def test_without_the_library_a_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library("Llama").save_pretrained(tmp_path / "network")
    dimensions = Dimensions(*huggingface_folder.size(tmp_path / "network"), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", dimensions)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"the library transformers is needed: pip install '.*\[huggingface\]'"):
        HuggingFace(dimensions, ROWS, layers(dimensions, lambda _: encoding), name_or_path=str(tmp_path / "network"))


def test_every_weight_of_the_network_is_trained(tmp_path: Path) -> None:
    for name, family, encoding in (("a", "Llama", {}), ("b", "GPT2", TABLE)):
        model = ours(library(family), tmp_path / name, **encoding).train()
        model.readout(model(sequences(60), counting(60))).logsumexp(-1).sum().backward()
        without = [key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
        assert not without
