"""Quick runs from the shell, and what they leave."""

import contextlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from support import QUICK

from harness.results import records

Command = Callable[..., subprocess.CompletedProcess[str]]
TINY = (*QUICK, "lengths.train=6", "lengths.test=12")


def only_record(folder: Path) -> records.Record:
    (path,) = (folder / "results" / "records").glob("*.json")
    return records.read(path)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = (folder / "results" / "runs").glob("*/weights.safetensors")
    return load_file(path)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def alive(folder: Path) -> list[str]:
    """Processes of runs in this folder."""
    listed = subprocess.run(["ps", "-eo", "pid,comm,args"], capture_output=True, text=True, check=True).stdout
    own = [line for line in listed.splitlines() if "harness --job" in line]
    found = []
    for line in own:
        with contextlib.suppress(FileNotFoundError):  # it has just ended
            if os.path.realpath(f"/proc/{line.split()[0]}/cwd") == str(folder.resolve()):
                found.append(line)
    return found
