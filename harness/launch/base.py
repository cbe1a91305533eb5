"""The base of launchers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from harness.config.schema import Run
from harness.declarations.bounds import Bounded
from harness.launch.cells import Cell, Outcome
from harness.launch.sweep_files import Sweep


class Launcher(Bounded, ABC):
    """Does the runs of a sweep: each is one process, ``python -m harness`` with :attr:`Cell.words`, whose record is
    read back. What an engine offers (queues, resources, retries) is the engine's to do.

    The options of the constructor are read before PyTorch is loaded, and nothing here needs it.
    """

    elsewhere: bool = False
    """Whether runs are done on other machines, so that a single run is started like a sweep of one."""

    @abstractmethod
    def check(self, run: Run) -> None:
        """Raise :class:`harness.errors.Refused` if runs like this one cannot be started from here."""

    @abstractmethod
    def places(self, run: Run) -> int:
        """How many runs like this one are done at a time, 0 where that is not for this launcher to say. Raises
        :class:`harness.errors.Refused` where there is no place for one.
        """

    @abstractmethod
    def launch(self, todo: Sequence[Cell], sweep: Sweep, outcome: Outcome) -> None:
        """Do these runs, none of which is finished, and note in ``outcome`` how each has ended.

        ``sweep`` is what is kept about the whole. If this process is asked to end, ``KeyboardInterrupt`` is raised,
        after a line that says what becomes of runs that are at work.
        """
