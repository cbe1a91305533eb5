"""Which tokens of a saved language model stand for those of a task."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from pretrained import ROWS, TRAINED, library, logits, ours
from support import component, layers

from harness.dimensions import Dimensions
from harness.models import huggingface_folder
from harness.models.huggingface import HuggingFace


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
    dimensions = Dimensions(*huggingface_folder.size(folder), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", dimensions)
    tokens = ["[PAD]", "[BOS]", "[SEP]", "[EOS]", *alphabet]
    model = HuggingFace(dimensions, len(tokens), layers(dimensions, lambda _: encoding), name_or_path=str(folder))
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
    dimensions = Dimensions(*huggingface_folder.size(tmp_path), train_tokens=TRAINED)
    encoding = component("encoding", "pretrained_rotary", dimensions)
    model = HuggingFace(
        dimensions, 9, layers(dimensions, lambda _: encoding), name_or_path=str(tmp_path), tokens="numbers"
    )
    with pytest.raises(ValueError, match="the network has 30 tokens, the task with its special ones 9"):
        model.name_tokens(["x"] * 9)
