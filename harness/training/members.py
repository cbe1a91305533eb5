"""Training several runs as one program: runs that differ in their seeds alone, in a stack
(:mod:`harness.training.stack`).

Each is trained as by :func:`harness.training.loop.train`: its batches, looks at held-out examples, reports and
checkpoints are those of the run by itself, and it ends when it would end by itself. Its checkpoints are those of
Lightning too, so a run can go on by itself from where it was trained with others, and the other way round.
"""

import logging
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from pytorch_lightning.loggers import Logger
from torch import Tensor

from harness import progress
from harness.config.schema import Train
from harness.data.training_examples import TrainingData
from harness.models.base import Model
from harness.results.records import Look
from harness.system.signals import Interrupt
from harness.training import member_batches, member_check, member_checkpoints
from harness.training.learning import Learning
from harness.training.loop import TrainingResult
from harness.training.module import Optimization
from harness.training.monitor import REPORT_EVERY
from harness.training.resumption import Resumption, TrainingHistory
from harness.training.spent import spent
from harness.training.stack import Stack

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Member:
    """One of the runs, with what :func:`harness.training.loop.train` takes for it. The batches of ``data`` are all of
    one width. ``past`` is what its training has been through.
    """

    model: Model
    data: TrainingData
    seed: int
    checkpoints: Path
    training: str
    resumed: Resumption | None = None
    initial: str = ""
    loggers: Sequence[Logger] = ()
    learning: Learning | None = None
    parts: Path | None = None
    """Those of the run's lease, in which checkpoints are written."""
    past: TrainingHistory = field(init=False)

    def __post_init__(self) -> None:
        past = TrainingHistory(initial=self.initial)
        if self.resumed is not None:
            past = TrainingHistory.model_validate(self.resumed.checkpoint["past"])
            past = past.model_copy(update={"resumed_from": (*past.resumed_from, self.resumed.step)})
        if self.learning is not None:
            self.learning.looks = list(past.looks)
        self.past = past.model_copy(update={"threads": (*past.threads, torch.get_num_threads())})

    @property
    def first(self) -> int:
        """The steps that it has taken before."""
        return self.resumed.step if self.resumed else 0


Finished = Callable[[Member, TrainingResult], None]


def train(
    members: Sequence[Member],
    settings: Train,
    optimization: Optimization,
    *,
    device: torch.device,
    checkpoint_every: int,
    finished: Finished,
    interrupt: Interrupt | None = None,
) -> None:
    """Train these runs, and call ``finished`` for each as it ends. One whose loss is no longer finite is left out.

    Raises :class:`~harness.errors.Refused` where they cannot be trained as one, and ``KeyboardInterrupt`` when
    ``interrupt`` was requested, after all that have not ended have been saved.
    """
    interrupt = interrupt or Interrupt(final=False)
    steps = settings.steps * len(members)
    with progress.shown(f"training {len(members)} runs", steps, sum(member.first for member in members)) as shown:
        loop = _Loop(settings, optimization, device, checkpoint_every, finished, shown, len(members))
        waiting = loop.groups(members)
        loop.clock = time.monotonic()
        interrupt.deferred = True
        try:
            while waiting:
                group = waiting.pop()
                waiting += loop.step(group)
                if interrupt.requested_at is not None:
                    for group in waiting:
                        loop.save(group)
                    if waiting:
                        raise KeyboardInterrupt
        finally:
            interrupt.deferred = False


@dataclass
class _Group:
    """Members in one stack, with the sum of their losses since the last report [M] and how many were summed."""

    members: list[Member]
    stack: Stack
    total: Tensor
    count: int


@dataclass
class _Loop:
    settings: Train
    optimization: Optimization
    device: torch.device
    checkpoint_every: int
    finished: Finished
    shown: progress.Step
    size: int
    done: int = 0
    clock: float = field(default_factory=time.monotonic)

    def groups(self, members: Sequence[Member]) -> list[_Group]:
        """A group for each step that members are at and each step at which they are to end."""
        places = {(member.first, self._end(member)) for member in members}
        self.done = sum(member.first for member in members)
        return [
            self._group([m for m in members if (m.first, self._end(m)) == place], *place) for place in sorted(places)
        ]

    def step(self, group: _Group) -> list[_Group]:
        """Take a step. Gives the groups that there are then, of the members that go on."""
        stack = group.stack
        batches = [member_batches.on(member.data(stack.step), self.device) for member in group.members]
        group.total = group.total + stack.train(batches)
        group.count += 1
        self._count_seconds(group)
        for member in group.members:
            if member.learning is not None and stack.step % member.learning.every == 0:
                near, beyond = member.learning.held(member.model)
                look = Look(step=stack.step, in_distribution=near, out_of_distribution=beyond)
                member.learning.looks.append(look)
                self._count_seconds(group)
        lost = self._report(group)
        ends = {m: self._end(member) for m, member in enumerate(group.members) if m not in lost}
        for m, end in ends.items():
            if stack.step >= end:
                self._finish(group.members[m])
        going = {m: end for m, end in ends.items() if stack.step < end}
        groups = [group]
        if len(going) < len(group.members) or set(going.values()) != {stack.steps}:
            groups = [
                self._part(group, [m for m in going if going[m] == end], end) for end in sorted(set(going.values()))
            ]
        if stack.step % self.checkpoint_every == 0:
            for one in groups:
                self.save(one)
        return groups

    def save(self, group: _Group) -> None:
        """Write a checkpoint of each member."""
        self._count_seconds(group)
        for m, (member, total) in enumerate(zip(group.members, group.total.tolist(), strict=True)):
            past = self._history(member).model_copy(update={"total": total, "count": group.count})
            member_checkpoints.save(group.stack, m, member.checkpoints, member.training, past, member.parts)

    def _group(self, members: list[Member], step: int, steps: int) -> _Group:
        stack = Stack(
            [member.model.to(self.device) for member in members],
            self.settings,
            self.optimization,
            seeds=[member.seed for member in members],
            step=step,
            steps=steps,
            states=member_checkpoints.load([(m.model, m.resumed.checkpoint) for m in members if m.resumed]),
        )
        member_check.check(stack, [member_batches.on(member.data(step), self.device) for member in members])
        total = torch.tensor([member.past.total for member in members], device=self.device)
        return _Group(members, stack, total, members[0].past.count)

    def _part(self, group: _Group, which: Sequence[int], steps: int) -> _Group:
        members = [group.members[m] for m in which]
        return _Group(members, group.stack.part(which, steps), group.total[list(which)], group.count)

    def _report(self, group: _Group) -> set[int]:
        """Report every so many steps, of a member also at its end. Gives those that are lost: their loss is not finite,
        or a weight is not at the end.
        """
        stack, regular, lost = group.stack, group.stack.step % REPORT_EVERY == 0, set()
        ending = {m for m, member in enumerate(group.members) if stack.step >= self._end(member)}
        losses = (group.total / group.count).tolist() if regular or ending else []
        for m, member in enumerate(group.members):
            metrics = {} if member.learning is None else member.learning.latest(stack.step)
            if regular or m in ending:
                if not math.isfinite(losses[m]) or (m in ending and not _finite(member.model)):
                    log.warning("%s: its loss or a weight is not finite: it is trained by itself", member.training)
                    lost.add(m)
                    continue
                member.past = member.past.model_copy(update={"loss": losses[m]})
                seconds = member.past.seconds
                metrics = {"loss": losses[m], "learning_rate": stack.learning_rate, "seconds": seconds, **metrics}
            if metrics:
                self._log(member, metrics, stack.step)
        self.done += len(group.members)
        if regular:
            group.total, group.count = torch.zeros_like(group.total), 0
        if losses:
            self.shown(self.done, f"loss {sum(losses) / len(losses):.4f}")
        return lost

    def _log(self, member: Member, metrics: dict[str, float], step: int) -> None:
        for logger in list(member.loggers):
            try:
                logger.log_metrics(metrics, step)
            except Exception as error:  # whatever a logger does, the run goes on
                log.warning("%s broke and is left out from now on: %s", type(logger).__name__, error)
                member.loggers = [other for other in member.loggers if other is not logger]

    def _end(self, member: Member) -> int:
        """The step at which a member ends, by what it has learned so far."""
        learned = None if member.learning is None else member.learning.learned
        steps = self.settings.steps
        return steps if learned is None else self.optimization.schedule.end(learned, steps)

    def _count_seconds(self, group: _Group) -> None:
        """Charge each member of a group with its share of the time since the last call."""
        now = time.monotonic()
        share, self.clock = (now - self.clock) / len(group.members), now
        for member in group.members:
            member.past = member.past.model_copy(update={"seconds": member.past.seconds + share})

    def _history(self, member: Member) -> TrainingHistory:
        looks = () if member.learning is None else tuple(member.learning.looks)
        return member.past.model_copy(update={"looks": looks, "members": max(self.size, member.past.members)})

    def _finish(self, member: Member) -> None:
        self.done += self.settings.steps - self._end(member)
        past = self._history(member)
        member.model.cpu()
        result = TrainingResult(
            self._end(member),
            past.loss,
            past.seconds,
            past.resumed_from,
            past.threads,
            past.initial,
            past.looks,
            past.members,
            *spent(member.model, member.data, self._end(member)),
        )
        self.finished(member, result)


def _finite(model: Model) -> bool:
    return all(bool(torch.isfinite(parameter).all()) for parameter in model.parameters())
