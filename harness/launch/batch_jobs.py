"""The jobs of a batch system: which runs are one job, the file that says so, and what the job does.

A job does its runs as a sweep of this machine does (:mod:`harness.launch.pool`), in slots on the devices it was
given. One that is started again does what is left, from the checkpoints that there are.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from harness import atomic, progress
from harness.config import saved_configs
from harness.config.schema import Frozen
from harness.errors import Refused
from harness.files import sealed_json
from harness.launch import pool, slots
from harness.launch.cells import Cell, Outcome, cell, record_of, sort_by_state
from harness.system import requests, signals

LOOK_EVERY = 0.2
"""Seconds between looks at whether the runs of a job have ended."""
ENDS = signals.PATIENCE + 15.0
"""Seconds after which a job does not wait for its runs any longer."""
AT_ONCE = 16
"""Files that are written at the same time: each waits for the disk, twice, and one after the other 10,000 took 80 s."""
MANY = 200
"""Files of which the writing is shown."""


class Job(Frozen):
    """The runs of a job, as the words that start each; how many at a time, and the threads of each."""

    runs: list[list[str]] = Field(min_length=1)
    count: int = Field(ge=1)
    threads: int = Field(ge=1)
    per_gpu: int = Field(ge=1)


def packed(cells: Sequence[Cell], each: int) -> list[list[Cell]]:
    """The cells in jobs of ``each``. Those that are tested in several ways share their weights, and a job, and so do
    those that go on from the weights of another.
    """
    folders = {one.paths.folder.absolute() for one in cells}
    together: dict[Path, list[Cell]] = {}
    for one in cells:
        shared = one.origin.folder if one.origin and one.origin.folder in folders else one.paths.folder.absolute()
        together.setdefault(shared, []).append(one)
    jobs: list[list[Cell]] = []
    for same in together.values():
        if jobs and len(jobs[-1]) + len(same) <= each:
            jobs[-1] += same
        else:
            jobs.append(list(same))
    return jobs


def write(
    folder: Path, name: str, jobs: Sequence[Sequence[Cell]], *, count: int, threads: int, per_gpu: int
) -> list[Path]:
    """Write the configs of runs and a file for each job; give these files. Shows progress where there are many."""
    files = [folder / f"{name}-{number}.json" for number in range(len(jobs))]
    contents: list[tuple[Path, Frozen]] = [(one.paths.config, one.run) for cells in jobs for one in cells]
    for file, cells in zip(files, jobs, strict=True):
        job = Job(runs=[one.words[1:] for one in cells], count=count, threads=threads, per_gpu=per_gpu)
        contents.append((file, job))
    shown = progress.shown("writing jobs", len(contents)) if len(contents) > MANY else contextlib.nullcontext()
    with shown as step, ThreadPoolExecutor(AT_ONCE) as writers:
        try:
            for number, _ in enumerate(writers.map(_write, contents), 1):
                if step:
                    step(number)
        except BaseException:
            writers.shutdown(cancel_futures=True)
            raise
    return files


def _write(content: tuple[Path, Frozen]) -> None:
    path, model = content
    atomic.write(path, model.model_dump_json(indent=1) + "\n")


def do(file: Path) -> int:
    """Do the runs of a job that are not done yet; the exit code is that of a sweep. Signals are Slurm's to send, which
    tells all processes of a job: what each passes on is the same request.
    """
    try:
        job = Job.model_validate(sealed_json.read(file))
    except ValidationError as error:
        raise Refused(f"{file}: this is not the file of a job: {error.errors()[0]['msg']}") from error
    os.environ[signals.ONE_REQUEST] = "1"
    os.environ[requests.VARIABLE] = file.stem
    cells = [cell([], saved_configs.job(config, words)) for config, *words in job.runs]
    ended = [one for one in cells if _has_ended(one, file)]
    todo, _, failed = sort_by_state([one for one in cells if one not in ended])
    failed += [(one, record.reason) for one in ended if (record := record_of(one)) and record.status == "failed"]
    outcome = Outcome()
    try:
        if todo:
            free = slots.for_run(todo[0].run, job.count, job.threads, job.per_gpu)
            pool.work(todo, free, outcome, copies=True)
    except KeyboardInterrupt:
        return signals.INTERRUPTED
    return 1 if failed or outcome.failed or outcome.undone else 0


def _has_ended(one: Cell, file: Path) -> bool:
    """Whether a run has left a record since its job was submitted, when the job's file is written: a job that is
    started again leaves it alone, also with force=true and retry=true. Both times are the file system's.
    """
    try:
        return one.paths.record.stat().st_mtime > file.stat().st_mtime
    except OSError:
        return False


class Task:
    """What submitit calls in a job, and again in the same job after it was put back into the queue."""

    def __init__(self, *, every_process: bool) -> None:
        """``every_process``: each process of the job is one of those that train its run together."""
        self.every_process = every_process
        self.process: subprocess.Popen[bytes] | None = None

    def __call__(self, file: str) -> None:
        """Raises ``CalledProcessError`` if a run failed, so that Slurm says so of the job."""
        config, *words = Job.model_validate_json(Path(file).read_text()).runs[0]
        words = ["--job", config, *words] if self.every_process else ["--batch-job", file]
        environment = {**os.environ, requests.VARIABLE: Path(file).stem}
        self.process = subprocess.Popen([sys.executable, "-m", "harness", *words], env=environment)
        # Not wait(): checkpoint() is called in a signal's handler, and would wait for the lock that wait() holds.
        while (code := self.process.poll()) is None:
            time.sleep(LOOK_EVERY)
        if code not in (0, signals.INTERRUPTED):
            raise subprocess.CalledProcessError(code, self.process.args)

    def checkpoint(self, file: str) -> Any:
        """Called at the time limit: wait until the runs have saved, and say what is to be done when the job goes on.
        Slurm has sent its signal to all processes of the job.
        """
        from submitit.core.utils import DelayedSubmission

        end = time.monotonic() + ENDS
        while self.process is not None and self.process.poll() is None and time.monotonic() < end:
            time.sleep(LOOK_EVERY)
        return DelayedSubmission(Task(every_process=self.every_process), file)
