"""Slurm, through submitit."""

from __future__ import annotations

import contextlib
import io
import os
import re
import secrets
import shlex
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from harness import progress
from harness.config.schema import Run
from harness.errors import Refused, counted, one_line
from harness.launch import batch_jobs, queue, slots, sweep_files
from harness.launch.base import Launcher
from harness.launch.cells import Cell, Outcome, end_reason, record_of
from harness.launch.sweep_files import Submission, Sweep
from harness.progress import say

if TYPE_CHECKING:
    from submitit.slurm.slurm import SlurmExecutor

LARGEST_ARRAY = 1000
"""Jobs of one array: Slurm's own limit, unless a cluster says otherwise, is 1,001."""
LOOK_EVERY = 5.0
"""Seconds between looks at the records and the queue while jobs are waited for."""
UNLIMITED = 10**6
"""How often a job is put back into the queue at its time limit."""


class Slurm(Launcher):
    """Job arrays of Slurm. A job does one or several runs, each as a process. At its time limit, or when it is
    preempted, runs save, the job is put back into the queue, and they go on from there.
    """

    elsewhere = True

    def __init__(
        self,
        *,
        partition: Annotated[str, Field(max_length=200)] = "",
        account: Annotated[str, Field(max_length=200)] = "",
        time: Annotated[int, Field(ge=1, le=10**6)] = 1440,
        gpus: Annotated[int, Field(ge=0, le=64)] = 1,
        per_gpu: Annotated[int, Field(ge=1, le=64)] = 1,
        per_job: Annotated[int, Field(ge=0, le=10_000)] = 0,
        cpus: Annotated[int, Field(ge=1, le=4096)] = 4,
        memory: Annotated[int, Field(ge=0, le=10**5)] = 0,
        throttle: Annotated[int, Field(ge=0, le=10**5)] = 0,
        save_before: Annotated[int, Field(ge=1, le=3600)] = 120,
        additional: Sequence[Annotated[str, Field(pattern=r"^[a-z][a-z-]*(:.*)?$")]] = (),
        setup: Sequence[str] = (),
        wait: bool = True,
    ) -> None:
        self.partition = partition
        self.account = account
        self.time = time
        self.gpus = gpus
        self.per_gpu = per_gpu
        self.per_job = per_job
        self.cpus = cpus
        self.memory = memory
        self.throttle = throttle
        self.save_before = save_before
        self.additional = list(additional)
        self.setup = list(setup)
        self.wait = wait

    def check(self, run: Run) -> None:
        """Raise :class:`Refused` if no job can be submitted from here."""
        if shutil.which("sbatch") is None:
            raise Refused("launcher=slurm: there is no sbatch here: start this where jobs are submitted")
        where = Path(run.results).absolute()
        if replaced := re.search(r"%[0-9]*[A-Za-z]", str(where)):
            raise Refused(
                f"launcher=slurm: in {one_line(where)} Slurm would put its own words in the place of {replaced[0]}: "
                "results= has to be a folder without it"
            )
        _submitit()

    def places(self, run: Run) -> int:
        each = 1 if run.trainer.processes > 1 else self.per_job or self._at_once(run)
        return self.throttle * min(each, self._at_once(run))

    def launch(self, todo: Sequence[Cell], sweep: Sweep, outcome: Outcome) -> None:
        results = todo[0].run.results
        since = time.time()
        with sweep_files.alone(results):
            busy = _submitted(results, queue.tasks())
            fresh = [cell for cell in todo if cell.name not in busy]
            if len(fresh) < len(todo):
                say(f"queued or at work already, not submitted again: {counted(len(todo) - len(fresh), 'run')}")
            before = ""
            for part in self._arrays(fresh):
                number = self._submit(part, sweep, results, before)
                before = number if self.throttle else ""
        if self.wait:
            self._wait(todo, sweep, results, since, outcome)
        else:
            outcome.elsewhere += todo

    def _arrays(self, cells: Sequence[Cell]) -> Iterator[list[list[Cell]]]:
        """The cells of each job, in as many arrays as it takes."""
        if not cells:
            return
        run = cells[0].run
        several_nodes = run.trainer.nodes > 1
        each = 1 if run.trainer.processes > 1 else self.per_job or self._at_once(run)
        jobs = [[cell] for cell in cells] if several_nodes else batch_jobs.packed(cells, each)
        for start in range(0, len(jobs), LARGEST_ARRAY):
            yield jobs[start : start + LARGEST_ARRAY]

    def _gpus(self, run: Run) -> int:
        """GPUs of a job, on each of its nodes."""
        return 0 if run.trainer.accelerator == "cpu" else max(self.gpus, run.trainer.devices if self.gpus else 0)

    def _at_once(self, run: Run) -> int:
        """Runs that a job does at the same time."""
        if run.trainer.processes > 1:
            return 1
        return max(1, self._gpus(run)) * self.per_gpu

    def _submit(self, jobs: Sequence[Sequence[Cell]], sweep: Sweep, results: str, before: str) -> str:
        """Submit an array, to be begun after the one with the number ``before``, if there is one; give its number."""
        run = jobs[0][0].run
        folder = sweep_files.jobs(results, sweep.name).absolute()
        name = f"{sweep.name}-{secrets.token_hex(3)}"
        at_once = self._at_once(run)
        files = batch_jobs.write(folder, name, jobs, count=at_once, threads=self.cpus, per_gpu=self.per_gpu)
        tasks = [[cell.name for cell in job] for job in jobs]
        submission = Submission(job=name, at=sweep_files.now(), tasks=tasks)
        # Before they are submitted, so that jobs are never unknown, whatever happens in between.
        sweep_files.write(results, sweep.model_copy(update={"submissions": [submission]}))
        executor = _submitit()(folder, max_num_timeout=UNLIMITED)
        executor.update_parameters(**self._parameters(run, name, at_once, before))
        task = batch_jobs.Task(every_process=run.trainer.nodes > 1)
        try:
            # submitit prints what it also raises
            with contextlib.redirect_stderr(io.StringIO()), executor.batch():
                submitted = [executor.submit(task, str(file)) for file in files]
            number = submitted[0].job_id.partition("_")[0]
        except Exception as error:  # submitit raises whatever sbatch says
            said = [line.removeprefix("sbatch: error: ") for line in str(error).splitlines() if line.strip()]
            why = one_line("; ".join(dict.fromkeys(said)))
            raise Refused(f"launcher=slurm: sbatch does not take these jobs: {why}") from error
        what = f"{counted(sum(map(len, jobs)), 'run')} in {counted(len(jobs), 'job')}"
        say(f"submitted {what}: {number}, called {name}; what jobs say is in {folder}")
        return number

    def _parameters(self, run: Run, name: str, at_once: int, before: str) -> dict[str, Any]:
        """What submitit makes the options of sbatch from."""
        where = run.trainer
        given = dict(word.partition(":")[::2] for word in self.additional)
        if before:  # Slurm counts the jobs of each array by itself
            given["dependency"] = ",".join(filter(None, (given.get("dependency"), f"afterany:{before}")))
        tasks = where.devices if where.nodes > 1 else 1
        processes = at_once * (1 if where.nodes > 1 else where.devices)
        parameters: dict[str, Any] = {
            "job_name": name,
            "time": self.time,
            "nodes": where.nodes,
            "ntasks_per_node": tasks,
            "cpus_per_task": self.cpus * processes,
            "signal_delay_s": self.save_before,
            "array_parallelism": self.throttle or LARGEST_ARRAY,
            "stderr_to_stdout": True,
            "wckey": None,
            "srun_args": ["--kill-on-bad-exit=1"],
            "setup": [*self.setup, *_exports(), *([] if self._gpus(run) else ["export CUDA_VISIBLE_DEVICES="])],
            "additional_parameters": {"requeue": True, **{key: value or True for key, value in given.items()}},
        }
        optional = {
            "partition": self.partition,
            "account": self.account,
            "gpus_per_node": self._gpus(run),
            "mem": f"{self.memory * processes * tasks}GB" if self.memory else "",
        }
        return parameters | {key: value for key, value in optional.items() if value}

    def _wait(self, cells: Sequence[Cell], sweep: Sweep, results: str, since: float, outcome: Outcome) -> None:
        """Note how cells end, until the last has."""
        left, gone, told = list(cells), set[str](), set[str]()
        said = f"what jobs said is in {sweep_files.jobs(results, sweep.name)}"
        try:
            with progress.shown("sweep", len(cells)) as shown:
                while left:
                    try:
                        busy = _submitted(results, queue.tasks())
                    except Refused as refusal:
                        say(f"{refusal}; asked again in a minute")
                        time.sleep(60)
                        continue
                    for cell in list(left):
                        record = record_of(cell)
                        over = cell.name not in busy
                        new = record is not None and cell.paths.record.stat().st_mtime >= since - 1
                        # A job leaves the queue before its last file is seen from everywhere: look twice.
                        if new or (over and cell.name in gone):
                            began = cell.paths.log.exists()
                            reason = end_reason(cell, None) if began else f"its job ended before it began; {said}"
                            outcome.ended(cell, since, reason, clean=not cell.run.force)
                            left.remove(cell)
                        elif over:
                            gone.add(cell.name)
                    jobs = [busy[cell.name] for cell in left if cell.name in busy]
                    _tell(jobs, told)
                    working = sum(job.state == queue.RUNNING for job in jobs)
                    shown(outcome.count, outcome.note(working))
                    if left:
                        time.sleep(LOOK_EVERY)
        except KeyboardInterrupt:
            names = {one.job for sweep in sweep_files.read_all(results)[0] for one in sweep.submissions}
            live = sorted(names & {job for job, _ in queue.tasks()})
            end = f"scancel --name={','.join(live)}"
            say(f"the jobs go on: python -m harness status {shlex.quote(results)}; to end them: {end}")
            raise


def _tell(jobs: Sequence[queue.Job], told: set[str]) -> None:
    """Say, once for each reason, how many runs wait for what may never come."""
    for job, count in Counter(jobs).items():
        if job.waits and job.reason not in queue.USUAL and job.reason not in told:
            told.add(job.reason)
            say(f"{counted(count, 'run')} {job.waits}")


def _submitted(results: str, tasks: Mapping[tuple[str, int], queue.Job]) -> dict[str, queue.Job]:
    """The runs of a folder of results that are in the queue, each with its job."""
    return {
        name: tasks[submission.job, number]
        for sweep in sweep_files.read_all(results)[0]
        for submission in sweep.submissions
        for number, names in enumerate(submission.tasks)
        if (submission.job, number) in tasks
        for name in names
    }


def _exports() -> list[str]:
    """Lines that let a job find this copy of the program."""
    environment = slots.own_environment()
    names = [name for name in ("PYTHONPATH", "PYTHONSAFEPATH") if environment.get(name)]
    return [f"export {name}={shlex.quote(environment[name])}" for name in names] + [f"cd {shlex.quote(os.getcwd())}"]


def _submitit() -> type[SlurmExecutor]:
    try:
        from submitit.slurm.slurm import SlurmExecutor
    except ImportError as error:
        raise Refused(
            "launcher=slurm needs the package submitit: pip install 'length-generalization-harness[slurm]'"
        ) from error
    return SlurmExecutor
