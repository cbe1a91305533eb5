"""Which runs of a sweep are trained as one program: those that differ in their seeds alone, where that pays.

``launcher.members`` says how many at most. ``auto`` decides by the size of a step: what is the same for a small network
and a large one, starting each operation, is shared, and what grows with the network is not. The table is what
``benchmarks/ensemble.py`` has measured on a CPU (docs/performance.md). Never the clock: a sweep that is repeated is
split in the same way on every machine with as many slots.

A group is trained by one process (:mod:`harness.runs.members`), which writes the weights of each; the runs then test
them, each in its own process as always. Nothing here needs PyTorch.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pydantic import JsonValue

from harness import atomic, declarations
from harness.config import identity, instantiation, saved_configs
from harness.config.schema import Run
from harness.progress import say
from harness.results.paths import RunPaths

MOST = 16
"""Members of a group under ``auto``."""

LEAST = 4
"""Members that a group has at least under ``auto``: with fewer there is little to share."""

WORK = 8_000_000
"""The :func:`work` up to which ``auto`` trains together. On one CPU thread 4 to 16 members were 1.6 to 4.0 times as
fast as one after the other at half a million, 1.2 to 2.2 times at four million, 1.1 to 1.3 times at sixteen, 1.0 at
sixty.
"""


class Cell(Protocol):
    """What a sweep knows of a run."""

    @property
    def run(self) -> Run: ...
    @property
    def paths(self) -> RunPaths: ...


class Groups:
    """The groups of a sweep, and how far each is."""

    def __init__(self, cells: Sequence[Cell], slots: int, *, gpu: bool) -> None:
        """``cells`` are those to do, for so many ``slots``, which have a GPU each or none."""
        alike = _alike(cells)
        each = -(-slots // max(1, len(alike)))
        groups = [group for some in alike for group in _split(some, each, gpu=gpu)]
        self._groups = {cell.paths.folder: group for group in groups for cell in group}
        """Those that have not begun, by the folder of each member."""
        self._training: dict[Path, list[Cell]] = {}
        """Those at work, by the folder in whose name they are."""
        if groups:
            say(f"{len(self._groups)} runs are trained up to {max(map(len, groups))} at a time as one program")

    def waits(self, cell: Cell) -> bool:
        """Whether the weights of a cell are being trained with others."""
        folders = {member.paths.folder for group in self._training.values() for member in group}
        return cell.paths.folder in folders and not cell.paths.weights.exists()

    def words(self, cell: Cell) -> list[str]:
        """What a process is started with for this cell: the training of its group, once, or its run. Of a group whose
        process cannot be started, :meth:`ended` has to be told.
        """
        group = self._groups.get(cell.paths.folder)
        if group is None:
            return ["--job", str(cell.paths.config), *saved_configs.words(cell.run)]
        for member in group:
            del self._groups[member.paths.folder]
        self._training[cell.paths.folder] = group
        for member in group:
            atomic.write(member.paths.config, member.run.model_dump_json(indent=1) + "\n")
        files = [str(member.paths.config) for member in group]
        return ["--members", str(len(group)), *files, *saved_configs.words(cell.run)]

    def ended(self, cell: Cell, reason: str) -> bool:
        """Whether the process of this cell that has ended was the training of its group: the cell is still to do.
        ``reason`` says why it failed, or could not be started, if so.
        """
        group = self._training.pop(cell.paths.folder, None)
        if group is None:
            return False
        if reason:
            say(f"{len(group)} runs are not trained as one program, but each that is left by itself: {reason}")
        return True


def objection(runs: Sequence[Run]) -> str:
    """Why these runs cannot be trained as one program, as far as their configs say; empty if they may be."""
    first = runs[0]
    if any(_but_seed(run) != _but_seed(first) for run in runs):
        return "launcher.members: these runs differ in more than their seeds"
    return _objection(first)


def _objection(run: Run) -> str:
    optimizer, architecture = (declarations.lookup(x.target).attributes for x in (run.optimizer, run.architecture))
    encoding = declarations.lookup(run.encoding.target).attributes
    objections = {
        "callbacks are called by Lightning, which trains one network": bool(run.callbacks),
        "of loggers only csv follows several runs at once": set(run.logger) - {"csv"} != set(),
        f"trainer.devices={run.trainer.devices}: a device trains all members": run.trainer.devices > 1,
        f"trainer.compile={run.trainer.compile}: what is compiled is one network": run.trainer.compile != "false",
        "trainer.kernel=flex: FlexAttention is compiled for one network": run.trainer.kernel == "flex",
        "force=true: what has been trained is trained again run by run": run.force,
        "train.steps=0: there is nothing to train": not run.train.steps,
        f"optimizer={run.optimizer.name} does more than change each number by its own gradient": not optimizer[
            "elementwise"
        ],
        f"architecture={run.architecture.name}: PyTorch has no rule to vectorise it": not architecture["stackable"],
        f"encoding={run.encoding.name} depends on the width of a batch": not encoding["prefix_consistent"],
    }
    return next((f"launcher.members: {reason}" for reason, holds in objections.items() if holds), "")


def _alike(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Cells that may be members, those that differ in their seeds alone together."""
    groups: dict[str, list[Cell]] = {}
    known: set[object] = set()
    for cell in cells:
        if _most(cell.run) == 1 or cell.paths.folder in known or cell.paths.weights.exists():
            continue  # what is tested in several ways is trained once
        known.add(cell.paths.folder)
        groups.setdefault(_but_seed(cell.run), []).append(cell)
    return [group for group in groups.values() if len(group) > 1]


def _split(cells: list[Cell], slots: int, *, gpu: bool) -> list[list[Cell]]:
    """Groups of cells that differ in their seeds alone, under ``auto`` so many that as many slots have one each, if
    they are to be trained together at all.
    """
    run = cells[0].run
    automatic = _most(run) == "auto"
    if automatic and (gpu or work(run) > WORK):
        return []
    if reason := _objection(run):
        if not automatic:
            say(f"{len(cells)} runs are not trained as one program but each by itself: {reason}")
        return []
    most = asked if isinstance(asked := _most(run), int) else min(MOST, -(-len(cells) // slots))
    count = -(-len(cells) // most)
    groups = [cells[number::count] for number in range(count)]
    return [group for group in groups if len(group) >= (LEAST if automatic else 2)]


def _most(run: Run) -> JsonValue:
    """The option of the launcher; launchers that have none train every run by itself."""
    return run.launcher.options.get("members", 1)


def _but_seed(run: Run) -> str:
    return run.model_copy(update={"seed": 0}).model_dump_json()


def work(run: Run) -> float:
    """Multiplications by the matrices of one block in a forward pass of one batch."""
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    width = max(layout.width(task, length) for length in identity.training_lengths(run, task))
    return 12 * run.model.dimension**2 * run.train.batch * width
