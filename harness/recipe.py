"""One run from config to record, straight down the page."""

import contextlib
import logging
import resource
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from pytorch_lightning.loggers import Logger

from harness import (
    atomic,
    baselines,
    build,
    evaluation,
    identity,
    kernels,
    novelty,
    provenance,
    records,
    testset,
    trackers,
    training,
    weights,
)
from harness.config import Run
from harness.data import TrainingData
from harness.layouts import Layout
from harness.models.base import Model
from harness.places import Places, baseline_cache, places
from harness.records import Cost, Record, ScoreRow, SliceRow, TaskFacts
from harness.suggest import Refused
from harness.training import Diverged, Trained
from tasks.base import Task

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A run with all that it is made of."""

    run: Run
    task: Task
    layout: Layout
    model: Model
    device: torch.device
    name: str
    where: Places


def execute(run: Run) -> Record | None:
    """Do a run, or what is left of it, and give its record; ``None`` in processes that only help the first one to
    train.

    A finished run is not done again unless ``force``; a failed one not unless ``retry``. What goes wrong in training
    becomes a record that says so. What cannot be built is :class:`Refused` before anything is written.
    """
    job = _job(run)
    if training.rank() > 0:
        with contextlib.suppress(Diverged):  # the first process says so
            _train(job)
        return None
    if (record := _known(job)) is not None:
        return record
    with atomic.lock(job.where.lock, lambda: log.warning("waiting for another process in %s", job.where.folder)):
        if (record := _known(job)) is not None:
            return record
        started = provenance.now()
        _prepare(job)
        followers = [] if job.where.weights.exists() else trackers.start(run, job.name, job.where)
        try:
            record = _record(job, started, _evaluate(job, _train(job, [logger for _, logger in followers])))
        except Refused:
            raise
        except Exception as error:  # any failure is recorded with its reason
            record = _record(job, started, _failure(job, error))
        records.write(record, job.where.record)
        trackers.finish(followers, record)
        if record.status == "finished":
            shutil.rmtree(job.where.checkpoints, ignore_errors=True)
    return record


def _job(run: Run) -> Job:
    device = training.device(run.trainer)
    task = build.task(run)
    layout = build.layout(run, task)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(run.seed)
        model = build.model(run, task, layout)
    kernels.choose(run, model, build.rule(run), device=device.type)
    name = identity.run_name(run, task)
    return Job(run, task, layout, model, device, name, places(run.results, name, identity.training_name(run, task)))


def _known(job: Job) -> Record | None:
    """The record of the run if there is one that is to be kept."""
    if job.run.force or not job.where.record.exists():
        return None
    try:
        record = records.read(job.where.record)
    except Refused as refusal:
        log.warning("%s; it is written anew", refusal)
        return None
    if record.status == "finished":
        log.info("this run has finished before; force=true trains it again")
        return record
    if job.run.retry:
        return None
    raise Refused(f"this run failed before: {record.reason}. Try again with retry=true")


def _prepare(job: Job) -> None:
    if job.run.force:
        job.where.weights.unlink(missing_ok=True)
        shutil.rmtree(job.where.checkpoints, ignore_errors=True)
    atomic.write(job.where.config, job.run.model_dump_json(indent=1) + "\n")
    if job.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def _train(job: Job, loggers: Sequence[Logger] = ()) -> Trained | None:
    """Give the model its trained weights: read if they are there, trained from the newest checkpoint otherwise."""
    if not job.run.train.steps:
        return Trained(0, None, 0.0, 0)
    if job.where.weights.exists():
        try:
            known = weights.load(job.model, job.where.weights)
            log.info("the weights are trained already and are only tested")
            return known
        except Refused as refusal:
            log.warning("%s", refusal)
            job.where.weights.unlink()
            job.model.load_state_dict(_job(job.run).model.state_dict())  # part of the file may have been read
    run = job.run
    lengths = identity.training_lengths(run, job.task)
    data = TrainingData(job.task, job.layout, build.rule(run), lengths, seed=run.seed, batch=run.train.batch)
    folder = job.where.checkpoints
    trained = training.train(
        job.model, data, run.train, run.trainer, seed=run.seed, checkpoints=folder, loggers=loggers
    )
    if trained is not None:
        weights.save(job.model, job.where.weights, trained)
    return trained


def _evaluate(job: Job, trained: Trained | None) -> dict[str, Any]:
    """The part of the record that a finished run has."""
    assert trained is not None
    start = time.monotonic()
    run = job.run
    tested = identity.tested_lengths(run, job.task)
    rule, extensions = build.rule(run), build.extensions(run)
    scores = evaluation.evaluate(
        job.model,
        job.task,
        job.layout,
        rule,
        extensions,
        tested,
        train_length=run.lengths.train,
        examples=run.evaluation.examples,
        device=job.device,
    )
    science, cache = identity.science(run, job.task), baseline_cache(run.results)
    baseline = baselines.baselines(job.task, job.layout, tested, run.evaluation.examples, science, cache)
    drawn = trained.steps * run.train.batch
    trained_lengths, examples = identity.training_lengths(run, job.task), run.evaluation.examples
    tests = testset.facts(job.task, job.layout, trained_lengths, tested, seed=run.seed, drawn=drawn, examples=examples)
    reach = {"train_length": run.lengths.train, "test_length": max(tested)}
    return {
        "status": "finished",
        "novelty": novelty.novelty(job.model, job.task, job.layout, rule, extensions, **reach),
        "scores": [ScoreRow(**_counts(score)) for score in scores if not score.at],
        "slices": [SliceRow(**_counts(score), at=dict(score.at)) for score in scores if score.at],
        **baseline._asdict(),
        "tests": tests,
        "training_compared": 0 if job.task.form == "stream" else min(drawn, testset.MOST),
        "final_loss": trained.loss,
        "cost": Cost(
            parameters=sum(parameter.numel() for parameter in job.model.parameters()),
            receptive_field=job.model.receptive_field,
            steps=trained.steps,
            examples=trained.steps * run.train.batch,
            training_seconds=round(trained.seconds, 2),
            evaluation_seconds=round(time.monotonic() - start, 2),
            peak_memory_bytes=_peak_memory(job.device),
        ),
    }


def _counts(score: evaluation.Score) -> dict[str, Any]:
    return {key: value for key, value in score._asdict().items() if key != "at"}


def _failure(job: Job, error: Exception) -> dict[str, Any]:
    """The part of the record that a failed run has; the traceback goes to its log."""
    with job.where.log.open("a") as file:
        traceback.print_exception(error, file=file)
    reason = str(error) if isinstance(error, Diverged) else f"{type(error).__name__}: {error}"
    return {"status": "failed", "reason": records.one_line(reason)}


def _record(job: Job, started: str, outcome: dict[str, Any]) -> Record:
    run, task = job.run, job.task
    return Record(
        name=job.name,
        training_name=job.where.folder.name,
        task=TaskFacts(name=run.task.name, version=task.version, metric=task.metric, fingerprint=task.fingerprint()),
        train_length=run.lengths.train,
        seed=run.seed,
        science=identity.science(run, task),
        config=run.model_dump(mode="json", exclude={"results", "force", "retry"}),
        started=started,
        finished=provenance.now(),
        provenance={**provenance.collect(job.device.type), "attention": kernels.used(job.model)},
        **outcome,
    )


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
