"""The launcher that runs everything on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from harness.config.schema import Run
from harness.errors import Refused
from harness.launch import pool, slots
from harness.launch.base import Launcher
from harness.launch.cells import Cell, Outcome
from harness.launch.slots import Slot
from harness.launch.sweep_files import Sweep
from harness.progress import say


class Local(Launcher):
    """Runs on this machine, one per slot: a GPU or a part of one, or a CPU core where there is none."""

    def __init__(
        self,
        *,
        slots: Annotated[int, Field(ge=0, le=4096)] = 0,
        threads: Annotated[int, Field(ge=0, le=4096)] = 0,
        per_gpu: Annotated[int, Field(ge=1, le=64)] = 1,
        copies: bool = True,
        members: Literal["auto"] | Annotated[int, Field(ge=1, le=4096)] = 1,
    ) -> None:
        self.slots = slots
        self.threads = threads
        self.per_gpu = per_gpu
        self.copies = copies
        self.members = members

    def check(self, run: Run) -> None:
        """Raise :class:`Refused` if one run needs more GPUs than there are here, or other machines."""
        self._slots(run)

    def places(self, run: Run) -> int:
        return len(self._slots(run))

    def launch(self, todo: Sequence[Cell], sweep: Sweep, outcome: Outcome) -> None:
        free = self._slots(todo[0].run)
        say(f"{len(free)} at a time on this machine")
        pool.work(todo, free, outcome, copies=self.copies)

    def _slots(self, run: Run) -> list[Slot]:
        if run.trainer.nodes > 1:
            raise Refused(
                f"launcher=local: runs of a sweep are on this machine, not on trainer.nodes={run.trainer.nodes}: "
                "launcher=slurm does such runs"
            )
        return slots.for_run(run, self.slots, self.threads, self.per_gpu)
