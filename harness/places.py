"""Where the files of runs lie in a folder of results.

``results/records/<name>.json`` is the record of a run. Beside it, ``results/runs/<training name>/`` holds what is
needed while a run lasts and its weights. This is the only file that knows these places.
"""

import errno
import os
from pathlib import Path
from typing import NamedTuple


class Places(NamedTuple):
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


def places(results: str | Path, name: str, training_name: str) -> Places:
    """The places of a run's record and of its weights."""
    return Places(Path(results) / "records" / f"{name}.json", Path(results) / "runs" / training_name)


def check_writable(results: str | Path) -> None:
    """Raise ``OSError`` if the records of a run could not be written there, without writing anything."""
    folder = Path(results) / "records"
    for path in (folder, *folder.parents):
        if os.path.lexists(path):
            wrong = errno.EACCES if path.is_dir() else errno.ENOTDIR
            if not path.is_dir() or not os.access(path, os.W_OK | os.X_OK):
                raise OSError(wrong, os.strerror(wrong), str(path))
            return


def baseline_cache(results: str | Path) -> Path:
    """Where baselines are kept."""
    return Path(results) / "baselines"


def recorded(results: Path) -> list[Path]:
    """The JSON files among which the records of a folder of results are, or of a folder that holds records alone."""
    records = results / "records"
    return sorted((records if records.is_dir() else results).glob("*.json"))
