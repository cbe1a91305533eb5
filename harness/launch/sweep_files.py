"""What is kept about a sweep: ``results/sweeps/<name>.json`` says with which command and code it was started, which
runs it has, and with which jobs of a batch system they were submitted. Its state is asked from the records, the leases
of runs and the batch system, from any machine that sees the folder.
"""

import hashlib
import shlex
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from pydantic import Field, ValidationError

from harness import atomic
from harness.config.schema import Frozen, Name
from harness.errors import Refused
from harness.files import sealed_json
from harness.launch.cells import Cell
from harness.progress import say
from harness.results.paths import RunPaths, run_paths
from harness.system import checkout, lease


class Member(Frozen):
    """A run of a sweep: the name of its record and that of its training."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,300}$")
    training: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,300}$")


class Submission(Frozen):
    """Jobs that were submitted together, under one name, which nothing else has; ``tasks`` names the runs of each."""

    job: Name
    at: str
    tasks: list[list[str]]


class Sweep(Frozen):
    """A sweep. ``commit`` is that of the program, empty if it is not known."""

    name: Name
    command: str
    commit: str
    started: str
    launcher: Name
    cells: list[Member]
    submissions: list[Submission] = []

    def paths(self, results: Path, member: Member) -> RunPaths:
        """The paths of one of its runs."""
        return run_paths(results, member.name, member.training)


def named(cells: Sequence[Cell], arguments: Sequence[str], launcher: str) -> Sweep:
    """The sweep of these cells. The name follows from them, so that the same command means the same sweep."""
    tasks = {cell.run.task.name for cell in cells}
    digest = hashlib.sha256("\n".join(sorted(cell.name for cell in cells)).encode()).hexdigest()[:8]
    return Sweep(
        name=f"{tasks.pop()[:40] if len(tasks) == 1 else 'sweep'}-{digest}",
        command=shlex.join(["python", "-m", "harness", *arguments]),
        commit=checkout.commit()["commit"],
        started=now(),
        launcher=launcher,
        cells=[Member(name=cell.name, training=cell.paths.folder.name) for cell in cells],
    )


def retrial(words: Sequence[str]) -> str:
    """The command that tries again what failed of the one with these arguments, and leaves alone what is finished."""
    kept = [word for word in words if word.partition("=")[0].lstrip("+") not in ("retry", "force")]
    return shlex.join(["python", "-m", "harness", *kept, "retry=true"])


def now() -> str:
    """The time in UTC to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def folder(results: str | Path) -> Path:
    """The folder of the sweeps of a folder of results."""
    return Path(results) / "sweeps"


def jobs(results: str | Path, name: str) -> Path:
    """The folder in which the jobs of a sweep leave what they say."""
    return folder(results) / name


def alone(results: str | Path) -> AbstractContextManager[object]:
    """While this process alone changes what is kept about sweeps, and submits jobs."""
    return lease.hold(folder(results) / "lease", lambda other: say(f"waiting until {other} has begun its sweep"))


def write(results: str | Path, sweep: Sweep) -> None:
    """Write the file of a sweep; the submissions of one that was started before are kept. It is to be done
    :func:`alone`.
    """
    path = folder(results) / f"{sweep.name}.json"
    known = {one.job: one for one in (read(path).submissions if path.is_file() else [])}
    kept = {**known, **{one.job: one for one in sweep.submissions}}
    whole = sweep.model_copy(update={"submissions": list(kept.values())})
    atomic.write(path, whole.model_dump_json(indent=1) + "\n")


def read(path: Path) -> Sweep:
    """The sweep in a file. Raises :class:`Refused` if there is none that can be read."""
    try:
        return Sweep.model_validate(sealed_json.read(path))
    except ValidationError as error:
        raise Refused(f"{path}: this is not the file of a sweep: {error.errors()[0]['msg']}") from error


def read_all(results: str | Path) -> tuple[list[Sweep], list[str]]:
    """The sweeps of a folder of results, the oldest first, and a line for each file that cannot be read."""
    found, rejected = [], []
    for path in sorted(folder(results).glob("*.json")):
        try:
            found.append(read(path))
        except Refused as refusal:
            rejected.append(str(refusal))
    return sorted(found, key=lambda sweep: sweep.started), rejected
