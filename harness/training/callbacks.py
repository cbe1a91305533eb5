"""Callbacks of the user's own, which Lightning calls while a network trains."""

import contextlib
import io
from typing import Any

import pytorch_lightning as lightning
import torch

from harness.config import instantiation
from harness.config.schema import Run
from harness.config.trainer_arguments import ALWAYS, silence_lightning
from harness.errors import Refused, one_line


def made(run: Run) -> list[lightning.Callback]:
    """The callbacks of a run, in the order in which they are called. Raises :class:`Refused` for one that cannot be
    made or that Lightning objects to, and for a state that no checkpoint can hold.
    """
    chosen = {name: instantiation.make("callbacks", component, run) for name, component in run.callbacks.items()}
    if not chosen:
        return []
    silence_lightning()
    try:
        lightning.Trainer(**ALWAYS, callbacks=[*chosen.values()], accelerator="cpu", devices=1)
    except Exception as error:  # it raises whatever it likes
        listed = ",".join(chosen)
        raise Refused(f"callbacks=[{listed}]: Lightning objects: {error or type(error).__name__}") from error
    for name, callback in chosen.items():
        state: dict[str, Any] = {}
        with contextlib.suppress(Exception):  # it may have none before training has begun
            state = callback.state_dict()
        if objection := unkept({callback.state_key: state}):
            raise Refused(f"callbacks={name}: {objection}")
    return [*chosen.values()]


def unkept(states: dict[Any, Any]) -> str:
    """Why a checkpoint cannot hold states, by the names that Lightning has for them; empty if it can. What is read back
    must be data: reading a checkpoint runs no code.
    """
    for name, state in states.items():
        content = io.BytesIO()
        try:
            torch.save({name: state}, content)
            content.seek(0)
            torch.load(content, map_location="cpu", weights_only=True)
        except Exception as error:  # whatever pickling makes of an object
            return (
                f"a checkpoint cannot hold the state of {one_line(name)}: it must be made of numbers, text, lists, "
                f"dictionaries and tensors ({type(error).__name__})"
            )
    return ""
