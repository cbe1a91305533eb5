"""What can be chosen: the files of conf/, each with a line of meaning."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

CONF = Path(__file__).resolve().parents[1] / "conf"
"""Found by its own path, so that a folder called conf in the user's working folder is not taken for it."""

GROUPS = {
    "task": "what is learned, with its training and test lengths",
    "encoding": "how position enters the model",
    "positions": "which position each token is told",
    "extension": "what changes at test time on the same weights; several: extension=[extrapolate,ntk]",
    "logit": "how attention logits scale with length",
    "architecture": "the shape of the network",
    "model": "its size",
    "train": "budget and optimizer",
    "evaluation": "how well lengths are measured",
    "trainer": "devices and the attention kernel",
    "logger": "where training curves go; several: logger=[wandb,tensorboard]",
    "launcher": "where a sweep (-m) runs",
    "study": "a published experiment as one preset over all groups",
}
"""The axes of a run, in the order in which people think of them."""


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C is ten times as fast, where there is one."""


class Choice(NamedTuple):
    """One file of a group: what it is called, its line of meaning, and the class it names if it names one."""

    name: str
    meaning: str
    target: str | None


def choices(group: str, folders: Sequence[Path] = (CONF,)) -> Iterator[Choice]:
    """The choices of a group in alphabetical order, those of later folders besides those of earlier ones."""
    files = {path.stem: path for folder in folders for path in (folder / group).glob("*.yaml")}
    for name, path in sorted(files.items()):
        text = path.read_text("utf-8")
        meanings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#") and "@package" not in line]
        content: dict[str, Any] = yaml.load(text, _LOADER) or {}  # noqa: S506 - a safe loader
        node = content.get(group)
        component = node if isinstance(node, dict) else content
        yield Choice(name, meanings[0] if meanings else "", component.get("_target_"))
