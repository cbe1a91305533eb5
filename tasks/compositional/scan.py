"""SCAN: from commands in simplified English to sequences of actions."""

from collections.abc import Mapping, Sequence
from functools import cache
from itertools import product
from types import MappingProxyType

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task

WORDS = (
    "walk",
    "look",
    "run",
    "jump",
    "turn",
    "left",
    "right",
    "opposite",
    "around",
    "twice",
    "thrice",
    "and",
    "after",
)
ACTIONS = ("I_WALK", "I_LOOK", "I_RUN", "I_JUMP", "I_TURN_LEFT", "I_TURN_RIGHT")
LONGEST_COMMAND = 9


class Scan(Task):
    """Length counts the actions of the answer. The data set is finite: the 20,910 commands of the published grammar,
    made here from its rules.

    The length split of Lake & Baroni (2018) trains on the 16,990 commands of at most 22 actions and tests on the 3,920
    of 24 to 48; training draws every command equally often, as their data does. Of a length beyond the split every
    command is tested. There are no held-out commands within the split: in distribution, accuracy is measured on
    training commands.

    Other published cuts are other values of ``lengths.train``: 25 of Kazemnejad et al. (2023), 17,774 and 3,136
    commands, who keep a tenth of the shorter ones for validation; 22, 24, 25, 26, 27, 28, 30, 32, 33, 36 and 40 of
    Csordás et al. (2021). Splits that are not by length: :class:`tasks.compositional.scan_splits.ScanSplits`.

    Example: ``jump twice after walk left -> I_TURN_LEFT I_WALK I_JUMP I_JUMP``.
    """

    version = 1
    alphabet = WORDS + ACTIONS
    split_at = 22
    known_results = (
        "Trained on up to 25 actions, exact match beyond, mean of three seeds: no encoding 0.797, T5 bias 0.798, ALiBi "
        "0.438, RoPE on a quarter of each head 0.283, sinusoidal 0.057 (results published with the code of Kazemnejad "
        "et al., 2023).",
    )

    def __init__(self) -> None:
        self._examples = _examples()

    @property
    def outputs(self) -> tuple[str, ...]:
        return ACTIONS

    def prompt_length(self, length: int) -> int:
        return LONGEST_COMMAND

    def answer_length(self, length: int) -> int:
        return length

    def produces(self, length: int) -> bool:
        return length in self._examples

    def length_weights(self, lengths: Sequence[int]) -> np.ndarray:
        return np.array([len(self._examples[length][0]) for length in lengths], float)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt, answer = self._examples[length]
        if split == "train":
            rows = rng.integers(len(prompt), size=count)
        elif length > self.split_at or count >= len(prompt):
            rows = np.arange(len(prompt))
        else:
            rows = rng.choice(len(prompt), count, replace=False)
        return Batch(prompt[rows], answer[rows], np.ones_like(answer[rows], bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return execute(prompt)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return SHORTCUTS


@cache
def _examples() -> Mapping[int, tuple[np.ndarray, np.ndarray]]:
    """The commands [n, 9] and their actions [n, length] of every length, as tokens. Made once, in a third of a second:
    a sweep makes its tasks again for every run that it composes.
    """
    index = {token: number for number, token in enumerate(Scan.alphabet)}
    by_length: dict[int, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for command, actions in commands().items():
        by_length.setdefault(len(actions), []).append((command, actions))
    tables = {}
    for length, examples in sorted(by_length.items()):
        prompt = np.full((len(examples), LONGEST_COMMAND), ABSENT)
        answer = np.empty((len(examples), length), np.int64)
        for row, (command, actions) in enumerate(examples):
            prompt[row, : len(command)] = [index[word] for word in command]
            answer[row] = [index[action] for action in actions]
        prompt.flags.writeable = answer.flags.writeable = False
        tables[length] = prompt, answer
    return MappingProxyType(tables)


def execute(command: Sequence[str]) -> list[str]:
    """The actions of one command, phrase by phrase."""
    words = list(command)
    if "and" in words:
        middle = words.index("and")
        return execute(words[:middle]) + execute(words[middle + 1 :])
    if "after" in words:
        middle = words.index("after")
        return execute(words[middle + 1 :]) + execute(words[:middle])
    if words[-1] == "twice":
        return execute(words[:-1]) * 2
    if words[-1] == "thrice":
        return execute(words[:-1]) * 3
    act = [] if words[0] == "turn" else [f"I_{words[0].upper()}"]
    if len(words) == 1:
        return act
    turn = [f"I_TURN_{words[-1].upper()}"]
    if "opposite" in words:
        return turn + turn + act
    if "around" in words:
        return (turn + act) * 4
    return turn + act


SHORTCUTS: Mapping[str, Shortcut] = {
    "without twice and thrice": lambda command: execute([word for word in command if word not in ("twice", "thrice")]),
    "after read as and": lambda command: execute(["and" if word == "after" else word for word in command]),
}
"""A command carried out without counting, and one in the order in which it is read."""


def commands() -> dict[tuple[str, ...], tuple[str, ...]]:
    """Every command of the grammar (Lake & Baroni, 2018, supplement) with its actions."""
    verbs: dict[tuple[str, ...], tuple[str, ...]] = {}
    for verb, action in zip(WORDS[:5], (*ACTIONS[:4], None), strict=True):
        act = (action,) if action else ()
        if act:
            verbs[(verb,)] = act
        for direction, turn in (("left", "I_TURN_LEFT"), ("right", "I_TURN_RIGHT")):
            verbs[(verb, direction)] = (turn, *act)
            verbs[(verb, "opposite", direction)] = (turn, turn, *act)
            verbs[(verb, "around", direction)] = (turn, *act) * 4
    sentences = dict(verbs)
    for command, actions in verbs.items():
        sentences[(*command, "twice")] = actions * 2
        sentences[(*command, "thrice")] = actions * 3
    commands = dict(sentences)
    for (first, done), (second, done_too) in product(sentences.items(), repeat=2):
        commands[(*first, "and", *second)] = done + done_too
        commands[(*first, "after", *second)] = done_too + done
    return commands
