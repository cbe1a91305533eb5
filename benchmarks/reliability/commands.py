"""Commands of the program in processes of their own, and what every attack needs of them."""

import multiprocessing
import os
import re
import resource
import runpy
import sys
import tempfile
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NamedTuple

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["harness.composition.compose", "harness.recipe"])

NANO = (
    "model=nano", "train.steps=120", "train.warmup=5", "trainer=cpu", "launcher.threads=1", "evaluation.examples=8",
    "lengths.train=6", "lengths.test=12", "trainer.checkpoint_every=20",
)  # fmt: skip
"""A run of about three seconds once PyTorch is loaded."""

LONGEST_LINE = 1000
"""Characters of a refusal; lists of choices are left out of the count."""


class Outcome(NamedTuple):
    """How a command ended; ``code`` is negative where a signal killed it."""

    code: int
    out: str
    err: str
    seconds: float
    """CPU time of the process itself, of a copy of one that has loaded everything already."""

    def said(self) -> list[str]:
        """What it wrote to standard error, without the list of choices that some lines end in."""
        return [re.sub(r"(: )([\w.-]+, ){3}.*", r"\1...", line) for line in self.err.splitlines() if line.strip()]

    @property
    def refused(self) -> bool:
        """Whether it was refused in one line of moderate length."""
        lines = self.said()
        return self.code == 2 and len(lines) == 1 and lines[0].startswith("error: ") and len(lines[0]) < LONGEST_LINE

    @property
    def traceback(self) -> bool:
        return "Traceback (most recent call last)" in self.out + self.err


class Command:
    """A command at work in ``folder``."""

    def __init__(self, words: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        self._said = tempfile.TemporaryDirectory()
        paths = [str(Path(self._said.name, name)) for name in ("out", "err", "seconds")]
        changes = {"OMP_NUM_THREADS": "1", "WANDB_MODE": "offline", **(environment or {})}
        self.process: BaseProcess = CONTEXT.Process(target=_main, args=(list(words), str(folder), changes, paths))
        self.process.start()

    def signal(self, number: int) -> None:
        assert self.process.pid is not None
        if self.process.is_alive():
            os.kill(self.process.pid, number)

    def end(self, timeout: float = 300) -> Outcome:
        self.process.join(timeout)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join()
        out, err, seconds = (
            path.read_text("utf-8", "replace") if path.exists() else ""
            for path in (Path(self._said.name, name) for name in ("out", "err", "seconds"))
        )
        self._said.cleanup()
        assert self.process.exitcode is not None
        return Outcome(self.process.exitcode, out, err, float(seconds or 0))


def run(words: Sequence[str], folder: Path, environment: dict[str, str] | None = None) -> Outcome:
    """Do a command and wait for it."""
    return Command(words, folder, environment).end()


def _main(words: list[str], folder: str, changes: dict[str, str], paths: list[str]) -> None:
    for number, path in enumerate(paths[:2], start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.update(changes)
    sys.path.insert(0, folder)  # as `python -m` does
    sys.argv = ["harness", *words]
    try:
        runpy.run_module("harness", run_name="__main__", alter_sys=True)
    finally:
        used = resource.getrusage(resource.RUSAGE_SELF)
        Path(paths[2]).write_text(str(used.ru_utime + used.ru_stime))
