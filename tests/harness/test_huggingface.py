"""Saved language models compute what transformers computes: as they are, and longer under every way to scale them."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from support import choices, component
from torch import Tensor

from harness.attention import Positions
from harness.encodings.base import Encoding
from harness.evaluation import extended
from harness.logits.standard import Standard
from harness.models import saved
from harness.models.huggingface import HuggingFace
from harness.shape import Shape

transformers = pytest.importorskip("transformers")

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


@pytest.fixture(autouse=True)
def quiet() -> None:
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


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
    shape = Shape(*saved.size(folder), train_tokens=TRAINED)
    made: Encoding = component("encoding", encoding, shape, **options)
    model = HuggingFace(
        shape, ROWS, lambda: (made, Standard(shape)), name_or_path=str(folder), local_files_only=True, tokens=tokens
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
        there = logits(reader, sequences(length))  # type: ignore[arg-type]
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


@pytest.mark.parametrize(
    ("family", "config", "message"),
    [
        ("Mistral", {"num_key_value_heads": 4, "sliding_window": 4096}, "its attention has sliding_window=4096"),
        ("Llama", {"rope_parameters": {**SCALED, "rope_type": "dynamic", "factor": 2.0}}, "rope_type dynamic changes"),
        ("Cohere", {"logit_scale": 0.0625}, "does not compute what transformers computes"),
        ("Bloom", {"n_layer": 2, "n_head": 4}, "neither one rotary embedding nor a table"),
        ("Gemma2", {"num_key_value_heads": 4, "head_dim": 8}, "its attention has sliding_window=4096"),
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
    shape = Shape(*saved.size(folder), train_tokens=TRAINED)
    layer = lambda: (component("encoding", "pretrained_rotary", shape), Standard(shape))  # noqa: E731

    torch.save({"weight": torch.zeros(3)}, folder / "pytorch_model.bin")
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="reading that could run code"):
        HuggingFace(shape, ROWS, layer, name_or_path=str(folder))
    (folder / "model.safetensors").write_bytes(weights)

    (folder / "modeling_trap.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "trap",
        "auto_map": {"AutoConfig": "modeling_trap.C", "AutoModelForCausalLM": "modeling_trap.M"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    saved.folder.cache_clear()
    with pytest.raises(ValueError, match="wants Python code of its own to be run"):
        HuggingFace(shape, ROWS, layer, name_or_path=str(folder))
    assert not (tmp_path / "sprung").exists()


def test_weights_that_are_missing_are_not_drawn(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "network"
    library("Llama").save_pretrained(folder)
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    shape = Shape(*saved.size(folder), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", shape)
    with pytest.raises(ValueError, match=r"lack model\.layers\.1\.mlp\.up_proj\.weight"):
        HuggingFace(shape, ROWS, lambda: (encoding, Standard(shape)), name_or_path=str(folder))


def test_without_the_library_a_line_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library("Llama").save_pretrained(tmp_path / "network")
    shape = Shape(*saved.size(tmp_path / "network"), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", shape)
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ValueError, match=r"the library transformers is needed: pip install '.*\[huggingface\]'"):
        HuggingFace(shape, ROWS, lambda: (encoding, Standard(shape)), name_or_path=str(tmp_path / "network"))


def words(folder: Path, names: Sequence[str]) -> None:
    """A tokenizer whose token i is called names[i]."""
    from tokenizers import Tokenizer, models

    vocabulary = {name: number for number, name in enumerate(names)}
    Tokenizer(models.WordLevel(vocabulary, unk_token=names[0])).save(str(folder / "tokenizer.json"))


NAMES = ["<unk>", "<s>", "</s>", "a", "b", "Ġ", "<0x0A>", *(f"other {n}" for n in range(ROWS - 7))]


def speaking(folder: Path, alphabet: Sequence[str]) -> tuple[Any, HuggingFace]:
    network = library("Llama")
    network.save_pretrained(folder)
    words(folder, NAMES)
    shape = Shape(*saved.size(folder), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", shape)
    tokens = ["[PAD]", "[BOS]", "[SEP]", "[EOS]", *alphabet]
    model = HuggingFace(shape, len(tokens), lambda: (encoding, Standard(shape)), name_or_path=str(folder))
    model.name_tokens(tokens)
    return network, model.eval()


@torch.no_grad()
def test_tokens_are_found_by_their_names(tmp_path: Path) -> None:
    network, model = speaking(tmp_path / "network", ["b", "a", "␣", "\\x0a", "unheard"])
    assert model.rows.tolist() == [0, 1, ROWS, 2, 4, 3, 5, 6, ROWS + 1]
    theirs = network(torch.tensor([[1, 3, 5, 6]])).logits
    here = logits(model, torch.tensor([[1, 5, 6, 7]]))
    assert torch.allclose(here[..., [3, 4, 5, 6, 7]], theirs[..., [2, 4, 3, 5, 6]], atol=1e-4)
    assert (here[..., :3] == -torch.inf).all(), "nothing asks for padding, a beginning or a separator"


@torch.no_grad()
def test_probabilities_are_those_of_the_library_over_the_whole_vocabulary(tmp_path: Path) -> None:
    """The end of text is a special token here and a word of the alphabet too; it counts once."""
    network, model = speaking(tmp_path / "network", NAMES)
    ids = torch.tensor([[1, 3, 9, 5, 20, 4, 29]])
    expected = network(ids, labels=ids).loss
    read = torch.cat([torch.tensor([[1]]), ids[:, 1:-1] + 4], dim=1)
    found = torch.nn.functional.cross_entropy(logits(model, read)[0], ids[0, 1:] + 4)
    assert torch.allclose(found, expected, atol=1e-5)


def test_a_vocabulary_of_its_own_is_drawn_anew_and_the_seed_decides_it(tmp_path: Path) -> None:
    network = library("GPT2")  # whose readout is its embedding
    drawn = []
    for number, seed in enumerate((0, 0, 1)):
        torch.manual_seed(seed)
        model = ours(network, tmp_path / str(number), "pretrained_table", rows=64, tokens="fresh")
        embedding = model.network.get_input_embeddings().weight
        assert embedding is model.network.get_output_embeddings().weight
        drawn.append(embedding.detach().clone())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], network.get_input_embeddings().weight)


def test_a_vocabulary_of_another_size_is_refused(tmp_path: Path) -> None:
    library("Llama").save_pretrained(tmp_path)
    shape = Shape(*saved.size(tmp_path), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", shape)
    model = HuggingFace(shape, 9, lambda: (encoding, Standard(shape)), name_or_path=str(tmp_path), tokens="numbers")
    with pytest.raises(ValueError, match="the network has 30 tokens, the task with its special ones 9"):
        model.name_tokens(["x"] * 9)


def test_every_weight_of_the_network_is_trained(tmp_path: Path) -> None:
    for name, family, encoding in (("a", "Llama", {}), ("b", "GPT2", TABLE)):
        model = ours(library(family), tmp_path / name, **encoding).train()
        model.readout(model(sequences(60), counting(60))).logsumexp(-1).sum().backward()
        without = [key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
        assert not without
