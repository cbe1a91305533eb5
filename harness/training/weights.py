"""Trained weights as a safetensors file, which can be shared because reading it runs no code.

Its header holds the name and the result of the training, and a digest of these and of every tensor. All is checked
before any of it is loaded into a model.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialized
from torch import Tensor

from harness import atomic
from harness.errors import Refused
from harness.models.base import Model
from harness.results.records import Look, one_line
from harness.training.loop import TrainingResult


def save(model: Model, path: Path, trained: TrainingResult, training: str, parts: Path | None = None) -> None:
    """Write the weights with what training took. ``training`` is the name of the training
    (:func:`harness.config.identity.training_name`), ``parts`` those of its lease (:func:`harness.atomic.writing`).
    """
    tensors: dict[str, Tensor] = {}
    names: dict[tuple[object, ...], str] = {}
    same: dict[str, str] = {}
    for name, tensor in model.state_dict().items():
        place = (tensor.data_ptr(), tensor.shape, tensor.stride(), tensor.dtype, tensor.numel() or name)
        if names.setdefault(place, name) == name:
            tensors[name] = tensor.contiguous()
        else:  # a matrix with two names, such as embeddings tied to the readout, is written once
            same[name] = names[place]
    result = json.dumps(trained._asdict(), default=Look.model_dump)
    facts = {"training": training, "trained": result, "same": json.dumps(same)}
    facts["digest"] = _digest(tensors, facts)
    content = serialized(tensors, facts)  # the library's function for files would give them other permissions
    atomic.write(path, content, parts)


def load(model: Model, path: Path, training: str) -> TrainingResult:
    """Put the weights of a file into the model. Raises :class:`Refused` if the file is damaged or holds the weights of
    another training; the model is then as it was.
    """
    try:
        if not path.is_file():
            raise ValueError("it is not a file")
        with safe_open(path, framework="pt") as file:  # the tensors lie in the file and are not copied
            facts = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
        if "digest" not in facts:
            raise ValueError("no digest is in it, as in files of earlier versions")
        if facts.pop("digest") != _digest(tensors, facts):
            raise ValueError("its digest is not that of its content: it was damaged or changed")
        if facts["training"] != training:
            raise ValueError(f"it holds those of {one_line(facts['training'])[:200]}, not of {training}")
        tensors |= {name: tensors[kept] for name, kept in json.loads(facts["same"]).items()}
        if _structure(tensors) != _structure(model.state_dict()):
            raise ValueError("its tensors have other names or shapes")
        model.load_state_dict(tensors)
        trained = TrainingResult(**json.loads(facts["trained"]))
        return trained._replace(looks=tuple(Look.model_validate(look) for look in trained.looks))
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError, AttributeError) as error:
        reason = one_line(error)[:300] or type(error).__name__
        raise Refused(f"{path}: these are not the weights of this run ({reason})") from error


def digest(path: Path) -> str:
    """The digest that the header of a file of weights has, as :func:`load` has found it right."""
    with safe_open(path, framework="pt") as file:
        return str(dict(file.metadata())["digest"])


def _digest(tensors: dict[str, Tensor], facts: dict[str, str]) -> str:
    """A digest of the names, types, shapes and bytes of tensors and of the header."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(json.dumps([name, str(tensor.dtype), list(tensor.shape)]).encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _structure(tensors: dict[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
