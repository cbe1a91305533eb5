"""Whether cheap predictors do a task without doing it: ``python benchmarks/shortcuts.py [NAME ...] [--page]``.

A battery of predictors (``battery.py``) is fitted on examples of the training lengths and tested at the longest length
trained on and the longest tested; beside them stand a blind guess and the shortcuts that the task lists. ``--page``
writes docs/shortcuts.md, which is for all tasks. It takes some minutes; nothing is timed.
"""

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from battery import battery, by_true_tokens, sees_a_part
from predictors import NONE, Items, Lookup, items, joined
from views import answer_place

from harness.composition.compose import Composer, composer
from harness.config import catalogue, identity, instantiation
from harness.errors import Refused
from harness.results.families import family
from harness.rng import generator
from tasks.base import ABSENT, Batch, Task

ROOT = Path(__file__).resolve().parents[1]
FITTED, ASKED = 2000, 400
LONG_FITTED, LONG_ASKED = 1200, 100
"""Examples where answers have several tokens."""

NOTABLE = 0.1
"""How far above a blind guess a predictor is a shortcut, and how far one may be above the best that is listed."""

NOISE = 0.04
"""What a figure of a hundred examples or more may be off by."""

VARIANTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "tomita": (*((f"task.grammar={grammar}",) for grammar in (1, 2, 3, 4, 6, 7)), ("task.negatives=near",),
               ("task.grammar=3", "task.negatives=near"), ("task.grammar=4", "task.negatives=near")),
    "anbncn": (("task.symbols=2", "lengths.shortest=2", "lengths.train=40", "lengths.test=100"),),
    "copy": (("task.draw=one",),),
    "dedupe": (("task.removed=all",),),
    "dyck": (("task.kinds=1",),),
    "odds_first": (("task.order=paper",),),
    "majority": (("task.symbols=2",),),
    "lookup_tables": (("task.answer=last",),),
    "modular_expression": (("task.modulus=17", "task.operators=*"),),
    "mqar": (("task.decay=1.0",),),
    "parity_scratchpad": (("task.order=reversed",),),
    "word_problem": (("task.group=Z60",), ("task.labels=last",), ("task.group=S3",)),
}  # fmt: skip
"""Options that make another task of one."""

ITSELF: Mapping[str, tuple[str, str]] = {
    "associative_recall": ("what followed", "find the key that is asked for and take what follows"),
    "binary_majority": ("less that of|most frequent|threshold|naive Bayes", "compare two counts"),
    "bucket_sort": ("sorted", "sort"),
    "copy": ("place|token|symbol|sorted|frequent|possible|first|last", "copy"),
    "count_range": ("true tokens|token", "count on from the first number"),
    "cycle_navigation": ("less that of|sum of all", "add up steps modulo 5"),
    "flip_flop": ("from the last w|automaton", "remember the last bit written"),
    "half_copy": ("place|token", "copy the second half of the prompt"),
    "induction_heads": ("what followed|first >", "find where the mark stood before"),
    "majority": ("most frequent|naive Bayes|threshold|less that of", "the most frequent symbol"),
    "parity": ("modulo|automaton|number of|sum of", "count modulo 2"),
    "mqar": ("what followed", "find the key that is asked for and take what follows"),
    "pick": ("token 1|first|place", "the first symbol"),
    "replace": ("token 3|from the|place|first|last|frequent", "the new symbol, as often as the old one stands there"),
    "reverse": ("place|sorted", "copy backwards"),
    "reverse_string": ("place", "copy backwards"),
    "running_parity": ("modulo|automaton|number of|sum of", "count modulo 2"),
    "shift": ("place", "copy from one place further"),
    "sort_symbols": ("sorted", "sort"),
    "sum_modulo": ("sum of", "add up"),
    "tomita": (
        "automaton|modulo|number of|sum of|naive Bayes on 3-grams",
        "run an automaton of up to five states; of grammar 4, look for 000; of 5 and 6, count",
    ),
    "torus_navigation": ("modulo|less that of", "add up steps modulo 5"),
}
"""Tasks that a predictor of the battery does by doing them: names that say so, and what it is."""


class Found(NamedTuple):
    """What was found of one task at one length: the share of answer tokens, ends left out, that a blind guess gets
    right, the best listed shortcut, the best predictor that sees the prompt, and the best that sees the true tokens of
    the answer before it.
    """

    length: int
    blind: float
    listed: tuple[float, str]
    best: tuple[float, str]
    forced: tuple[float, str]


def measured(
    name: str, overrides: Sequence[str], hydra: Composer, share: float = 1.0
) -> tuple[Task, list[Found]] | None:
    """What the battery finds at the longest length trained on and the longest tested; ``None`` for running text.
    ``share`` of the examples are used.
    """
    run = hydra.run([f"task={name}", *overrides])
    task = instantiation.task(run)
    if task.form == "stream":
        return None
    trained, tested = identity.training_lengths(run, task), identity.tested_lengths(run, task)
    long = task.form == "labels" or task.answer_length(trained[-1]) > 1
    fitted, asked = (LONG_FITTED, LONG_ASKED) if long else (FITTED, ASKED)
    fitted, asked = round(fitted * share), round(asked * share)
    rng = generator("shortcuts", name)
    odds = task.length_weights(trained)
    drawn = rng.choice(trained, fitted, p=odds / odds.sum())
    known = joined([items(task, task.sample(rng, int(n), int((drawn == n).sum()))) for n in np.unique(drawn)])
    lengths = sorted({trained[-1], tested[-1]})
    batches = {n: task.sample(generator("asked", name, n), n, asked, "test") for n in lengths}
    questions = {n: items(task, batch) for n, batch in batches.items()}
    blind = {n: _blind(task, known, questions[n], rng, n, fitted) for n in lengths}
    scores: dict[int, list[tuple[float, str]]] = {n: [] for n in lengths}
    forced: dict[int, list[tuple[float, str]]] = {n: [] for n in lengths}
    does = re.compile(ITSELF[name][0]) if name in ITSELF else None
    for said, predictor in battery(task, known, trained[-1]):
        if does and does.search(said):
            continue
        guess = predictor.fit(known)
        for n, question in questions.items():
            if sees_a_part(said, question, trained=n <= trained[-1]):
                right = float((guess(question) == question.target).mean())
                (forced if by_true_tokens(said) else scores)[n].append((right, said))
    listed = {n: _listed(task, batches[n], questions[n]) for n in lengths}
    nothing = (0.0, "")
    return task, [
        Found(
            n,
            blind[n],
            max(listed[n], default=nothing),
            max(scores[n], default=nothing),
            max(forced[n], default=nothing),
        )
        for n in lengths
    ]


def _blind(task: Task, known: Items, asked: Items, rng: np.random.Generator, length: int, count: int) -> float:
    """The most frequent token of each place, at this length."""
    here = items(task, task.sample(rng, length, count))
    return float((Lookup((answer_place,)).fit(here)(asked) == asked.target).mean())


def _listed(task: Task, batch: Batch, asked: Items) -> list[tuple[float, str]]:
    """The share of the same tokens that each shortcut of the task gets right."""
    number = {token: index for index, token in enumerate(task.alphabet)}
    found = []
    for name, shortcut in task.shortcuts().items():
        guesses = [shortcut([task.alphabet[token] for token in row if token != ABSENT]) for row in batch.prompt]
        right = [
            place < len(guesses[row]) and number.get(guesses[row][place], NONE) == target
            for row, place, target in zip(asked.row, asked.place, asked.target, strict=True)
        ]
        found.append((float(np.mean(right)), name))
    return found


def unlisted(found: Sequence[Found]) -> list[str]:
    """What a predictor reaches that no shortcut of the task says, a line each."""
    return [
        f"at length {row.length} {row.best[1]}: {row.best[0]:.3f}; blind {row.blind:.3f}, "
        f"listed {row.listed[0]:.3f} {row.listed[1]}"
        for row in found
        if row.best[0] > row.blind + NOTABLE + NOISE and row.best[0] > row.listed[0] + NOTABLE + NOISE
    ]


HEAD = """\
# Shortcuts

This page is written by `python benchmarks/shortcuts.py --page` (last on 2026-11-29); nothing in it is timed.

A score on a task is informative only if there is no easier way to reach it. So about a hundred cheap predictors are
tried on every task: the first and last tokens, alone and up to eight together; single tokens by index, and tokens next
to a given symbol; counts of each symbol, differences of two, thresholds of these and their remainders modulo 2 to 10;
bags of n-grams; what followed the same tokens before; automata of up to five states, found by hill climbing; the most
frequent symbol; for longer answers the prompt tokens aligned with the answer, alone and in pairs; and, beyond the
training length, the task's own solution of the first or last 4 to 50 tokens, for answers of one or two tokens. None
sees more than half of a prompt, so that no prompt can be memorised. Predictors are fitted on examples of the training
lengths and then tested at the longest length trained on and at the longest tested.

All figures are token accuracies without the end of the answer: for answers of one token that is exact match. *Blind* is
the most frequent token at each index at that length. *Listed* is the best of the task's own `shortcuts`, which are in
every record and on [the page of the tasks](tasks.md). *Best predictor* is the best of these predictors that see only
the prompt. *With the true answer so far* are those that see the answer's tokens before the one they predict, as a model
does under teacher forcing; they write no answer of their own, so no task lists them, and where they score high, token
accuracy says little. A predictor that sees only the prompt and scores more than .1 above blind must be listed as a
shortcut, or another that scores as high; a test checks this for every task.

Some tasks are exactly what a predictor does: copying is reading the token at an index. For these tasks such predictors
are left out, and the last column says what they do.

| task | length | blind | listed | best predictor | with the true answer so far | the task itself |
| --- | --- | --- | --- | --- | --- | --- |
"""


def page(rows: Sequence[tuple[str, Sequence[str], Sequence[Found]]]) -> str:
    """The whole page."""
    lines = []
    for name, overrides, found in rows:
        title = f"[`{name}`](tasks/{family(name)}.md#{name})" + "".join(f" `{override}`" for override in overrides)
        does = ITSELF[name][1] if name in ITSELF else ""
        for row in found:
            lines.append(
                f"| {title} | {row.length} | {row.blind:.3f} | {_cell(row.listed)} | {_cell(row.best)} | "
                f"{_cell(row.forced)} | {does} |"
            )
    return HEAD + "\n".join(lines) + "\n"


def _cell(found: tuple[float, str]) -> str:
    return f"{found[0]:.3f} {found[1].replace('|', chr(92) + '|')}" if found[1] else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", help="the tasks to search; all if none is named")
    parser.add_argument("--page", action="store_true", help="write docs/shortcuts.md")
    arguments = parser.parse_args()
    if arguments.page and arguments.tasks:
        parser.error("the page is of all tasks: name none with --page")
    rows = []
    with composer() as hydra:
        for name in arguments.tasks or [choice.name for choice in catalogue.choices("task")]:
            for overrides in ((), *VARIANTS.get(name, ())):
                try:
                    result = measured(name, overrides, hydra)
                except Refused as refusal:
                    parser.error(str(refusal))
                if result is None:
                    continue
                rows.append((name, overrides, result[1]))
                print(" ".join((name, *overrides)), flush=True)
                for row in result[1]:
                    print(
                        f"  {row.length:5d}  blind {row.blind:.3f}  listed {_cell(row.listed)}  best {_cell(row.best)}"
                    )
                for line in unlisted(result[1]):
                    print(f"  NOT LISTED: {line}")
    if arguments.page:
        (ROOT / "docs" / "shortcuts.md").write_text(page(rows))


if __name__ == "__main__":
    main()
