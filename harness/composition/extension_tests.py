"""The runs that test a saved network under test-time extensions, as words of the command line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness.composition.compose import Composer
from harness.config import instantiation
from harness.config.schema import Run
from harness.errors import Refused, unknown
from harness.models import huggingface_folder

EXTENSIONS = ("extrapolate", "interpolate", "ntk", "yarn", "self_extend", "window", "lambda_mask", "hierarchical")
"""What is tried unless something else is asked for: one of each kind that needs no training."""
CUT = "truncate"
"""What is left where positions beyond the network's own do not exist."""
TASKS = ("text", "passkey", "needle", "needle_multikey", "needle_multivalue", "needle_multiquery")
"""The tasks that are written in a network's own tokens."""
FRACTIONS = (0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)
"""Tested lengths over the length of the pretraining."""


class Saved(NamedTuple):
    """A network in a folder, and the number of tokens it was made for."""

    name: str
    folder: Path
    context: int


def saved(name: str, context: int | None, *, local_files_only: bool) -> Saved:
    """The network of a folder or a repository; ``context`` in place of what its config states. Raises
    :class:`Refused`.
    """
    try:
        folder = huggingface_folder.folder(name, "main", local_files_only)
        found = context or huggingface_folder.context(folder)
    except ValueError as error:
        raise Refused(error) from error
    if found is None:
        raise Refused(f"{folder / 'config.json'} does not say for how many tokens it was made: give --trained")
    if not (folder / "tokenizer.json").is_file():
        raise Refused(f"{folder} has no tokenizer.json, in whose tokens it would be tested")
    return Saved(name, folder, found)


def lengths(context: int, longest: int) -> list[int]:
    """The tested lengths: up to the pretraining's, and beyond it up to the longest."""
    return sorted({int(fraction * context) for fraction in FRACTIONS if fraction * context <= longest} | {longest})


def run(
    hydra: Composer,
    network: Saved,
    task: str,
    longest: int,
    extensions: Sequence[str],
    examples: int,
    own: Sequence[str],
) -> Run:
    """The run of one task, at those lengths that have room for its questions. Raises :class:`Refused`."""
    tested = lengths(network.context, longest)
    first = hydra.run(words(network, task, [network.context, longest], extensions, examples, own))
    made = instantiation.task(first)
    possible = [length for length in tested if made.produces(length)]
    return hydra.run(words(network, task, possible, extensions, examples, own))


def words(
    network: Saved, task: str, tested: Sequence[int], extensions: Sequence[str], examples: int, further: Sequence[str]
) -> list[str]:
    """The words of one run."""
    longest = tested[-1]
    table = huggingface_folder.has_table(network.folder)
    tokenizer = network.folder / "tokenizer.json"
    own = [f"task.longest={longest}", f"task.tokenizer={_quoted(tokenizer)}"]
    asked = [f"task.tokenizer={_quoted(tokenizer)}", "architecture.separator=colon"]
    return [
        "architecture=huggingface",
        f"architecture.name_or_path={_quoted(network.name)}",
        *(
            ["encoding=pretrained_table", f"encoding.rows={network.context}"]
            if table
            else ["encoding=pretrained_rotary"]
        ),
        f"task={task}",
        *(own if task == "text" else asked),
        f"lengths.shortest={tested[0]}",
        f"lengths.train={network.context}",
        f"lengths.test={longest}",
        f"lengths.grid={json.dumps(list(tested), separators=(',', ':'))}",
        f"extension=[{','.join(extensions)}]",
        f"evaluation.examples={examples}",
        "train.steps=0",
        *further,
    ]


def possible(
    hydra: Composer, network: Saved, tasks: Sequence[str], longest: int, examples: int, further: Sequence[str]
) -> list[str]:
    """Those of :data:`EXTENSIONS` that every task can have, and truncation where the network cannot go on as it is.
    Raises :class:`Refused` where there is none, with the reason.
    """

    def attempt(task: str, name: str) -> Run | Refused:
        return hydra.attempt(words(network, task, [network.context, longest], [name], examples, further))

    reasons: list[Refused] = []
    found = []
    for name in (*EXTENSIONS, CUT):
        refused = [one for one in (attempt(task, name) for task in tasks) if isinstance(one, Refused)]
        reasons += refused
        if not refused and (name != CUT or "extrapolate" not in found):
            found.append(name)
    if not found:
        raise reasons[0]
    return found


def check_tasks(tasks: Sequence[str]) -> None:
    """Raise :class:`Refused` unless each is written in a network's own tokens."""
    for task in tasks:
        if task not in TASKS:
            raise unknown("task", task, TASKS, "tasks in the tokens of a network")


def _quoted(value: object) -> str:
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
