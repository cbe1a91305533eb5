"""The shell commands that README.md and the pages of docs/ tell their readers to type."""

import argparse
import re
import runpy
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from support import ROOT

from harness import cli
from harness.composition.arguments import Parser
from harness.composition.compose import Composer
from harness.config import identity, instantiation
from harness.config.schema import Run

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1", re.M | re.S)
SHELLS = ("bash", "sh", "shell", "console")
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b|\.\.\.|(?<![\w-])[NX]\b")
"""What a reader has to put something in the place of: ``FOLDER``, ``NAME``, ``...``."""


class Command(NamedTuple):
    """One command: the words before ``python -m harness`` that start it elsewhere, if any, and its own."""

    page: str
    words: tuple[str, ...]

    @property
    def harness(self) -> list[str] | None:
        """The arguments of the harness, also where ``torchrun`` or ``srun`` starts it; otherwise ``None``."""
        at = next((n for n, pair in enumerate(zip(self.words, self.words[1:], strict=False)) if pair == HARNESS), None)
        return None if at is None else list(self.words[at + 2 :])

    @property
    def started_directly(self) -> bool:
        return self.words[:3] == ("python", *HARNESS)

    def __str__(self) -> str:
        return f"{self.page}: {shlex.join(self.words)}"


HARNESS = ("-m", "harness")


def in_blocks(page: Path) -> list[Command]:
    """The commands in blocks of code: every line of those that are fenced as a shell's or indented."""
    text = page.read_text("utf-8")
    fenced = [body for _, language, body in FENCE.findall(text) if language in SHELLS]
    prose = FENCE.sub("", text)
    indented = re.findall(r"(?<=\n\n)((?:    .*\n)+)", prose)
    return _commands(page, "\n".join([*fenced, *indented]))


def in_sentences(page: Path) -> list[Command]:
    """The commands of the harness, and scripts of this repository, in running text and tables that are complete:
    nothing has to be filled in. (The log of decisions is about commands of the past.)
    """
    if page.name == "decisions.md":
        return []
    prose = re.sub(r"^    .*", "", FENCE.sub("", page.read_text("utf-8")), flags=re.M)
    quoted = re.findall(r"`(python (?:-m harness|benchmarks/|docs/)[^`]*)`", prose)
    quoted = [" ".join(found.split()) for found in quoted]
    return _commands(page, "\n".join(line for line in quoted if not PLACEHOLDER.search(line)))


def _commands(page: Path, code: str) -> list[Command]:
    found = []
    for line in code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):  # a variable of the environment
            del words[0]
        if words:
            found.append(Command(str(page.relative_to(ROOT)), tuple(words)))
    return found


SMALL = (
    "model.dimension=32", "model.heads=2", "train.steps=5", "train.warmup=2", "train.batch=4", "evaluation.examples=8",
    "trainer=cpu", "launcher.threads=1",
)  # fmt: skip
"""The rule by which a training of the documents is made small: a narrow network, few steps, few examples, three of the
lengths that it would be tested at (:func:`small`), and of several seeds the first."""


def small(words: list[str], run: Run) -> list[str]:
    """A training with the budget of a test. ``run`` is one of its cells as it is written."""
    tested, task = identity.tested_lengths(run, instantiation.task(run)), run.lengths.train
    within, beyond = [n for n in tested if n <= task], [n for n in tested if n > task]
    budget = [*SMALL, f"lengths.grid=[{','.join(map(str, [*within[-1:], *beyond[:1]]))}]"]
    replaced = {word.partition("=")[0] for word in budget} - ({"train.steps"} if run.train.steps == 0 else set())
    kept = [word for word in words if word.partition("=")[0] not in replaced]
    kept = ["sweep.trials=2" if word.startswith("sweep.trials=") else word for word in kept]
    if "-m" in kept:
        kept = ["seed=0" if word.startswith("seed=") else word for word in kept]
    return [*kept, *(word for word in budget if word.partition("=")[0] in replaced)]


def cells(hydra: Composer, words: list[str]) -> list[Run]:
    """The runs that a training command asks for. Raises :class:`harness.errors.Refused` for the first that is wrong."""
    found = []
    for _, run in hydra.attempts([word for word in words if not word.startswith("-")]):
        if not isinstance(run, Run):
            raise run
        found.append(run)
    return found


def read_only(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Read the arguments of a command or a script of ours, and do nothing."""

    class Read(Exception):
        """The arguments are good."""

    def stop(reader: Callable[..., argparse.Namespace]) -> Callable[..., argparse.Namespace]:
        def read(*arguments: object, **options: object) -> argparse.Namespace:
            reader(*arguments, **options)
            raise Read

        return read

    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", stop(argparse.ArgumentParser.parse_args))
        patch.setattr(Parser, "read", stop(Parser.read))
        if words[0] != "python":
            with pytest.raises(Read):
                cli.main(words)
            return
        script = ROOT / words[1]
        assert script.exists(), script
        if script.suffix == ".py" and "argparse" not in script.read_text():
            return
        patch.setattr(sys, "argv", words[1:])
        patch.syspath_prepend(str(script if script.is_dir() else script.parent))
        with pytest.raises(Read):
            runpy.run_path(str(script), run_name="__main__")
