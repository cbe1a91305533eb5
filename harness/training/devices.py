"""The device that a run computes on."""

import torch

from harness.config.schema import TrainerSettings
from harness.errors import Refused


def device(where: TrainerSettings) -> torch.device:
    """The device of rank 0. Raises :class:`Refused` if a GPU is requested and there is none."""
    if where.accelerator == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        if where.devices > torch.cuda.device_count():
            raise Refused(f"trainer.devices={where.devices}: this machine has {torch.cuda.device_count()} GPUs")
        return torch.device("cuda", 0)
    if where.accelerator == "gpu":
        raise Refused("trainer=gpu: PyTorch sees no GPU here; trainer=cpu works everywhere")
    return torch.device("cpu")
