"""Which cheap predictors are tried on which task."""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import Protocol

import numpy as np
from predictors import NONE, Automaton, Bayes, Copied, Guess, Items, Lookup, Solved, Threshold, View, together
from views import answer_place, from_end, from_start, number_of, place_of, said_before, with_place

from tasks.base import ABSENT, Task

FEW = 12
"""The most symbols of a prompt that are counted one by one."""


class Predictor(Protocol):
    def fit(self, known: Items) -> Guess: ...


def battery(task: Task, known: Items, length: int) -> Iterator[tuple[str, Predictor]]:
    """All predictors for a task, of which ``known`` are examples and ``length`` is the longest length trained on."""
    met = np.unique(known.prompt[known.prompt != ABSENT]).tolist()
    several = task.form == "answer" and int(known.place.max(initial=0)) > 0
    yield from _places(task, met, several)
    yield from _window(several)
    if len(met) <= FEW:
        yield from _counts(task, met, several)
    yield from _frequent(task, several)
    yield from _repeated(several)
    if not several:
        if len(met) <= FEW and task.form == "answer":
            yield from _bags(met)
        if len(met) <= FEW:
            yield from ((f"an automaton of {n} states", Automaton(n, max(met) + 1)) for n in (2, 3, 4, 5))
    else:
        yield from _aligned(task, known)
        yield from _answers_so_far()
    if task.fingerprint() is None and task.form == "answer" and task.answer_length(length) <= 2:
        for most in sorted({4, 8, 16, 24, 32, 50, length}):
            yield f"the solution of the last {most} tokens", Solved(task, most, last=True)
            yield f"the solution of the first {most} tokens", Solved(task, most, last=False)


def sees_a_part(name: str, asked: Items, trained: bool) -> bool:
    """Whether a predictor of the first or last so many tokens is given no more than half of a prompt: knowing all of it
    by heart is no shortcut. A solution of a part says something only of prompts longer than those ``trained`` on.
    """
    if not (said := re.search(r"(first|last) (\d+) tokens$", name)):
        return True
    return 2 * int(said[2]) <= int(asked.lengths.min()) and not (trained and "solution" in name)


def by_true_tokens(name: str) -> bool:
    """Whether a predictor sees the true tokens of the answer before the one that it guesses."""
    return "true tokens" in name


def _places(task: Task, met: Sequence[int], several: bool) -> Iterator[tuple[str, Predictor]]:
    for place in range(12):
        yield f"token {place + 1}", Lookup(with_place(from_start(place), several))
        yield f"token {place + 1} from the end", Lookup(with_place(from_end(place), several))
        yield f"token {place + 1}, copied", Copied(from_start(place))
        yield f"token {place + 1} from the end, copied", Copied(from_end(place))
    for marker in met if len(met) <= 40 else ():
        for last in (False, True):
            found = place_of(marker, last)
            for offset in (-2, -1, 1, 2):
                near = partial(lambda asked, found, offset: asked.at(found(asked) + offset), found=found, offset=offset)
                name = f"{offset:+d} from the {'last' if last else 'first'} {task.alphabet[marker]}"
                yield name, Lookup(with_place(near, several))
                yield f"{name}, copied", Copied(near)


def _window(several: bool) -> Iterator[tuple[str, Predictor]]:
    for most in range(2, 9):
        ends = [together(*(from_end(place) for place in range(size))) for size in range(most, 0, -1)]
        starts = [together(*(from_start(place) for place in range(size))) for size in range(most, 0, -1)]
        yield f"the last {most} tokens", Lookup(tuple(v for view in ends for v in with_place(view, several)))
        yield f"the first {most} tokens", Lookup(tuple(v for view in starts for v in with_place(view, several)))
    for size in (1, 2, 3):
        both = together(*(from_end(place) for place in range(size)), *(from_start(place) for place in range(size)))
        yield f"the first and the last {size} tokens", Lookup(with_place(both, several))


def _counts(task: Task, met: Sequence[int], several: bool) -> Iterator[tuple[str, Predictor]]:
    words = [task.alphabet[symbol] for symbol in met]
    single = {f"the number of {word}": number_of([symbol], [1]) for symbol, word in zip(met, words, strict=True)}
    pairs = {
        f"the number of {task.alphabet[one]} less that of {task.alphabet[other]}": number_of([one, other], [1, -1])
        for one, other in combinations(met, 2)
    }
    every = {
        "the sum of all symbols": number_of(met, list(range(len(met)))),
        "the length": number_of(met, [1] * len(met)),
    }
    for name, view in (single | pairs | every).items():
        yield name, Lookup(with_place(view, several))
        yield f"a threshold of {name}", Threshold(view)
        yield f"a threshold of the share of {name}", Threshold(lambda a, view=view: view(a) / np.maximum(a.end, 1))
        for modulus in (2, 3, 4, 5, 6, 7, 10):
            rest = partial(lambda asked, view, modulus: view(asked) % modulus, view=view, modulus=modulus)
            yield f"{name}, modulo {modulus}", Lookup(with_place(rest, several))
    last = from_end(0)
    for name, view in single.items():
        for modulus in (2, 5):
            rest = partial(lambda asked, view, modulus: view(asked) % modulus, view=view, modulus=modulus)
            yield f"{name}, modulo {modulus}, and the last token", Lookup((together(rest, last),))


def _frequent(task: Task, several: bool) -> Iterator[tuple[str, Predictor]]:
    said = np.isin(np.arange(len(task.alphabet)), [task.alphabet.index(token) for token in task.outputs])

    def frequencies(asked: Items, only: bool) -> np.ndarray:
        counts = np.zeros((len(asked.prompt), len(task.alphabet)), np.int64)
        rows, places = np.nonzero(asked.prompt != ABSENT)
        np.add.at(counts, (rows, asked.prompt[rows, places]), 1)
        return np.where(said, counts, -1) if only else counts

    def most(asked: Items) -> np.ndarray:
        return frequencies(asked, True).argmax(axis=1)[asked.row]

    def least(asked: Items) -> np.ndarray:
        counts = frequencies(asked, True)
        return np.where(counts > 0, counts, 1 << 30).argmin(axis=1)[asked.row]

    def extreme(asked: Items, last: bool) -> np.ndarray:
        here = said[np.where(asked.prompt == ABSENT, 0, asked.prompt)] & (asked.prompt != ABSENT)
        order = here[:, ::-1] if last else here
        place = order.argmax(axis=1)
        place = asked.prompt.shape[1] - 1 - place if last else place
        return np.where(here.any(axis=1), asked.prompt[np.arange(len(place)), place], NONE)[asked.row]

    def ranked(asked: Items) -> np.ndarray:
        tokens = np.sort(np.where(asked.prompt == ABSENT, 1 << 30, asked.prompt), axis=1)
        return np.where(asked.place < asked.lengths[asked.row], tokens[asked.row, asked.place % tokens.shape[1]], NONE)

    if task.form == "answer" and len(task.alphabet) <= 3000:
        yield "the most frequent possible answer", Copied(most)
        yield "the least frequent possible answer", Copied(least)
    if task.form == "answer":
        yield "the first possible answer", Copied(partial(extreme, last=False))
        yield "the last possible answer", Copied(partial(extreme, last=True))
    if several:
        yield "the prompt sorted", Copied(ranked)


def _repeated(several: bool) -> Iterator[tuple[str, Predictor]]:
    def after(asked: Items, size: int, last: bool) -> np.ndarray:
        """What followed, first or last, where the last ``size`` tokens stood before."""
        width = asked.prompt.shape[1]
        found = np.full(len(asked.target), NONE)
        for begin in range(0, len(found), 2000):
            part = slice(begin, begin + 2000)
            rows, end = asked.prompt[asked.row[part]], asked.end[part]
            same = np.ones(rows.shape, bool)
            for offset in range(size):
                wanted = np.where(end - 1 - offset >= 0, rows[np.arange(len(rows)), end - 1 - offset], NONE - 1)
                shifted = np.full(rows.shape, NONE - 2)
                shifted[:, 1 + offset :] = rows[:, : width - 1 - offset]
                same &= shifted == wanted[:, None]
            same &= np.arange(width) < end[:, None]
            same &= np.arange(width) >= size
            place = width - 1 - same[:, ::-1].argmax(axis=1) if last else same.argmax(axis=1)
            found[part] = np.where(same.any(axis=1), rows[np.arange(len(rows)), place], NONE)
        return found

    for size in (1, 2, 3):
        for last in (False, True):
            name = f"what followed the last {size} tokens where they stood {'last' if last else 'first'} before"
            yield name, Copied(partial(after, size=size, last=last))


def _bags(met: Sequence[int]) -> Iterator[tuple[str, Predictor]]:
    size = max(met) + 1
    for n in (1, 2, 3):
        if size**n <= 2000:
            yield f"naive Bayes on {n}-grams", Bayes(n, size)


def _aligned(task: Task, known: Items) -> Iterator[tuple[str, Predictor]]:
    """Of longer answers: each token by tokens of the prompt that stand in a fixed relation to its place."""
    half = {
        "": lambda a: 0 * a.end,
        " of the second half": lambda a: a.end // 2,
        " of the end": lambda a: a.end - 1,
    }
    steps: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "forwards": lambda place: place,
        "backwards": lambda place: -place,
        "twice as fast": lambda place: 2 * place,
        "half as fast": lambda place: place // 2,
    }
    views: dict[str, View] = {}
    for where, begin in half.items():
        for how, step in steps.items():
            for offset in (-2, -1, 0, 1, 2):
                views[f"place{where} {how} {offset:+d}"] = partial(
                    lambda a, begin, step, offset: a.at(begin(a) + step(a.place) + offset),
                    begin=begin,
                    step=step,
                    offset=offset,
                )
    for marker in _signs(known):
        for how, sign in (("forwards", 1), ("backwards", -1)):
            for offset in (-1, 1):
                views[f"{offset:+d} from the first {task.alphabet[marker]} {how}"] = partial(
                    lambda a, found, sign, offset: a.at(found(a) + offset + sign * a.place),
                    found=place_of(marker, last=False),
                    sign=sign,
                    offset=offset,
                )
    for name, view in views.items():
        yield f"{name}, copied", Copied(view)
        yield name, Lookup((view,))
        yield f"{name}, by place", Lookup((together(view, answer_place), view))
    names = ["place forwards +0", "place of the end backwards +0", "place backwards +0", "place of the end forwards +0"]
    names += [name for name in views if "from the first" in name][:24]
    for one, other in combinations(dict.fromkeys(name for name in names if name in views), 2):
        yield f"{one} and {other}", Lookup((together(views[one], views[other]),))


def _signs(known: Items) -> list[int]:
    """Symbols that stand just once in nearly every prompt: the sign between two operands."""
    symbols = np.unique(known.prompt[known.prompt != ABSENT]).tolist() if known.prompt.size else []
    if len(symbols) > 200:
        return []
    return [s for s in symbols if ((known.prompt == s).sum(axis=1) == 1).mean() > 0.9]


def _answers_so_far() -> Iterator[tuple[str, Predictor]]:
    for size in (1, 2, 3, 4):
        view = together(*(said_before(back) for back in range(1, size + 1)))
        yield f"the {size} true tokens before", Lookup((view,))
    for size in (1, 2, 3):
        for last in (False, True):
            name = f"what follows the {size} true tokens before in the prompt, {'last' if last else 'first'}"
            yield name, Copied(partial(_after_said, size=size, last=last))


def _after_said(asked: Items, size: int, last: bool) -> np.ndarray:
    width = asked.prompt.shape[1]
    found = np.full(len(asked.target), NONE)
    before = [said_before(back)(asked) for back in range(1, size + 1)]
    for begin in range(0, len(found), 2000):
        part = slice(begin, begin + 2000)
        rows = asked.prompt[asked.row[part]]
        same = np.ones(rows.shape, bool)
        for offset, tokens in enumerate(before):
            shifted = np.full(rows.shape, NONE - 2)
            shifted[:, 1 + offset :] = rows[:, : width - 1 - offset]
            same &= (shifted == tokens[part, None]) & (tokens[part, None] != NONE)
        place = width - 1 - same[:, ::-1].argmax(axis=1) if last else same.argmax(axis=1)
        found[part] = np.where(same.any(axis=1), rows[np.arange(len(rows)), place], NONE)
    return found
