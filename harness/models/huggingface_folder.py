"""A network saved in a folder in the format of Hugging Face's library: what can be known of it without loading it.

Nothing in a folder is ever executed: weights are read from safetensors files only, and a folder that wants its own
Python code to be run is refused. Neither PyTorch nor the library is imported here.
"""

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from harness.files import reading

WIDTH, HEADS, LAYERS = ("hidden_size", "n_embd"), ("num_attention_heads", "n_head"), ("num_hidden_layers", "n_layer")
"""What families of networks call their sizes."""

CONTEXT = ("max_position_embeddings", "n_positions")
"""What families call the number of tokens that a network was made for."""

CHUNK = 2**22
"""Bytes of weights that are digested at once."""


class Dimensions(NamedTuple):
    """The sizes of a network: width of the residual stream, attention heads, blocks."""

    dimension: int
    heads: int
    layers: int


@cache
def folder(name_or_path: str, revision: str, local_files_only: bool) -> Path:
    """The folder called ``name_or_path``, or the local copy of the repository of that name on the Hugging Face Hub.

    A repository is downloaded at most once, its JSON and safetensors files only, and not with ``local_files_only``.
    Raises :class:`ValueError` where there is neither, or where it is not a network that can be read safely.
    """
    if not name_or_path:
        raise ValueError("name_or_path is empty: name a folder with config.json and *.safetensors, or a repository")
    path = Path(name_or_path).expanduser()
    if not path.is_dir():
        if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", name_or_path):
            raise ValueError(f"name_or_path={name_or_path}: there is no such folder")
        path = _downloaded(name_or_path, revision, local_files_only)
    _check_code(path)
    if quantized := config(path).get("quantization_config"):
        kind = quantized.get("quant_method", "some method") if isinstance(quantized, dict) else quantized
        raise ValueError(f"{path}: its weights are quantised ({kind}), which is not computed here: use the full ones")
    return path


def config(path: Path) -> dict[str, Any]:
    """What ``config.json`` says. Raises :class:`ValueError` if there is none or it is not a JSON object."""
    try:
        content = json.loads(reading.read_whole(path / "config.json", reading.LARGEST_CONFIG))
    except OSError as error:
        raise ValueError(f"{path} has no config.json: it is not a network that Hugging Face's library saved") from error
    except ValueError as error:
        raise ValueError(f"{path / 'config.json'} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path / 'config.json'} is not a JSON object")
    return content


def check_weights(path: Path) -> None:
    """Raise :class:`ValueError` unless there are weights in a safetensors file."""
    if not _weights(path):
        pickled = sorted(file.name for file in path.iterdir() if file.suffix in (".bin", ".pt", ".pth", ".ckpt"))
        raise ValueError(
            f"{path} has no *.safetensors"
            + (f" but {pickled[0]}, and reading that could run code: save it as safetensors" if pickled else "")
            + (" (weights=drawn needs none)" if not pickled else "")
        )


def size(path: Path) -> Dimensions:
    """The sizes that ``config.json`` states. Raises :class:`ValueError` where it does not."""
    content = config(path)

    def number(names: tuple[str, ...]) -> int:
        found = next((content[name] for name in names if name in content), None)
        if type(found) is not int or found < 1:
            raise ValueError(f"{path / 'config.json'} states no {names[0]}: {_other_kind(content)}")
        return found

    return Dimensions(number(WIDTH), number(HEADS), number(LAYERS))


def _other_kind(content: dict[str, Any]) -> str:
    """What a configuration is that has no sizes of its own."""
    if inside := sorted(key for key in content if key.endswith("_config") and isinstance(content[key], dict)):
        return f"it holds several networks ({', '.join(inside)}), and only plain language models are read"
    return "it is not a plain language model"


def context(path: Path) -> int | None:
    """The tokens that the network was made for, if ``config.json`` states it."""
    content = config(path)
    found = next((content[name] for name in CONTEXT if name in content), None)
    return found if type(found) is int and found > 0 else None


def has_table(path: Path) -> bool:
    """Whether positions are a table of vectors, as GPT-2's, and not a rotary embedding."""
    content = config(path)
    return "n_positions" in content and not any("rope" in key or "rotary" in key for key in content)


@cache
def fingerprint(path: Path) -> str:
    """A digest of the configuration, the tokenizer and the weights. Where they lie does not enter it."""
    digest = hashlib.sha256()
    for file in [path / "config.json", path / "tokenizer.json", *_weights(path)]:
        if file.exists():
            digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
            with file.open("rb") as opened:
                while chunk := opened.read(CHUNK):
                    digest.update(chunk)
    return digest.hexdigest()[:16]


def _weights(path: Path) -> list[Path]:
    return sorted(path.glob("*.safetensors"))


def _check_code(path: Path) -> None:
    if config(path).get("auto_map"):
        raise ValueError(
            f"{path / 'config.json'} has auto_map: it wants Python code of its own to be run, which is never done; "
            "use a network whose code is part of the library"
        )


def _downloaded(name: str, revision: str, local_files_only: bool) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ValueError(
            f"name_or_path={name}: there is no such folder, and to look for it on the Hugging Face Hub the library "
            "transformers is needed: pip install 'length-generalization-harness[huggingface]'"
        ) from None
    patterns = ["*.json", "*.safetensors"]
    try:
        return Path(
            snapshot_download(name, revision=revision, allow_patterns=patterns, local_files_only=local_files_only)
        )
    except Exception as error:  # the library and the network raise what they like
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        where = "among downloaded repositories" if local_files_only else "on the Hugging Face Hub"
        raise ValueError(
            f"name_or_path={name}: there is no such folder, and it was not found {where}: {reason}"
        ) from error
