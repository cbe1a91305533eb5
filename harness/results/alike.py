"""Records that differ in their numbers alone, read together.

The first record of a kind is read by itself (:func:`harness.results.reading.of_members`), with all checks. Of a further
one that is the same text but for its seed, names, times, seal and the numbers of its sections, the text is put together
again as the seal needs it and compared with the seal, and its numbers are checked with those of all others at once
(:mod:`harness.results.number_checks`). Where anything is not as it should be the records are read one by one.
"""

import hashlib
import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from harness.files import sealed_json
from harness.results import alike_columns, consistency, cutting, learning_rates, number_checks, patterns, seedless
from harness.results.columns import Columns
from harness.results.cutting import Unusual
from harness.results.forms import SECTIONS, Form, form, taken_apart
from harness.results.patterns import Pattern
from harness.results.records import Record
from harness.results.seedless import Method

VARIED = ("config", "final_loss", "finished", "name", "science", "seed", "started", "training_name")
"""The members besides sections that differ from record to record."""
COMMON = tuple(name for name in Record.model_fields if name not in (*VARIED, *SECTIONS, sealed_json.SEAL))
"""The members that are the same in all records of a kind."""
TIME = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"')
LOSS = re.compile(r"null|\d[\d.e+-]*")
DIGITS = 12
"""A count with more digits is read by itself, so that sums of counts are exact."""
REMEMBERED = 1024
"""Kinds that are remembered."""
VARIANTS = 64
"""Kinds that are remembered which differ in their lengths, steps and axes alone."""
TOGETHER = 250
"""Records of a kind whose numbers are checked at once: more fill memory and save nothing."""
MANY = 1000
"""Records of a kind that are worth a pattern: making it takes as long as reading a hundred, of each of which it saves a
fifth.
"""


@dataclass(slots=True, eq=False)
class Kind:
    """What records have in common."""

    form: Form
    example: Record
    """One of them."""
    baselines: Hashable
    """A key of their baselines."""
    text: str
    """What their seals are made of, with ``%s`` for what differs."""
    filled: Callable[[tuple[str, ...]], tuple[str, ...]]
    """What belongs there, of the numbers of a record and its members :data:`VARIED`."""
    asked: tuple[str, ...]
    """The question and the extensions that methods have in common."""
    read: int = 0
    """How many have been read."""
    pattern: Pattern | None = None
    """What takes their texts apart, once there have been :data:`MANY`."""


class Seen(NamedTuple):
    """A record as its text shows it."""

    members: dict[str, str]
    path: str
    seed: int
    method: Method
    numbers: list[str]
    alike: Hashable
    """All that records of its kind have in common, but the numbers that say of which row the others are."""
    form: Form | None
    """``None`` where this was never seen before, or cannot be read as a form."""

    @property
    def fixed(self) -> Hashable:
        """The numbers that say of which row the others are."""
        return tuple([self.numbers[place] for place in self.form.fixed]) if self.form else ()


class Batch(NamedTuple):
    """Records of a kind that are not in the columns yet, and their numbers one after the other."""

    records: list[Seen]
    numbers: list[str]


_KINDS: dict[Hashable, dict[Hashable, Kind]] = {}
_FORMS: dict[str, Form | None] = {}


class Alike:
    """Reads records that are of known kinds into columns."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._batches: dict[int, tuple[Kind, Batch]] = {}
        self._left: list[str] = []
        self._last: Kind | None = None

    def take_next(self, said: bytes, path: str) -> bool:
        """Whether a file is a record of the same kind as the one before, which there have been many of, and read with
        others. Raises what :func:`seen` and :meth:`take` raise.
        """
        kind = self._last
        taken = None if kind is None or kind.pattern is None else patterns.taken(kind.pattern, said)
        if kind is None or taken is None:
            return False
        (science, seed), (config, config_seed) = seedless.cut(taken.science), seedless.cut(taken.config)
        if config_seed != seed or taken.members["seed"] != str(seed):
            raise Unusual
        method = learning_rates.method(science, config)
        if (method.question, *method.methods) != kind.asked:
            return False
        self._take(Seen(taken.members, path, seed, method, taken.numbers, None, kind.form), kind)
        return True

    def take(self, seen: Seen) -> bool:
        """Whether a record is of a known kind, and read with others. Raises :class:`Unusual` where it is not what its
        names and its seal say.
        """
        kind = _KINDS[seen.alike].get(seen.fixed) if seen.form else None
        if kind is None:
            return False
        self._take(seen, kind)
        return True

    def _take(self, seen: Seen, kind: Kind) -> None:
        _check(seen, kind)
        self._last = kind
        _, batch = self._batches.setdefault(id(kind), (kind, Batch([], [])))
        batch.records.append(seen)
        batch.numbers.extend(seen.numbers)
        if len(batch.records) >= TOGETHER:
            kind.read += len(batch.records)
            if kind.pattern is None and kind.read >= MANY:
                kind.pattern = patterns.pattern(seen.members, kind.form)
            self._add(kind, batch)

    def finish(self) -> list[str]:
        """Put into the columns what is not there yet, and return the files that have to be read by themselves."""
        for kind, batch in self._batches.values():
            self._add(kind, batch)
        self._batches.clear()
        return self._left

    def _add(self, kind: Kind, batch: Batch) -> None:
        if not batch.records:
            return
        budgets = [number_checks.budget(seen.method.values[0]["training"]) for seen in batch.records]
        found = _numbers(kind.form, batch)
        if found is None or not number_checks.possible(kind.form, *found, kind.example, budgets):
            self._left += [seen.path for seen in batch.records]
        else:
            numbers, losses = found
            own = number_checks.Sections(kind.form, numbers)
            records = [*map(_own, batch.records, losses.tolist())]
            alike_columns.add(self._columns, kind.example, kind.baselines, records, own)
        batch.records.clear()
        batch.numbers.clear()


def seen(members: dict[str, str], path: str) -> Seen | None:
    """What the text of a record shows, if there can be others like it. Raises :class:`Unusual`, and
    :class:`ValueError` and others where science and config are not right.
    """
    (science, seed), (config, config_seed) = seedless.cut(members["science"]), seedless.cut(members["config"])
    if members["status"] != '"finished"' or members.get(sealed_json.SEAL) in (None, '""'):
        return None
    if config_seed != seed or members["seed"] != str(seed):
        raise Unusual
    method = learning_rates.method(science, config)
    text, numbers = taken_apart(members)
    common = [members.get(name) for name in COMMON]
    alike = (text, method.question, *method.methods, *common, members.get("final_loss") in (None, "null"))
    if alike in _KINDS:
        if text not in _FORMS:
            _FORMS[text] = form(text)
        return Seen(members, path, seed, method, numbers, alike, _FORMS[text])
    if len(_KINDS) >= REMEMBERED:
        _KINDS.clear()
        _FORMS.clear()
    _KINDS[alike] = {}
    return Seen(members, path, seed, method, numbers, alike, None)


def learn(seen: Seen, record: Record, baselines: Hashable) -> None:
    """Remember a record that was read by itself as an example of its kind, if it was not the first."""
    if seen.form is None:
        return
    pieces: dict[str, tuple[str, list[int]]] = {
        **{name: (_escaped(seen.members[name]), []) for name in COMMON if name in seen.members},
        **{name: ("%s", [len(seen.numbers) + place]) for place, name in enumerate(VARIED) if name in seen.members},
        **seen.form.canonical,
    }
    text = ",".join(f'"{name}":{pieces[name][0]}' for name in sorted(pieces))
    places = [place for name in sorted(pieces) for place in pieces[name][1]]
    kinds = _KINDS.setdefault(seen.alike, {})
    if len(kinds) >= VARIANTS:
        kinds.clear()
    kinds[seen.fixed] = Kind(
        seen.form, record, baselines, f"{{{text}}}", itemgetter(*places), (seen.method.question, *seen.method.methods)
    )


def _escaped(text: str) -> str:
    return sealed_json.canonical(sealed_json.parsed(text)).replace("%", "%%")


def _own(seen: Seen, loss: float) -> tuple[tuple[str, str], int, float, Method]:
    return (seen.members["name"][1:-1], seen.members["training_name"][1:-1]), seen.seed, loss, seen.method


def _loss(seen: Seen) -> str:
    return seen.members.get("final_loss", "null")


def _check(seen: Seen, kind: Kind) -> None:
    """Raise :class:`Unusual` unless names, times and seal belong to what a record says."""
    members, method = seen.members, seen.method
    said: Callable[[tuple[str, str]], str] = str(seen.seed).join
    prefix = f"{kind.example.task.name}-{method.science.training.encoding.name}-seed{seen.seed}"
    science, training = said(method.said), said(method.training)
    name, training_name = (f"{prefix}-{_digest(text)[:12]}" for text in (science, training))
    if (members["name"], members["training_name"]) != (f'"{name}"', f'"{training_name}"'):
        raise Unusual
    if name != cutting.stem(seen.path):
        raise Unusual
    started, finished = members["started"], members["finished"]
    if not (TIME.fullmatch(started) and TIME.fullmatch(finished) and LOSS.fullmatch(_loss(seen))):
        raise Unusual
    consistency.check_times(started[1:-1], finished[1:-1])
    varied = (said(method.config), _loss(seen), finished, f'"{name}"', science, str(seen.seed), started)
    text = kind.text % kind.filled((*seen.numbers, *varied, f'"{training_name}"'))
    if f'"{_digest(text)}"' != members[sealed_json.SEAL]:
        raise Unusual


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _numbers(form: Form, batch: Batch) -> tuple[np.ndarray, np.ndarray] | None:
    """The numbers of a batch, a row for each record, and the final losses, NaN where there is none; ``None`` where one
    is not written as the program writes it.
    """
    count, width = len(batch.records), len(form.whole)
    numbers = np.empty((count, width))
    whole = [number for place in np.flatnonzero(form.whole) for number in batch.numbers[place::width]]
    others = [number for place in np.flatnonzero(~form.whole) for number in batch.numbers[place::width]]
    losses = [loss for loss in map(_loss, batch.records) if loss != "null"]
    if not "".join(whole).isdecimal() or max(map(len, whole)) > DIGITS:
        return None
    try:
        measured, last = list(map(float, others)), list(map(float, losses))
    except ValueError:
        return None
    if list(map(repr, measured)) != others or list(map(repr, last)) != losses:
        return None
    counted = np.fromstring(",".join(whole), np.int64, sep=",")
    numbers[:, form.whole] = counted.reshape(-1, count).T
    numbers[:, ~form.whole] = np.array(measured).reshape(-1, count).T
    return numbers, np.array(last) if last else np.full(count, np.nan)
