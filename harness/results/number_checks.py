"""The checks of the numbers of many records at once: those of :meth:`harness.results.records.Record.check` and of the
models beneath it that are about numbers which differ from record to record.
"""

from typing import Any, NamedTuple

import numpy as np

from harness.results.consistency import WORST_LOSS
from harness.results.forms import Form
from harness.results.records import Record

COUNTED = ("scores", "slices", "held_out")
"""Sections whose rows are counts of what is right."""


class Budget(NamedTuple):
    """What the science of a record says of its training."""

    steps: int
    batch: int
    until: float
    """What training had to reach to end early; 0 where nothing ends it so."""
    may_end: bool
    """Whether training may have ended early."""
    called: bool
    """Whether callbacks may have ended it."""


class Sections:
    """The numbers of records with the same form: a row for each record, a column for each blank."""

    def __init__(self, form: Form, numbers: np.ndarray) -> None:
        self._form = form
        self._known = np.column_stack([numbers, np.full(len(numbers), np.nan)])  # for blank -1

    def of(self, section: str, key: str) -> np.ndarray:
        """A row for each record, a column for each row of the section; NaN where a number is unknown."""
        places = self._form.places.get(section, {})
        rows = next((len(those) for those in places.values()), 0)
        return self._known[:, places.get(key, np.full(rows, -1))]


def budget(training: dict[str, Any]) -> Budget:
    """The budget in a science."""
    train, called = training["train"], bool(training.get("callbacks"))
    until = train.get("until") or 0.0
    return Budget(train["steps"], train["batch"], until, bool(until or called), called)


def possible(form: Form, numbers: np.ndarray, losses: np.ndarray, example: Record, budgets: list[Budget]) -> bool:
    """Whether numbers are those of records that are like the one record ``example`` in all but their numbers."""
    if not (((numbers >= form.low) & (numbers <= form.high)).all() and np.isfinite(numbers).all()):
        return False
    own = Sections(form, numbers)
    steps = own.of("cost", "steps")[:, 0]
    return (
        bool(((losses >= 0) & (losses <= WORST_LOSS) | (np.isnan(losses) & (steps == 0))).all())
        and all(_countable(own, section) for section in COUNTED)
        and _of_these_examples(own, example)
        and _parts(own, example)
        and _trained(own, example, budgets)
    )


def _never(of: np.ndarray) -> bool:
    return not bool(of.any())


def _countable(own: Sections, section: str) -> bool:
    """Whether no more is right than there is, in each row of a section."""
    names = ("examples", "exact", "exact_given_length", "tokens", "correct", "ends", "ends_correct", "nats")
    examples, exact, given, tokens, correct, ends, ends_correct, nats = (own.of(section, name) for name in names)
    inner, right = tokens - ends, correct - ends_correct
    wrong = (
        exact > examples,
        correct > tokens,
        ends_correct > ends,
        right < 0,
        right > inner,
        nats > WORST_LOSS * tokens,
        *([] if section != "scores" else [(given < exact) | (given > examples)]),
    )
    return all(map(_never, wrong)) and np.array_equal(np.isnan(ends), np.isnan(ends_correct))


def _of_these_examples(own: Sections, example: Record) -> bool:
    """Whether scores are of the examples that the blind baseline is of."""
    blind = {row.length: row for row in example.blind}
    return all(
        bool((own.of("scores", name) == [getattr(blind[row.length], name) for row in example.scores]).all())
        for name in ("examples", "tokens")
    )


def _parts(own: Sections, example: Record) -> bool:
    """Whether slices are parts of scores."""
    if not example.slices:
        return True
    whole = {(row.extension, row.length): place for place, row in enumerate(example.scores)}
    of = [whole[row.extension, row.length] for row in example.slices]
    if (own.of("slices", "examples") > own.of("scores", "examples")[:, of]).any():
        return False
    groups = [(place, tuple(sorted(row.at))) for place, row in zip(of, example.slices, strict=True)]
    numbered = {group: number for number, group in enumerate(dict.fromkeys(groups))}
    belongs = np.zeros((len(groups), len(numbered)))
    belongs[range(len(groups)), [numbered[group] for group in groups]] = 1
    totals = [place for place, _ in numbered]
    return not any(
        (own.of("slices", name) @ belongs > own.of("scores", name)[:, totals]).any() for name in ("tokens", "correct")
    )


def _trained(own: Sections, example: Record, budgets: list[Budget]) -> bool:
    """Whether costs and learning curves are those of the training."""
    names = ("steps", "examples", "training_tokens", "training_positions")
    steps, examples, tokens, positions = (own.of("cost", name)[:, 0] for name in names)
    wanted, batch, until = (np.array([getattr(own, name) for own in budgets]) for name in ("steps", "batch", "until"))
    may_end, called = (np.array([getattr(own, name) for own in budgets], bool) for name in ("may_end", "called"))
    ended = may_end & (steps > 0) & (steps < wanted)
    taken = np.where(ended, steps, wanted)
    tokens = np.nan_to_num(tokens)
    computed = np.where(np.nan_to_num(positions) > 0, positions, tokens)
    looks, reached = [look.step for look in example.looks], own.of("looks", "in_distribution")
    learned = (reached >= until[:, None]).any(axis=1)
    early = (until > 0) & ~called & (steps < wanted)
    return (
        bool(((steps == taken) & (examples == taken * batch) & (tokens <= computed)).all())
        and looks == sorted(set(looks))
        and bool((steps >= max(looks, default=0)).all())
        and bool((learned | ~early).all())
        and bool((example.training_compared <= examples).all())
    )
