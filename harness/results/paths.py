"""Where the files of runs lie in a folder of results.

``results/records/<name>.json`` is the record of a run. Beside it, ``results/runs/<training name>/`` holds what is
needed while a run lasts and its weights. This is the only file that knows these places.
"""

from pathlib import Path
from typing import NamedTuple


class RunPaths(NamedTuple):
    """Where the files of a run are."""

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
    """The places of a run's record and of its weights."""
    return RunPaths(Path(results) / "records" / f"{name}.json", Path(results) / "runs" / training_name)


def baseline_cache(results: str | Path) -> Path:
    """Where baselines are kept."""
    return Path(results) / "baselines"


def record_files(results: Path) -> list[Path]:
    """The JSON files among which the records of a folder of results are, or of a folder that holds records alone."""
    records = results / "records"
    return sorted((records if records.is_dir() else results).glob("*.json"))
