"""Slots: parts of this machine, each for one run at a time. Nothing here needs PyTorch."""

import os
import shutil
import site
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from harness.config.catalogue import CONF
from harness.config.schema import Run
from harness.errors import Refused
from harness.system import distributed, processors


class Slot(NamedTuple):
    """GPUs, if there are any, and CPU threads for one run."""

    gpus: tuple[str, ...]
    threads: int


def for_run(run: Run, count: int = 0, threads: int = 0, per_gpu: int = 1) -> list[Slot]:
    """The slots for runs like this one: so many on each GPU, or one per CPU core without GPUs, unless their ``count``
    is given; with so many ``threads`` each, 0 for an equal part of the cores.

    Raises :class:`Refused` if one run needs more GPUs than there are.
    """
    check_devices(run)
    cores = processors.available()
    gpus = [] if run.trainer.accelerator == "cpu" else visible_gpus()
    each = run.trainer.devices
    groups = [tuple(gpus[i : i + each]) for i in range(0, len(gpus) - each + 1, each)]
    if gpus and not groups:
        raise Refused(f"trainer.devices={each}: this machine has {len(gpus)} GPUs")
    count = count or len(groups) * per_gpu or max(1, cores // each)
    threads = threads or max(1, cores // count // each)
    return [Slot(groups[i % len(groups)] if groups else (), threads) for i in range(count)]


def check_devices(run: Run) -> None:
    """Raise :class:`Refused` if a run needs a GPU and there certainly is none."""
    if run.trainer.accelerator == "gpu" and _without_gpu():
        raise Refused("trainer=gpu: there is no GPU here that PyTorch could see; trainer=cpu works everywhere")


def _without_gpu() -> bool:
    """Whether this machine has no graphics device at all, or none that this process may see."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return True
    drivers = ("nvidia*", "nvhost*", "nvmap", "kfd", "dxg")  # NVIDIA, its boards, AMD, and Windows around Linux
    return sys.platform == "linux" and not any(any(Path("/dev").glob(driver)) for driver in drivers)


def visible_gpus() -> list[str]:
    """The GPUs of this machine that this process may use, found without loading PyTorch."""
    if (chosen := os.environ.get("CUDA_VISIBLE_DEVICES")) is not None:
        return [gpu.strip() for gpu in chosen.split(",") if gpu.strip() not in ("", "-1")]
    if shutil.which("nvidia-smi") is None:
        return []
    listed = subprocess.run(
        ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, timeout=30
    )
    return listed.stdout.split() if listed.returncode == 0 else []


def environment(slot: Slot) -> dict[str, str]:
    """The environment of a run: without variables of other processes, with its own devices, and set up to run this copy
    of the program whatever the working folder holds.
    """
    environment = {**own_environment(), "OMP_NUM_THREADS": str(slot.threads)}
    if slot.gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(slot.gpus)
    return environment


def own_environment() -> dict[str, str]:
    """The environment of a process that runs this copy of the program, whatever the working folder holds."""
    environment = distributed.without_launcher_variables(os.environ)
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    root = str(CONF.parent)
    if root not in (*paths, *site.getsitepackages()):
        paths.append(root)
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    environment["PYTHONSAFEPATH"] = "1"
    return environment
