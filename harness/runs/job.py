"""A run and the objects built from its config: what there is before anything is computed, and what training needs."""

import logging
import os
from collections.abc import Sequence
from typing import NamedTuple

import torch
from pytorch_lightning import Callback

from harness import atomic
from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.errors import Refused
from harness.evaluation import held_out, scoring
from harness.layouts.base import Layout
from harness.models.base import Model
from harness.optimizers.base import Optimizer
from harness.results.paths import RunPaths, run_paths
from harness.system import requests
from harness.system.distributed import World
from harness.training import attention_kernel, callbacks, checkpoints, compilation, devices, loop
from harness.training.learning import Learning
from harness.training.module import Optimization
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


def build(run: Run, world: World) -> Job:
    """Raises :class:`Refused` if the run cannot be built. Nothing is written."""
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


def prepare(job: Job) -> None:
    """Make the run's folder ready for training, for the process that holds its lease."""
    paths = job.paths
    _make_room(paths)
    for folder in (paths.folder, paths.checkpoints):
        atomic.clear(folder)
    if job.run.force and not requests.begun(paths.folder):
        paths.weights.unlink(missing_ok=True)
        checkpoints.discard(paths.checkpoints)
        requests.begin(paths.folder)  # last: what was begun is gone by then
    atomic.write(paths.config, job.run.model_dump_json(indent=1) + "\n")
    if job.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def _make_room(paths: RunPaths) -> None:
    """Rename folders that occupy the paths of files to be written, and files that occupy those of folders: better now
    than after hours of training.
    """
    files = (paths.record, paths.config, paths.log, paths.weights)
    blocked = [path for path in files if path.is_dir()]
    if os.path.lexists(paths.checkpoints) and not paths.checkpoints.is_dir():
        blocked.append(paths.checkpoints)
    for path in blocked:
        log.warning("%s stands where this run writes; it is now called %s", path, atomic.put_aside(path).name)


def training_name(job: Job) -> str:
    """The name of the run's training, which its checkpoints and weights carry."""
    return identity.training_name(job.run, job.task)


def newest_checkpoint(job: Job) -> Resumption | None:
    """The checkpoint that the run can go on from, if there is one."""
    return loop.resumable(
        job.model,
        job.run.train,
        job.optimization,
        seed=job.run.seed,
        checkpoints=job.paths.checkpoints,
        training=training_name(job),
        callbacks=job.callbacks,
    )


def learning(job: Job) -> Learning | None:
    """What looks at held-out examples while the model trains, if the run wants that."""
    if not (every := job.run.looked_every()):
        return None
    held = held_out.HeldOut(job.run, job.task, job.layout, job.device)
    return Learning(held, every, job.run.train.until)


def training_data(job: Job, multiple: int) -> TrainingData:
    """The run's batches, their width a multiple of this number."""
    run, lengths = job.run, identity.training_lengths(job.run, job.task)
    rule = instantiation.rule(run)
    return TrainingData(job.task, job.layout, rule, lengths, seed=run.seed, batch=run.train.batch, multiple=multiple)
