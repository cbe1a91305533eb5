"""Report what a run would use: versions, devices, packages known to be faulty, disk, wandb."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import NamedTuple

import harness
from harness.composition.arguments import Parser, path
from harness.config import own_choices
from harness.errors import Refused
from harness.loggers.wandb import logged_in
from harness.system import processors
from harness.system.provenance import installed

SUPPORTED = ((3, 11), (3, 14))
OLDEST = {"torch": (2, 10), "pytorch-lightning": (2, 6, 6), "hydra-core": (1, 3, 8)}
OTHERS = (
    *("numpy", "pandas", "scipy", "matplotlib", "pydantic", "rich", "safetensors"),
    *("wandb", "tensorboard", "tokenizers", "transformers", "datasets", "pyarrow", "lm-eval", "submitit", "ray"),
)
"""Packages whose versions are named."""
ROOM = 2**30
"""Free disk space that a run should have, in bytes."""


class Finding(NamedTuple):
    """One line: what was checked, what was found, and advice if something is wrong."""

    what: str
    found: str
    advice: str = ""


def main(arguments: list[str]) -> int:
    """Print the findings; the exit code is 1 if something is wrong."""
    parser = Parser(prog="python -m harness doctor", description=__doc__)
    parser.add_argument("--results", type=path, default=Path("results"), help="folder that runs would write to")
    parsed = parser.read(arguments)
    findings = [*_python(), *_packages(), *_devices(), *_disk(parsed.results), *_trackers(), *_own()]
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        mark = "bad " if finding.advice else "ok  "
        print(f"{mark}{finding.what:<{width}}  {finding.found}" + (f": {finding.advice}" if finding.advice else ""))
    return 1 if any(finding.advice for finding in findings) else 0


def _python() -> Iterator[Finding]:
    good = SUPPORTED[0] <= sys.version_info[:2] < SUPPORTED[1]
    yield Finding("harness", f"{harness.__version__} in {Path(harness.__file__).parent}")
    yield Finding("python", platform.python_version(), "" if good else "3.11, 3.12 and 3.13 are supported")


def _packages() -> Iterator[Finding]:
    for name, oldest in OLDEST.items():
        found = installed(name)
        numbers = tuple(int(part) for part in found.split("+")[0].split(".") if part.isdigit())
        wanted = ".".join(map(str, oldest))
        yield Finding(
            name,
            found or "missing",
            "" if numbers >= oldest else f"install {name}>={wanted}; older versions can run code from files they load",
        )
    for name in OTHERS:
        yield Finding(name, installed(name) or "not installed")
    names = {(distribution.metadata["Name"] or "").lower() for distribution in distributions()}
    if "lightning" in names:
        version = installed("lightning")
        if version in ("2.6.2", "2.6.3"):
            yield Finding(
                "lightning",
                version,
                "this release was malicious (GHSA-w37p-236h-pfx3): uninstall it and change your keys",
            )
        elif version != installed("pytorch-lightning"):
            yield Finding(
                "lightning",
                version,
                "it differs from pytorch-lightning: install the same version of both, or only pytorch-lightning",
            )
    if "torchvision" in names:
        try:
            import torchvision  # type: ignore[import-not-found,unused-ignore]  # noqa: F401
        except Exception as error:  # it breaks Lightning in many ways
            yield Finding(
                "torchvision",
                installed("torchvision"),
                f"it does not fit this torch ({error}): uninstall it or install the one that fits",
            )


def _devices() -> Iterator[Finding]:
    import torch

    yield Finding("cpu", f"{processors.available()} cores, {torch.get_num_threads()} threads for one run")
    if not torch.cuda.is_available():
        yield Finding("gpu", "none that PyTorch sees: trainer=auto uses the CPU")
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        yield Finding(f"gpu {number}", f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB")


def _disk(results: Path) -> Iterator[Finding]:
    existing = next(folder for folder in (results.absolute(), *results.absolute().parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    yield Finding(
        "disk", f"{free / 2**30:.1f} GiB free for {results}", "" if free >= ROOM else "a run may not be able to save"
    )
    if not existing.is_dir():
        yield Finding("results", str(results), f"{existing} is no folder: choose another with results=...")
    elif not os.access(existing, os.W_OK):
        yield Finding("results", str(results), "this folder cannot be written to: choose another with results=...")
    yield from _temporary(results, existing)


def _temporary(results: Path, existing: Path) -> Iterator[Finding]:
    """Where temporary files lie, beside where checkpoints are written."""
    folder = Path(tempfile.gettempdir())
    kinds = [_file_system(place) for place in (folder, existing)]
    same = folder.stat().st_dev == existing.stat().st_dev
    free = shutil.disk_usage(folder).free
    said = f"{folder} ({kinds[0]}), {free / 2**30:.1f} GiB free"
    beside = f"on the file system of {results}" if same else f"{results}, with checkpoints, is on another ({kinds[1]})"
    advice = "" if free >= ROOM else "set TMPDIR to a folder with more room"
    yield Finding("temporary files", f"{said}; {beside}", advice)


def _file_system(place: Path) -> str:
    """The kind of the file system of a folder, as Linux names it: ext4, tmpfs, nfs4."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except OSError:
        return "unknown kind"
    here = str(place.resolve())
    above = [mount for mount in mounts if here == mount[1] or here.startswith(f"{mount[1].rstrip('/')}/")]
    return max(above, key=lambda mount: len(mount[1]))[2] if above else "unknown kind"


def _own() -> Iterator[Finding]:
    """Where choices of the user's own come from."""
    try:
        own = own_choices.find()
    except Refused as refusal:
        yield Finding("own choices", "they cannot be used", str(refusal))
        return
    said = "; ".join(source.named_by for source in own.sources) or "none"
    yield Finding("own choices", said + (f" (packages {', '.join(own.packages)})" if own.packages else ""))


def _trackers() -> Iterator[Finding]:
    mode = os.environ.get("WANDB_MODE")
    if mode:
        yield Finding("wandb mode", f"{mode} (from WANDB_MODE; logger=wandb; off otherwise)")
        return
    found = "online: you are logged in" if logged_in() else "offline: you are not logged in"
    yield Finding("wandb mode", f"{found} (logger=wandb; off otherwise)")
