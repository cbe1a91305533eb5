"""The page that ``--help`` prints: one screen of 60 lines and 80 columns, from which everything else is found."""

import re
import textwrap
from collections.abc import Mapping

from harness.composition import folders
from harness.config import catalogue

HEAD = """Train a sequence model on short inputs, measure how it does on longer ones.

  python -m harness encoding=rope task=copy                     one run
  python -m harness encoding=alibi model.layers=4 train.batch=64
  python -m harness -m encoding=rope,alibi 'seed=range(3)'      a sweep
"""

FOOT = """
Find out more
  python -m harness ls encodings rotary     choices that mention a word
  python -m harness ls task=copy            all about one choice
  python -m harness ls train.               keys, defaults, bounds
  python -m harness COMMAND --help          what a command takes
Flags: -m (a sweep), --dry-run (the plan), --cfg job (the config),
--config-dir DIR (choices of your own), --version.
eval "$(python -m harness completion bash)" completes words with Tab."""

WIDTH = 80


def page(commands: Mapping[str, str], folder: str | None = None) -> str:
    """The ``commands`` with what each does, and the groups with how many choices each has."""
    names = catalogue.names(folders.folders([] if folder is None else [folder]))
    lines = [HEAD, "Commands"]
    lines += [_line(f"  {name:<13}", meaning) for name, meaning in commands.items()]
    lines += ["", "Groups, each with a choice: GROUP=CHOICE; values in it: GROUP.KEY=VALUE"]
    lines += [_line(f"  {name:<16}{len(names[name]):>3}  ", meaning) for name, meaning in catalogue.GROUPS.items()]
    return "\n".join([*lines, FOOT])


def _line(first: str, meaning: str) -> str:
    """What comes before the details of a meaning."""
    return first + textwrap.shorten(re.split(r"[:;] ", meaning)[0], WIDTH - len(first), placeholder=" ...")
