"""The paths of a run's files in a folder of results.

``results/records/<name>.json`` is the record of a run; ``results/runs/<training name>/`` holds its weights, checkpoints
and log. Only this file defines these paths.
"""

from pathlib import Path
from typing import NamedTuple


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
    def lease(self) -> Path:
        return self.folder / "lease"


def run_paths(results: str | Path, name: str, training_name: str) -> RunPaths:
    """The paths of a run with this record and this training."""
    return RunPaths(Path(results) / "records" / f"{name}.json", Path(results) / "runs" / training_name)


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
