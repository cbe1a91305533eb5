"""Trained weights as a safetensors file, which can be shared because reading it runs no code."""

import json
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_model, save_model

from harness import atomic
from harness.models.base import Model
from harness.suggest import Refused
from harness.training import Trained


def save(model: Model, path: Path, trained: Trained) -> None:
    """Write the weights with what training took."""
    with atomic.writing(path) as file:
        save_model(model, file.name, metadata={"trained": json.dumps(trained._asdict())})


def load(model: Model, path: Path) -> Trained:
    """Put the weights of a file into the model. Raises :class:`Refused` if the file is damaged or belongs to another
    model.
    """
    try:
        load_model(model, path)
        with safe_open(path, framework="pt") as file:
            return Trained(**json.loads(file.metadata()["trained"]))
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        reason = (str(error) or type(error).__name__).strip().splitlines()[0]
        raise Refused(f"{path}: these are not the weights of this run ({reason}); they are trained again") from error
