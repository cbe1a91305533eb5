"""One run from config to record, straight down the page."""

import contextlib
import logging
import traceback
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from pytorch_lightning import Callback
from pytorch_lightning.loggers import Logger

from harness import atomic
from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.errors import Refused
from harness.evaluation import held_out, outcome, scoring
from harness.launch import workers
from harness.layouts.base import Layout
from harness.loggers import trackers
from harness.models.base import Model
from harness.optimizers.base import Optimizer
from harness.results import finished, records
from harness.results.paths import RunPaths, make_room, run_paths
from harness.results.records import Record, TaskFacts
from harness.system import distributed, faults, provenance, signals
from harness.system.distributed import World
from harness.training import (
    agreement,
    attention_kernel,
    callbacks,
    checkpoints,
    compilation,
    devices,
    initial_weights,
    loop,
    weights,
)
from harness.training.learning import Learning
from harness.training.loop import TrainingResult
from harness.training.module import Optimization
from harness.training.monitor import Diverged
from harness.training.resumption import Resumption
from tasks.base import Task

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A run and the objects built from its config."""

    run: Run
    task: Task
    layout: Layout
    model: Model
    optimization: Optimization
    callbacks: Sequence[Callback]
    device: torch.device
    name: str
    paths: RunPaths
    world: World
    multiple: int
    """What the width of batches is a multiple of, for a network that is compiled; 0 for one that is not."""


def execute(run: Run) -> Record | None:
    """Train and evaluate a run, resuming it if it was interrupted, and return its record; ``None`` on non-zero ranks.

    A finished run is repeated only with ``force``, a failed one only with ``retry``. A failure in training is recorded.
    A run that cannot be built is :class:`Refused` before anything is written.
    """
    world = distributed.this_process(run.trainer.devices, run.trainer.nodes)
    with distributed.launcher_variables_hidden(world):
        job = _job(run, world)
        if world.rank > 0:
            return _follow(job)
        with agreement.ended(world):
            return _lead(job)


def _follow(job: Job) -> Record | None:
    """Train along with process 0, if it trains."""
    try:
        if (step := agreement.awaited(job.world)) is not None:
            resumed = _resumed(job)
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
    if run.force or not (job.paths.weights.exists() or checkpoints.list_checkpoints(job.paths.checkpoints)):
        initial_weights.take_over(job.model, run)  # refused before anything is written
    with atomic.lock(job.paths.lock, lambda: log.warning("waiting for another process in %s", job.paths.folder)):
        if (record := finished.existing_record(run, job.paths)) is not None:
            return record
        started = provenance.now()
        _prepare(job)
        followers = []
        try:
            trained = _trained_before(job)
            if trained is None:
                resumed = _resumed(job)
                followers = trackers.start(run, job.name, job.paths, resumed.step if resumed else 0)
                trained = _train(job, resumed, [logger for _, logger in followers])
            record = _record(job, started, _evaluate(job, trained))
        except Refused:
            raise
        except Exception as error:  # any failure of the run's own is recorded with its reason
            if faults.is_machine_fault(error):
                raise
            record = _record(job, started, _failure(job, error))
        record = records.write(record, job.paths.record)
        trackers.finish(followers, record)
        if record.status == "finished":
            checkpoints.discard(job.paths.checkpoints)
    return record


def _job(run: Run, world: World) -> Job:
    device = devices.device(run.trainer)
    loop.try_arguments(run.trainer)
    called = callbacks.made(run)
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        model = network.model(run, task, layout)
    attention_kernel.choose(run, model, instantiation.rule(run), device=device.type)
    _check_extensions(run, task, layout, model)
    name = identity.run_name(run, task)
    paths = run_paths(run.results, name, identity.training_name(run, task))
    widest = max(layout.width(task, length) for length in identity.training_lengths(run, task))
    multiple = compilation.width_multiple(run, model, widest, device.type)
    return Job(run, task, layout, model, _optimization(run, model), called, device, name, paths, world, multiple)


def _optimization(run: Run, model: Model) -> Optimization:
    """Raises :class:`Refused` if the optimizer cannot train the network."""
    optimizer: Optimizer = instantiation.make("optimizer", run.optimizer, run)
    try:
        optimizer.build(model, run.train)
    except Exception as error:  # a user's optimizer may raise anything
        objection = error or type(error).__name__
        raise Refused(
            f"optimizer={run.optimizer.name} with architecture={run.architecture.name}: {objection}"
        ) from error
    return Optimization(optimizer, instantiation.make("schedule", run.schedule, run))


def _check_extensions(run: Run, task: Task, layout: Layout, model: Model) -> None:
    """Raise :class:`Refused`, before training, if an extension cannot extend the encoding that was built."""
    longest = max(layout.span(task, length) for length in identity.tested_lengths(run, task))
    for name, extension in instantiation.extensions(run).items():
        try:
            with scoring.extended(model, extension, layout.span(task, run.lengths.train), longest):
                pass
        except Exception as error:  # a user's extension may raise anything
            raise Refused(
                f"extension={name} with encoding={run.encoding.name}: {error or type(error).__name__}"
            ) from error


def _prepare(job: Job) -> None:
    paths = job.paths
    make_room(paths)
    for folder in (paths.folder, paths.checkpoints):
        atomic.clear(folder, alone=True)
    if job.run.force:
        paths.weights.unlink(missing_ok=True)
        checkpoints.discard(paths.checkpoints)
    atomic.write(paths.config, job.run.model_dump_json(indent=1) + "\n")
    if job.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def _trained_before(job: Job) -> TrainingResult | None:
    """Give the model the weights that it was trained to before; what that took, or ``None`` if there are none that can
    be used.
    """
    if not job.run.train.steps:
        return TrainingResult(0, None, 0.0, initial=initial_weights.take_over(job.model, job.run))
    if not job.paths.weights.exists():
        return None
    try:
        known = weights.load(job.model, job.paths.weights, _training_name(job))
    except Refused as refusal:
        log.warning("%s; they are not used, and the run trains its own", refusal)
        return None
    log.info("the weights are trained already and are only tested")
    return known


def _training_name(job: Job) -> str:
    return identity.training_name(job.run, job.task)


def _resumed(job: Job) -> Resumption | None:
    return loop.resumable(
        job.model,
        job.run.train,
        job.optimization,
        seed=job.run.seed,
        checkpoints=job.paths.checkpoints,
        training=_training_name(job),
        callbacks=job.callbacks,
    )


def _train(job: Job, resumed: Resumption | None, loggers: Sequence[Logger] = ()) -> TrainingResult | None:
    """Train the model, from a checkpoint if there is one, and keep its weights."""
    run = job.run
    initial = "" if resumed else initial_weights.take_over(job.model, run)
    lengths = identity.training_lengths(run, job.task)
    data = TrainingData(
        job.task,
        job.layout,
        instantiation.rule(run),
        lengths,
        seed=run.seed,
        batch=run.train.batch,
        multiple=job.multiple or 1,
    )
    with signals.deferred() as interrupt:
        with workers.worker_processes(job.world) as world:
            if world.rank == 0:
                agreement.announce(world, resumed.step if resumed else 0)
            trained = loop.train(
                job.model,
                data,
                run.train,
                run.trainer,
                job.optimization,
                seed=run.seed,
                checkpoints=job.paths.checkpoints,
                loggers=loggers,
                training=_training_name(job),
                resumed=resumed,
                initial=initial,
                world=world,
                interrupt=interrupt,
                callbacks=job.callbacks,
                learning=_learning(job),
                compile=job.multiple > 0,
            )
        if trained is not None:
            weights.save(job.model, job.paths.weights, trained, _training_name(job))
    return trained


def _learning(job: Job) -> Learning | None:
    """What looks at held-out examples while the model trains, if the run wants that."""
    if not (every := job.run.looked_every()):
        return None
    held = held_out.HeldOut(job.run, job.task, job.layout, job.device)
    return Learning(held, every, job.run.train.until)


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


def _record(job: Job, started: str, outcome: dict[str, Any]) -> Record:
    run, task = job.run, job.task
    threads, instructions = torch.get_num_threads(), torch.backends.cpu.get_cpu_capability()
    return Record(
        name=job.name,
        training_name=job.paths.folder.name,
        task=TaskFacts(name=run.task.name, version=task.version, metric=task.metric, fingerprint=task.fingerprint()),
        train_length=run.lengths.train,
        seed=run.seed,
        science=identity.science(run, task),
        config=run.model_dump(mode="json", exclude={"results", "force", "retry", "launcher"}),
        started=started,
        finished=max(started, provenance.now()),  # clocks are set back at times
        provenance={
            **provenance.collect(job.device.type, threads, instructions),
            "attention": attention_kernel.used(job.model),
        },
        **outcome,
    )
