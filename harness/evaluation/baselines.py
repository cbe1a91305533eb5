"""Trivial baselines: chance, input-blind, and the task's known shortcuts.

Every score is reported with these, and all of them are rows of a leaderboard.
"""

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from harness import atomic
from harness.config import identity
from harness.errors import Refused
from harness.evaluation import blind
from harness.layouts.base import Layout
from harness.results import records
from harness.results.records import Answers, Chance, Counts
from tasks.base import ABSENT, Batch, Shortcut, Task

log = logging.getLogger(__name__)

VERSION = 5
"""Incremented when a baseline would be estimated differently: cached values are then recomputed."""


class Baselines(NamedTuple):
    """The baselines at each tested length; of shortcuts, by name."""

    blind: list[Counts]
    chance: list[Chance]
    shortcuts: dict[str, list[Answers]]


def baselines(
    task: Task, layout: Layout, lengths: Sequence[int], examples: int, science: dict[str, Any], cache: Path
) -> Baselines:
    """The baselines at each length, computed once for a task and a layout and then read from ``cache``."""
    key = {
        "baselines": VERSION,
        "task": science["training"]["task"],
        "layout": type(layout).__name__,
        "lengths": list(lengths),
        "examples": examples,
        "shortcuts": sorted(task.shortcuts()),
    }
    path = cache / f"{identity.digest(key)}.json"
    if os.path.lexists(path):
        try:
            return _cached(path, key, task, lengths)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            log.warning("%s cannot be used and is computed anew: %s", path, records.one_line(error)[:300])
    found = compute(task, layout, lengths, examples)
    try:
        atomic.write(path, _content(key, found))
    except OSError as error:  # it is kept for others alone
        log.warning("%s cannot be written: %s", path, error.strerror)
    return found


def _cached(path: Path, key: dict[str, Any], task: Task, lengths: Sequence[int]) -> Baselines:
    """The baselines in a file of the cache. Raises one of several errors if it is not as written for ``key``."""
    if not path.is_file():
        raise ValueError("it is not a file")
    content = path.read_text("utf-8")
    kept = _read(json.loads(content))
    if content != _content(key, kept):
        raise ValueError("its digest is not that of its content: it was damaged or changed")
    if not _complete(kept, task, lengths):
        raise ValueError("it is not complete")
    return kept


def _content(key: dict[str, Any], baselines: Baselines) -> str:
    """The content of a cache file: the baselines, and a digest of them and of their key."""
    values = _plain(baselines)
    digest = hashlib.sha256(json.dumps([key, values], sort_keys=True).encode())
    return json.dumps({"digest": digest.hexdigest(), **values})


def compute(task: Task, layout: Layout, lengths: Sequence[int], examples: int) -> Baselines:
    """The baselines at each length, on the test examples. Ends of answers count where the layout scores them."""
    return Baselines(
        [Counts(**blind.estimate(task, length, examples, layout)._asdict()) for length in lengths],
        [chance(task, layout, length, examples) for length in lengths],
        {
            name: [shortcut_answers(name, shortcut, task, layout, length, examples) for length in lengths]
            for name, shortcut in task.shortcuts().items()
        },
    )


def chance(task: Task, layout: Layout, length: int, examples: int) -> Chance:
    """The expected accuracy, over the test examples, of guessing each scored token uniformly among the possible ones,
    knowing where answers end.
    """
    batch = blind.test_examples(task, length, examples)
    scored_tokens = batch.scored.sum(axis=1)
    ends = int(layout.end_is_scored(batch, length).sum())
    return Chance(
        length=length,
        exact=0.0 if task.form == "stream" else float(np.mean(float(len(task.outputs)) ** -scored_tokens)),
        tokens=float((scored_tokens.sum() / len(task.outputs) + ends) / (scored_tokens.sum() + ends)),
        without_ends=1 / len(task.outputs),
    )


def shortcut_answers(name: str, shortcut: Shortcut, task: Task, layout: Layout, length: int, examples: int) -> Answers:
    """How many of the test examples of one length a shortcut gets right. As for a model, its answer must end in the
    right place.

    Raises :class:`Refused` if the shortcut raises an error.
    """
    batch = blind.test_examples(task, length, examples)
    exact = tokens = correct = ends_correct = 0
    ended = layout.end_is_scored(batch, length)
    for prompt, (truth, scored), ends in zip(batch.prompt, _answers(task, batch), ended, strict=True):
        end = ["[end]"] if ends else []
        try:
            guess = [*shortcut([task.alphabet[token] for token in prompt if token != ABSENT]), *end]
        except (ValueError, LookupError, TypeError) as error:
            raise Refused(f"shortcut {name} of {type(task).__name__} at length {length}: {error}") from error
        places = np.flatnonzero([*scored, *[True] * len(end)])
        answer = [*truth, *end]
        right = sum(place < len(guess) and guess[place] == answer[place] for place in places.tolist())
        tokens += len(places)
        correct += right
        ends_correct += bool(end) and guess[len(truth) : len(answer)] == end
        exact += right == len(places) and (not end or len(guess) == len(answer))
    return Answers(
        length=length,
        examples=len(batch.prompt),
        exact=exact,
        tokens=tokens,
        correct=correct,
        ends=int(ended.sum()),
        ends_correct=ends_correct,
    )


def _answers(task: Task, batch: Batch) -> Iterator[tuple[list[str], list[bool]]]:
    """Each answer and which of its tokens count, without the padding."""
    for row, scored in zip(batch.answer, batch.scored, strict=True):
        last = int(np.flatnonzero(row != ABSENT).max(initial=-1)) + 1
        yield ["" if token == ABSENT else task.alphabet[token] for token in row[:last]], scored[:last].tolist()


def _plain(baselines: Baselines) -> dict[str, Any]:
    return {
        "blind": [row.model_dump() for row in baselines.blind],
        "chance": [row.model_dump() for row in baselines.chance],
        "shortcuts": {name: [row.model_dump() for row in rows] for name, rows in baselines.shortcuts.items()},
    }


def _read(values: dict[str, Any]) -> Baselines:
    return Baselines(
        [Counts(**row) for row in values["blind"]],
        [Chance(**row) for row in values["chance"]],
        {name: [Answers(**row) for row in rows] for name, rows in values["shortcuts"].items()},
    )


def _complete(kept: Baselines, task: Task, lengths: Sequence[int]) -> bool:
    lengths_of = [[row.length for row in kept.blind], [row.length for row in kept.chance]]
    lengths_of += [[row.length for row in rows] for rows in kept.shortcuts.values()]
    return set(kept.shortcuts) == set(task.shortcuts()) and all(part == list(lengths) for part in lengths_of)
