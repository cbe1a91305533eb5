"""The choices of every group: the files of conf/, each with a one-line description."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from harness.config import choice_files
from harness.errors import one_line

CONF = Path(__file__).resolve().parents[2] / "conf"
"""Found by its own path, so that a folder called conf in the user's working folder is not taken for it."""

GROUPS = {
    "task": "what the model learns, with training and test lengths",
    "encoding": "how position enters the model",
    "positions": "the position index each token receives",
    "train_extension": "what changes before weights of another run are trained further (weights_from=...)",
    "extension": "what changes at test time, with the same weights; several: extension=[extrapolate,ntk]",
    "logit": "how attention logits are scaled with length",
    "architecture": "the network",
    "mixer": "what mixes tokens in each layer; several alternate: mixer=[mamba2,attention]",
    "model": "size of the network",
    "train": "training budget, learning rate and precision",
    "optimizer": "the optimizer",
    "schedule": "the learning rate after warm-up",
    "callbacks": "callbacks of your own for Lightning's Trainer, from --config-dir; several: callbacks=[mine,other]",
    "evaluation": "number of test examples of each length",
    "trainer": "devices and the attention kernel",
    "logger": "where training curves are written; several: logger=[wandb,tensorboard]",
    "launcher": "where a sweep (-m) runs",
    "sweep": "what a sweep runs: what is listed, or what a search over the learning rate and the like finds best",
    "study": "published experiments, each a preset over all groups",
}
"""The groups of choices, in the order in which they are listed."""


class Choice(NamedTuple):
    """One file of a group: its name, its description, the class it names, if any, and where it lies."""

    name: str
    meaning: str
    target: str | None
    path: Path


def names(folders: Sequence[Path] = (CONF,)) -> dict[str, list[str]]:
    """The names of the choices of each group, in alphabetical order."""
    return {
        group: sorted({path.stem for folder in folders for path in (folder / group).glob("*.yaml")}) for group in GROUPS
    }


def choices(group: str, folders: Sequence[Path] = (CONF,)) -> Iterator[Choice]:
    """The choices of a group from all folders, in alphabetical order."""
    for name, path in _files(group, folders):
        text = choice_files.text(path)
        meanings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#") and "@package" not in line]
        yield Choice(name, one_line(meanings[0]) if meanings else "", named_class(group, text), path)


@cache
def target(group: str, name: str) -> str | None:
    """The class that a choice of conf/ names; ``None`` if there is no such choice or it names no class."""
    path = CONF / group / f"{name}.yaml"
    return named_class(group, choice_files.text(path)) if path.is_file() else None


def named_class(group: str, text: str) -> str | None:
    """The class that the file of a choice names, given its text."""
    content = choice_files.parsed(text)
    node = content.get(group)
    component = node if isinstance(node, dict) else content
    return component.get("_target_")


def aliases(group: str, folders: Sequence[Path] = (CONF,)) -> dict[str, str]:
    """The aliases of a group's choices: the names that the comment ``# Also called: ...`` of a file lists."""
    return {
        name.strip(): choice
        for choice, path in _files(group, folders)
        for line in re.findall(r"^# Also called: (.*)$", choice_files.text(path), re.MULTILINE)
        for name in line.split(",")
    }


def _files(group: str, folders: Sequence[Path]) -> list[tuple[str, Path]]:
    return sorted({path.stem: path for folder in folders for path in (folder / group).glob("*.yaml")}.items())
