"""Several runs, which differ in their seeds alone, trained as one program (:mod:`harness.training.members`).

This is their training and nothing else: each run's weights are written where it would write them, as soon as it has
ended, and each is then executed as any other, finds its weights and tests them. What is not trained here, for whatever
reason, trains itself then.
"""

import contextlib
import logging
from collections.abc import Sequence
from functools import partial

from harness.config.schema import Run
from harness.errors import Refused
from harness.launch import members as grouping
from harness.loggers import trackers
from harness.results import finished
from harness.runs.job import Job, build, learning, newest_checkpoint, prepare, training_data, training_name
from harness.system import allocation, distributed, lease, signals
from harness.system.lease import Lease
from harness.system.owner import Process
from harness.training import initial_weights, members, weights
from harness.training.loop import TrainingResult
from harness.training.members import Member

log = logging.getLogger(__name__)


def train_together(runs: Sequence[Run]) -> None:
    """Train the runs that have no weights yet.

    Raises :class:`Refused` if they cannot be trained as one program. A run that another process works at is waited for.
    """
    if objection := grouping.objection(runs):
        raise Refused(objection)
    allocation.keep_freed()
    world = distributed.this_process(1)
    with distributed.launcher_variables_hidden(world), contextlib.ExitStack() as leases:
        jobs = sorted((build(run, world) for run in runs), key=lambda job: job.paths.folder)
        held: dict[str, Lease] = {}
        releases = {}
        for job in jobs:  # in one order, so that two programs never wait for each other
            name = training_name(job)
            releases[name] = leases.enter_context(contextlib.ExitStack())
            held[name] = releases[name].enter_context(lease.hold(job.paths.lease, partial(_waiting, job)))
        todo = [job for job in jobs if not _done(job)]
        if not todo:
            return
        for job in todo:
            prepare(job)
        by_name = {training_name(job): job for job in todo}

        def ended(member: Member, trained: TrainingResult) -> None:
            job = by_name[member.training]
            weights.save(job.model, job.paths.weights, trained, member.training, member.parts)
            releases[member.training].close()

        with signals.deferred() as interrupt:
            members.train(
                [_member(job, held[training_name(job)]) for job in todo],
                todo[0].run.train,
                todo[0].optimization,
                device=todo[0].device,
                checkpoint_every=todo[0].run.trainer.checkpoint_every,
                finished=ended,
                interrupt=interrupt,
            )


def _member(job: Job, held: Lease) -> Member:
    resumed = newest_checkpoint(job)
    initial = "" if resumed else initial_weights.take_over(job.model, job.run)
    followers = trackers.start(job.run, job.name, job.paths, resumed.step if resumed else 0)
    data = training_data(job, 1)
    data.multiple = data.width  # batches of all members are of one width
    return Member(
        job.model,
        data,
        job.run.seed,
        job.paths.checkpoints,
        training_name(job),
        resumed,
        initial,
        [logger for _, logger in followers],
        learning(job),
        held.parts,
    )


def _done(job: Job) -> bool:
    """Whether there is nothing to train. To refuse what has failed before is left to the run itself."""
    try:
        return job.paths.weights.exists() or finished.existing_record(job.run, job.paths) is not None
    except Refused:
        return True


def _waiting(job: Job, other: Process) -> None:
    log.warning("waiting for %s, which has %s", other, job.paths.folder)
