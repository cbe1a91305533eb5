"""The paths of a run's files in a folder of results.

``results/records/<name>.json`` is the record of a run; ``results/runs/<training name>/`` holds its weights, checkpoints
and log. Only this file defines these paths.
"""

import logging
import os
from pathlib import Path
from typing import NamedTuple

from harness import atomic

log = logging.getLogger(__name__)


class RunPaths(NamedTuple):
    """The paths of a run's files."""

    record: Path
    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / f"{self.record.stem.rpartition('-')[2]}.json"

    @property
    def log(self) -> Path:
        return self.config.with_suffix(".log")

    @property
    def checkpoints(self) -> Path:
        return self.folder / "checkpoints"

    @property
    def weights(self) -> Path:
        return self.folder / "weights.safetensors"

    @property
    def lock(self) -> Path:
        return self.folder / "lock"


def run_paths(results: str | Path, name: str, training_name: str) -> RunPaths:
    """The paths of a run with this record and this training."""
    return RunPaths(Path(results) / "records" / f"{name}.json", Path(results) / "runs" / training_name)


def make_room(paths: RunPaths) -> None:
    """Rename folders that occupy the paths of files to be written, and files that occupy those of folders: better now
    than after hours of training.
    """
    files = (paths.record, paths.config, paths.log, paths.weights)
    blocked = [path for path in files if path.is_dir()]
    if os.path.lexists(paths.checkpoints) and not paths.checkpoints.is_dir():
        blocked.append(paths.checkpoints)
    for path in blocked:
        log.warning("%s stands where this run writes; it is now called %s", path, atomic.put_aside(path).name)


def baseline_cache(results: str | Path) -> Path:
    """The folder of cached baselines."""
    return Path(results) / "baselines"


def records_folder(results: Path) -> Path:
    """The folder of the records of a folder of results, or of a folder that holds records alone."""
    records = results / "records"
    return records if records.is_dir() else results


def record_files(results: Path) -> list[Path]:
    """The JSON files among which the records of a folder of results are, or of a folder that holds records alone."""
    return sorted(records_folder(results).glob("*.json"))
