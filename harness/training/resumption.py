"""Chooses the checkpoint to resume from: the newest that is undamaged, of this training, and can be loaded.

An unusable one is skipped with a warning and the one before it is tried, so that no file in the folder, whatever it
holds, can stop a run from continuing.
"""

import copy
import hashlib
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as lightning
import torch
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pydantic import ValidationError
from pytorch_lightning.__version__ import version as lightning_version
from torch import Tensor

from harness.config.schema import Frozen
from harness.results.records import Count, Look, NotNegative, one_line
from harness.training.checkpoints import NAME, WRITTEN

log = logging.getLogger(__name__)

MOST_DIGITS = 18
"""Digits of a step; training could not have counted to a longer number."""


class TrainingHistory(Frozen):
    """What training has been through, kept in a checkpoint, so that totals are those of all its parts: the summed loss
    of ``count`` steps since the last report and the loss reported then, the seconds that led to the checkpoint, the
    steps that training was taken up from, and the CPU threads that each part had; the digest of the weights that it
    began with, where they are those of another run; what was right at each look at held-out examples; how many networks
    were trained as one program, the most where that changed.
    """

    total: float = 0.0
    count: Count = 0
    loss: float | None = None
    seconds: NotNegative = 0.0
    resumed_from: tuple[Count, ...] = ()
    threads: tuple[Count, ...] = ()
    initial: str = ""
    looks: tuple[Look, ...] = ()
    members: Count = 1


class Resumption(NamedTuple):
    """A checkpoint that has been read and checked."""

    path: Path
    step: int
    checkpoint: dict[str, Any]


class _Unusable(Exception):
    """Why a checkpoint cannot be used: the words after "is"."""


def newest(
    folder: Path,
    training: str,
    module: lightning.LightningModule,
    steps: int,
    callbacks: Sequence[lightning.Callback] = (),
) -> Resumption | None:
    """The newest checkpoint in a folder that ``module`` can go on from to ``steps``, with what ``callbacks`` keep in
    it; ``training`` is the name of its training. Others that are newer are named in a warning.
    """
    for path in _newest_first(folder):
        try:
            step, checkpoint = _read(path)
            if checkpoint.get("training") != training:
                whose = checkpoint.get("training", "an unnamed training, as in earlier versions")
                raise _Unusable(f"one of {one_line(whose)[:200]}, not of {training},")
            if not 0 < step <= steps or checkpoint.get("global_step") != step:
                raise _Unusable("not that of its step")
            return Resumption(path, step, _checked(checkpoint, module, step, callbacks))
        except _Unusable as what:
            log.warning("%s is %s and left aside", one_line(path), what)
        except OSError as error:
            log.warning("%s is unreadable (%s) and left aside", one_line(path), error.strerror)
    return None


def _newest_first(folder: Path) -> list[Path]:
    """The files that could be checkpoints, the newest first; those whose step is unknown before all others."""

    def key(path: Path) -> tuple[bool, int, float]:
        match = NAME.fullmatch(path.name)
        known = match is not None and len(match["step"]) <= MOST_DIGITS
        return not known, int(match["step"]) if match and known else 0, path.lstat().st_mtime

    return sorted(folder.glob("step-*.ckpt"), key=key, reverse=True)


def _read(path: Path) -> tuple[int, dict[str, Any]]:
    """The step in the name of a checkpoint and its content: data only, never code."""
    match = NAME.fullmatch(path.name)
    if match is None or len(match["step"]) > MOST_DIGITS:
        raise _Unusable("not called as a checkpoint is, step-<step>.<digest>.ckpt,")
    if path.is_symlink() and not path.exists():
        raise _Unusable("a link that points nowhere")
    if not path.is_file():
        raise _Unusable("not a file")
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest()[:16] != match["digest"]:
            raise _Unusable("damaged")
        file.seek(0)
        try:
            checkpoint = torch.load(file, map_location="cpu", weights_only=True)
        except Exception as error:  # depends on the content
            raise _Unusable(f"not what PyTorch can load ({type(error).__name__})") from error
    if not isinstance(checkpoint, dict):
        raise _Unusable("not a checkpoint")
    return int(match["step"]), checkpoint


def _checked(
    checkpoint: dict[str, Any],
    module: lightning.LightningModule,
    step: int,
    callbacks: Sequence[lightning.Callback],
) -> dict[str, Any]:
    """What Lightning and :class:`harness.training.monitor.TrainingMonitor` need of a checkpoint, found to be as they
    would write it.
    """
    if checkpoint.get("pytorch-lightning_version") != lightning_version:
        raise _Unusable(f"not of PyTorch Lightning {lightning_version}")
    configured: Any = module.configure_optimizers()
    optimizer, schedule = configured["optimizer"], configured["lr_scheduler"]["scheduler"]
    moments = _optimizer_state(module)
    reference = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        plugins=[LightningEnvironment()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    expected: dict[str, Any] = {
        "state_dict": module.state_dict(),
        "optimizer_states": [{**optimizer.state_dict(), "state": moments}],
        "lr_schedulers": [schedule.state_dict()],
        "loops": {"fit_loop": reference.fit_loop.state_dict()},
    }
    found: dict[str, Any] = {key: checkpoint.get(key) for key in expected}
    try:
        found["loops"] = {"fit_loop": checkpoint["loops"]["fit_loop"]}
        used = found["optimizer_states"][0]["state"]  # a parameter that never had a gradient is not in it
        expected["optimizer_states"][0]["state"] = {n: moments.get(n) for n in used}
        TrainingHistory.model_validate(checkpoint["past"])
    except (KeyError, TypeError, LookupError, ValidationError) as error:
        raise _Unusable("incomplete") from error
    for key in expected:
        if _structure(found[key]) != _structure(expected[key]):
            raise _Unusable(f"not of this model and optimizer ({key})")
    reference.fit_loop.load_state_dict(found["loops"]["fit_loop"])
    if reference.global_step != step:
        raise _Unusable("not that of its step")
    kept = ("epoch", "global_step", "pytorch-lightning_version", "past")
    return {**found, **{key: checkpoint.get(key) for key in kept}, **_of_callbacks(checkpoint, callbacks)}


def _of_callbacks(checkpoint: dict[str, Any], callbacks: Sequence[lightning.Callback]) -> dict[str, Any]:
    """What a checkpoint holds of these callbacks: their states, and what they have added to it."""
    states = checkpoint.get("callbacks")
    if not isinstance(states, dict):
        raise _Unusable("incomplete")
    added = {key: value for key, value in checkpoint.items() if key not in WRITTEN} if callbacks else {}
    names = [callback.state_key for callback in callbacks]
    return {**added, "callbacks": {name: states[name] for name in names if name in states}}


def _optimizer_state(module: lightning.LightningModule) -> dict[int, Any]:
    """The optimizer's state for each parameter, found by a step on a copy."""
    copied = copy.deepcopy(module)
    configured: Any = copied.configure_optimizers()
    for parameter in copied.parameters():
        parameter.grad = torch.zeros_like(parameter)
    configured["optimizer"].step()
    return configured["optimizer"].state_dict()["state"]


def _structure(value: Any) -> Any:
    """The types of values, and the shapes and types of tensors."""
    if isinstance(value, Tensor):
        return value.dtype, tuple(value.shape)
    if isinstance(value, Mapping):
        return {key: _structure(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_structure(one) for one in value]
    return "number" if type(value) in (int, float) else type(value)
