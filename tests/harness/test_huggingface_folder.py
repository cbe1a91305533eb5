"""Folders with saved networks: what is refused, and what makes two of them the same."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from support import environment

from harness.config import identity, instantiation, origins
from harness.config.schema import Run
from harness.errors import Refused
from harness.models import huggingface_folder

Compose = Callable[..., Run]
CONFIG = {"model_type": "llama", "hidden_size": 32, "num_attention_heads": 4, "num_hidden_layers": 2, "vocab_size": 30}


def network(folder: Path, number: float = 1.0, **changes: object) -> Path:
    """A folder that looks like a network to all that does not load it."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    save_file({"weight": np.full(3, number, np.float32)}, folder / "model.safetensors")
    return folder


def chosen(folder: Path | str, *more: str) -> list[str]:
    architecture = ["architecture=huggingface", f"architecture.name_or_path='{folder}'", "encoding=pretrained_rotary"]
    return [*architecture, *more]


def ids(run: Run) -> tuple[str, str]:
    task = instantiation.task(run)
    return identity.training_name(run, task), identity.run_name(run, task)


def test_a_run_is_what_lies_in_the_folder_and_not_where(composed: Compose, tmp_path: Path) -> None:
    first = network(tmp_path / "here")
    copy = shutil.copytree(first, tmp_path / "elsewhere" / "copy")
    other = network(tmp_path / "trained", number=2.0)
    scaled = network(tmp_path / "scaled", rope_theta=500000.0)
    here = ids(composed(*chosen(first)))
    assert ids(composed(*chosen(copy, "architecture.local_files_only=true"))) == here
    for different in (other, scaled):
        training, run = ids(composed(*chosen(different)))
        assert training != here[0]
        assert run != here[1]
    assert ids(composed(*chosen(first, "architecture.weights=drawn")))[0] != here[0]
    assert ids(composed(*chosen(first, "architecture.tokens=fresh")))[0] != here[0]


def test_a_tokenizer_is_part_of_a_network(tmp_path: Path) -> None:
    without, with_one = network(tmp_path / "a"), network(tmp_path / "b")
    (with_one / "tokenizer.json").write_text("{}")
    assert huggingface_folder.fingerprint(without) != huggingface_folder.fingerprint(with_one)


@pytest.mark.parametrize(
    "names", [("hidden_size", "num_attention_heads", "num_hidden_layers"), ("n_embd", "n_head", "n_layer")]
)
def test_the_size_of_a_run_is_that_of_the_network(composed: Compose, tmp_path: Path, names: tuple[str, ...]) -> None:
    folder = tmp_path / "network"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(dict(zip(names, (48, 6, 5), strict=True))))
    run = composed(*chosen(folder, "model=nano"))
    assert (run.model.dimension, run.model.heads, run.model.layers) == (48, 6, 5)
    assert run.presets["model"] == "saved"


def test_what_cannot_be_read_safely_is_refused_in_a_line(composed: Compose, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{")
    remote = network(tmp_path / "remote", auto_map={"AutoModelForCausalLM": "modeling_x.X"})
    vague = network(tmp_path / "vague", hidden_size=None)
    for name, message in {
        "": "name_or_path is empty",
        str(tmp_path / "nowhere"): "there is no such folder",
        "./nowhere": "there is no such folder",
        str(empty): "has no config.json",
        str(broken): "is not JSON",
        str(remote): "wants Python code of its own to be run, which is never done",
        str(vague): "states no hidden_size",
    }.items():
        with pytest.raises(Refused, match=f"^architecture=huggingface: .*{message}") as refused:
            composed(*chosen(name))
        assert "\n" not in str(refused.value)


def test_weights_are_read_from_safetensors_only(tmp_path: Path) -> None:
    folder = network(tmp_path / "pickled")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"no \*\.safetensors but pytorch_model\.bin, and reading that could run code"):
        huggingface_folder.check_weights(folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ValueError, match=r"no \*\.safetensors \(weights=drawn needs none\)"):
        huggingface_folder.check_weights(folder)


def test_a_repository_that_is_not_here_is_refused_without_looking_elsewhere(composed: Compose) -> None:
    pytest.importorskip("huggingface_hub")
    with pytest.raises(Refused, match="it was not found among downloaded repositories"):
        composed(*chosen("nobody/no-such-network", "architecture.local_files_only=true"))


def test_what_belongs_to_a_saved_network_needs_one(composed: Compose, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"is what a saved network was trained with.* Possible: .*huggingface"):
        composed("encoding=pretrained_rotary")
    with pytest.raises(Refused, match=r"^train\.steps=0: .*Only a saved network can be tested as it is: .*huggingface"):
        composed("train.steps=0")
    assert composed(*chosen(network(tmp_path / "network"), "train.steps=0")).train.steps == 0


def test_lengths_beyond_a_saved_table_are_refused_before_it_is_loaded(composed: Compose, tmp_path: Path) -> None:
    table = ["encoding=pretrained_table", "encoding.rows=64"]
    arguments = [*chosen(network(tmp_path / "network")), *table, "lengths.test=40"]
    with pytest.raises(Refused, match="encoding=pretrained_table knows 64 positions, but at length 35"):
        composed(*arguments)
    assert composed(*arguments, "extension=[truncate]").lengths.test == 40
    assert composed(*arguments, "extension=[hierarchical]").lengths.test == 40


def test_choosing_a_network_loads_nothing_heavy(tmp_path: Path) -> None:
    overrides = chosen(network(tmp_path / "network"))
    code = (
        "import sys\nfrom harness.config import identity, instantiation\n"
        "from harness.composition.compose import composer\n"
        f"with composer() as hydra:\n    run = hydra.run({overrides!r})\n"
        "identity.run_name(run, instantiation.task(run))\nprint(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    assert not {"torch", "transformers", "huggingface_hub", "tokenizers", "pytorch_lightning"} & set(
        done.stdout.split()
    )


def test_a_saved_network_is_extended_from_what_its_configuration_says(composed: Compose, tmp_path: Path) -> None:
    folder = network(tmp_path / "network", max_position_embeddings=16)
    further = ("train_extension=yarn", "lengths.train=20", "task=copy")
    run = composed(*chosen(folder, *further))
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    (said,) = origins.extended(run, task, layout)
    assert (said.trained, said.target) == (16, 42)
    stated = composed(*chosen(folder, *further, "lengths.original=10"))
    (said,) = origins.extended(stated, task, layout)
    assert (said.trained, said.target) == (22, 42)
    plain = composed(*chosen(folder, "task=copy", "lengths.train=20"))
    assert origins.original_tokens(plain, task, layout) is None
    assert len({ids(each) for each in (run, stated, plain)}) == 3
    silent = network(tmp_path / "silent")
    with pytest.raises(Refused, match=r"a saved network with lengths\.original"):
        composed(*chosen(silent, *further))
