"""One run from config to record, straight down the page."""

import contextlib
import logging
import traceback
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from pytorch_lightning.loggers import Logger

from harness.config import identity, logger_packages
from harness.config.schema import NOT_KEPT, Run
from harness.errors import Refused
from harness.evaluation import outcome
from harness.launch import workers
from harness.loggers import trackers
from harness.results import finished, records
from harness.results.records import Record, TaskFacts
from harness.runs.job import Job, build, learning, newest_checkpoint, prepare, training_data, training_name
from harness.system import allocation, distributed, faults, lease, provenance, signals
from harness.system.lease import Lease
from harness.system.owner import Process
from harness.training import agreement, attention_kernel, checkpoints, initial_weights, loop, weights
from harness.training.loop import TrainingResult
from harness.training.monitor import Diverged
from harness.training.resumption import Resumption

log = logging.getLogger(__name__)


def execute(run: Run) -> Record | None:
    """Train and evaluate a run, resuming it if it was interrupted, and return its record; ``None`` on non-zero ranks.

    A finished run is repeated only with ``force``, a failed one only with ``retry``. A failure in training is recorded.
    A run that cannot be built is :class:`Refused` before anything is written.
    """
    allocation.keep_freed()
    world = distributed.this_process(run.trainer.devices, run.trainer.nodes)
    with distributed.launcher_variables_hidden(world):
        job = build(run, world)
        if world.rank > 0:
            return _follow(job)
        with agreement.ended(world):
            return _lead(job)


def _follow(job: Job) -> Record | None:
    """Train along with process 0, if it trains."""
    try:
        if (step := agreement.awaited(job.world)) is not None:
            resumed = newest_checkpoint(job)
            agreement.check(job.world, step, resumed)
            _train(job, resumed)
    except Diverged:  # process 0 reports it
        return None
    except KeyboardInterrupt as interrupt:  # also reported by process 0
        raise SystemExit(signals.INTERRUPTED) from interrupt
    return None


def _lead(job: Job) -> Record:
    run = job.run
    if (record := finished.existing_record(run, job.paths)) is not None:
        return record
    logger_packages.check(run)
    if run.force or not (job.paths.weights.exists() or checkpoints.list_checkpoints(job.paths.checkpoints)):
        initial_weights.take_over(job.model, run)  # refused before anything is written
    with lease.hold(job.paths.lease, partial(_waiting, job)) as held:
        if (record := finished.existing_record(run, job.paths)) is not None:
            return record
        started = provenance.now()
        prepare(job)
        followers = []
        try:
            trained = _trained_before(job)
            if trained is not None:
                followers = trackers.start(run, job.name, job.paths, trained.steps)
            else:
                resumed = newest_checkpoint(job)
                followers = trackers.start(run, job.name, job.paths, resumed.step if resumed else 0)
                trained = _train(job, resumed, [logger for _, logger in followers], held)
            record = _record(job, started, _evaluate(job, trained), trained)
        except Refused:
            raise
        except Exception as error:  # any failure of the run's own is recorded with its reason
            if faults.is_machine_fault(error):
                raise
            record = _record(job, started, _failure(job, error))
        record = records.write(record, job.paths.record, held.parts)
        trackers.finish(followers, record)
        if record.status == "finished":
            checkpoints.discard(job.paths.checkpoints)
    return record


def _waiting(job: Job, other: Process) -> None:
    log.warning("waiting for %s, which has %s", other, job.paths.folder)


def _trained_before(job: Job) -> TrainingResult | None:
    """Give the model the weights that it was trained to before; what that took, or ``None`` if there are none that can
    be used.
    """
    if not job.run.train.steps:
        return TrainingResult(
            0, None, 0.0, initial=initial_weights.take_over(job.model, job.run), tokens=0, positions=0, flops=0.0
        )
    if not job.paths.weights.exists():
        return None
    try:
        known = weights.load(job.model, job.paths.weights, training_name(job))
    except Refused as refusal:
        log.warning("%s; they are not used, and the run trains its own", refusal)
        return None
    log.info("the weights are trained already and are only tested")
    return known


def _train(
    job: Job, resumed: Resumption | None, loggers: Sequence[Logger] = (), held: Lease | None = None
) -> TrainingResult | None:
    """Train the model, from a checkpoint if there is one, and keep its weights. Process 0 has the lease."""
    run, parts = job.run, None if held is None else held.parts
    initial = "" if resumed else initial_weights.take_over(job.model, run)
    with signals.deferred() as interrupt:
        with workers.worker_processes(job.world) as world:
            if world.rank == 0:
                agreement.announce(world, resumed.step if resumed else 0)
            trained = loop.train(
                job.model,
                training_data(job, job.multiple or 1),
                run.train,
                run.trainer,
                job.optimization,
                seed=run.seed,
                checkpoints=job.paths.checkpoints,
                parts=parts,
                loggers=loggers,
                training=training_name(job),
                resumed=resumed,
                initial=initial,
                world=world,
                interrupt=interrupt,
                callbacks=job.callbacks,
                learning=learning(job),
                compile=job.multiple > 0,
            )
        if trained is not None:
            weights.save(job.model, job.paths.weights, trained, training_name(job), parts)
    return trained


def _evaluate(job: Job, trained: TrainingResult | None) -> dict[str, Any]:
    """The part of the record that a finished run has."""
    assert trained is not None
    return outcome.evaluated(job.run, job.task, job.layout, job.model, trained, job.device)


def _failure(job: Job, error: Exception) -> dict[str, Any]:
    """The fields of the record that only a failed run has; the traceback goes to its log."""
    with contextlib.suppress(OSError), job.paths.log.open("a") as file:
        traceback.print_exception(error, file=file)
    reason = str(error) if isinstance(error, Diverged) else f"{type(error).__name__}: {error}"
    return {"status": "failed", "reason": records.one_line(reason)}


def _record(job: Job, started: str, outcome: dict[str, Any], trained: TrainingResult | None = None) -> Record:
    run, task = job.run, job.task
    members = {} if trained is None or trained.members == 1 else {"members": trained.members}
    threads, instructions = torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()
    return Record(
        name=job.name,
        training_name=job.paths.folder.name,
        task=TaskFacts(name=run.task.name, version=task.version, metric=task.metric, fingerprint=task.fingerprint()),
        train_length=run.lengths.train,
        seed=run.seed,
        science=identity.science(run, task),
        config=run.model_dump(mode="json", exclude=NOT_KEPT),
        started=started,
        finished=max(started, provenance.now()),  # clocks are set back at times
        provenance={
            **provenance.collect(job.device.type, threads, instructions),
            "attention": attention_kernel.used(job.model),
            **members,
        },
        **outcome,
    )
