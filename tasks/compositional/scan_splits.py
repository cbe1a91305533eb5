"""SCAN's splits that are not by length."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from types import MappingProxyType
from typing import Literal

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.compositional.scan import ACTIONS, LONGEST_COMMAND, SHORTCUTS, WORDS, commands, execute

TRAINED, HELD_OUT = 1, 2
LONGEST_ANSWER = 48
SIMPLE_TEST = 4182
JUMP_COPIES, TURN_LEFT_COPIES = 1467, 2189

Command = tuple[str, ...]


class ScanSplits(Task):
    """Length says which commands: 1 are those trained on, 2 those held out. It counts nothing here, so that what is in
    the training distribution and what is beyond are separated as in every other task; ``actions`` has the actions of an
    answer. Train on length 1 and test on 1 and 2. Of length 2 there are only tests: all held-out commands, once each.

    The 20,910 commands are those of :class:`tasks.compositional.scan.Scan`.

    ``split``: ``simple`` holds out 4,182 commands at random and trains on 16,728. ``add_jump`` holds out the 7,706
    commands in which "jump" occurs among other words, and trains on the 13,203 without it and on 1,467 copies of
    "jump", a tenth of 14,670. ``add_turn_left`` does so with "turn left": 1,208 held out, and 19,701 with 2,189 copies
    trained on, 21,890 in all. Training draws each row of these equally often.

    Example: ``jump twice after walk left -> I_TURN_LEFT I_WALK I_JUMP I_JUMP``.

    Lake & Baroni (2018), experiments 1 and 3, arXiv 1711.00350. ``add_jump`` and ``add_turn_left`` are determined by
    their rules. ``simple`` is not: it is here the commands whose SHA-256 is lowest, as many as in the published split.

    Raises :class:`ValueError` for another split.
    """

    version = 1
    alphabet = WORDS + ACTIONS
    axes = ("actions",)

    def __init__(self, *, split: Literal["simple", "add_jump", "add_turn_left"] = "add_jump") -> None:
        self._rows = _rows(split)

    @property
    def outputs(self) -> tuple[str, ...]:
        return ACTIONS

    def prompt_length(self, length: int) -> int:
        return LONGEST_COMMAND

    def answer_length(self, length: int) -> int:
        return LONGEST_ANSWER

    def produces(self, length: int) -> bool:
        return length in self._rows

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt, answer = self._rows[length]
        if split == "test" and length == HELD_OUT:
            rows = np.arange(len(prompt))
        else:
            rows = rng.integers(len(prompt), size=count)
        prompt, answer = prompt[rows], answer[rows]
        scored = answer != ABSENT
        return Batch(prompt, answer, scored, axes={"actions": scored.sum(axis=1)})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return execute(prompt)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return SHORTCUTS


@cache
def _rows(split: str) -> Mapping[int, tuple[np.ndarray, np.ndarray]]:
    """The tables of what is trained and of what is held out. Raises :class:`ValueError` for another split."""
    meanings = commands()
    if split == "simple":
        by_digest = sorted(meanings, key=lambda command: sha256(" ".join(command).encode()).digest())
        held_out, trained = by_digest[:SIMPLE_TEST], by_digest[SIMPLE_TEST:]
    elif split == "add_jump":
        held_out, trained = _without(meanings, ("jump",), JUMP_COPIES)
    elif split == "add_turn_left":
        held_out, trained = _without(meanings, ("turn", "left"), TURN_LEFT_COPIES)
    else:
        raise ValueError(f"split={split}: it is simple, add_jump or add_turn_left; by length it is task=scan")
    return MappingProxyType({TRAINED: _table(trained, meanings), HELD_OUT: _table(held_out, meanings)})


def _without(meanings: Iterable[Command], primitive: Command, copies: int) -> tuple[list[Command], list[Command]]:
    """The commands in which a primitive occurs among others, and the rest with so many copies of it alone."""
    width = len(primitive)
    held_out, trained = [], [primitive] * copies
    for command in meanings:
        if not any(command[start : start + width] == primitive for start in range(len(command))):
            trained.append(command)
        elif command != primitive:
            held_out.append(command)
    return held_out, trained


def _table(rows: Sequence[Command], meanings: Mapping[Command, Command]) -> tuple[np.ndarray, np.ndarray]:
    """Prompts [rows, words] and answers [rows, actions] as numbers."""
    index = {token: number for number, token in enumerate(WORDS + ACTIONS)}
    prompt = np.full((len(rows), LONGEST_COMMAND), ABSENT)
    answer = np.full((len(rows), LONGEST_ANSWER), ABSENT)
    for row, command in enumerate(rows):
        prompt[row, : len(command)] = [index[word] for word in command]
        answer[row, : len(meanings[command])] = [index[action] for action in meanings[command]]
    prompt.flags.writeable = answer.flags.writeable = False
    return prompt, answer
