"""The provenance of a result: versions, code and hardware. Nothing about the user or the location."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from harness.system import checkout

PACKAGES = ("torch", "pytorch-lightning", "numpy", "hydra-core", "transformers", "tokenizers")


def collect(device: str = "cpu", threads: int | None = None, instructions: str | None = None) -> dict[str, Any]:
    """Versions, commit and hardware. ``device`` is the kind that computed, ``cpu`` or ``cuda``; ``threads`` and
    ``instructions`` (such as AVX2) what PyTorch used of the CPU, which rounding depends on.
    """
    return {
        "harness": installed("length-generalization-harness"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: installed(name) for name in PACKAGES} | {"torch": _torch()},
        "device": _gpu() if device == "cuda" else _cpu(),
        **({} if threads is None else {"threads": threads}),
        **({} if instructions is None else {"instructions": instructions}),
        **checkout.commit(),
    }


def now() -> str:
    """The time in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def installed(package: str) -> str:
    """The installed version of a package, empty if there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _torch() -> str:
    """PyTorch's version with its build, +cpu or +cu130, which the metadata of the ordinary wheel leaves out."""
    import torch

    return str(torch.__version__)


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def _gpu() -> str:
    import torch

    return torch.cuda.get_device_name()
