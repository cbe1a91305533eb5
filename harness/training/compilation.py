"""Whether the network is compiled for training (``trainer.compile``).

The compiler fuses what PyTorch otherwise computes one operation at a time, and changes results by rounding only. It
takes about a minute where its cache is cold, once for each shape of a batch. So batches are padded to a few widths, and
``auto`` compiles only where the steps of the run are expected to save more. That is decided from the size of the run,
never from the clock: the same run gives the same bits, also where it is resumed.
"""

import os
import shutil
from collections.abc import Callable

import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.config.schema import Run
from harness.errors import Refused
from harness.models.base import Model

Forward = Callable[[Tensor, Positions], Tensor]

WIDTHS = 4
"""The most widths of batches, each of which is compiled."""
RATE = {"cpu": 1e11, "cuda": 2e13}
"""Operations per second that a step reaches without the compiler at most, on one core or one GPU: on a core, what
matrix products alone reach.
"""
GAIN = 0.05
"""The share of a step that compiling saves at least: measured on a CPU, 0.1 in float32 and 0.05 in bfloat16."""
SECONDS = 60.0
"""What the compiler takes for one width where its cache is cold."""


def width_multiple(run: Run, model: Model, widest: int, device: str) -> int:
    """The number that the width of every batch is padded to a multiple of, for a network that is to be compiled; 0 for
    one that is not. ``widest`` is the largest width.

    Raises :class:`Refused` if compiling is asked for and impossible.
    """
    if run.trainer.compile == "false":
        return 0
    objection = _objection(model, device)
    if run.trainer.compile == "true":
        if objection:
            raise Refused(f"trainer.compile=true: {objection}: use trainer.compile=auto or false")
    elif objection or not _pays(run.train.steps * run.train.batch * widest, model, device):
        return 0
    return max(8, -(-widest // WIDTHS))


def compiled(model: Model) -> Forward:
    """The forward pass of a network, compiled at the first batch of each width. The network itself stays as it is."""
    forward: Forward = torch.compile(model.forward, dynamic=False)
    return forward


def _objection(model: Model, device: str) -> str:
    compiler = os.environ.get("CXX", "g++")
    if device == "cpu" and shutil.which(compiler) is None:
        return f"PyTorch compiles for the CPU with the C++ compiler {compiler}, which is not installed"
    if not all(encoding.prefix_consistent for encoding in model.encodings()):
        return "batches would be padded to a few widths, and this encoding depends on the width"
    return ""


def _pays(tokens: int, model: Model, device: str) -> bool:
    parameters = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    seconds = 6 * parameters * tokens / RATE[device]
    return GAIN * seconds > WIDTHS * SECONDS
