"""What of an example a predictor looks at."""

from collections.abc import Sequence

import numpy as np
from predictors import NONE, Items, View, together

from tasks.base import ABSENT


def from_start(place: int) -> View:
    return lambda asked: asked.at(np.full(len(asked.target), place))


def from_end(place: int) -> View:
    """``place`` 0 is the last token that may be looked at."""
    return lambda asked: asked.at(asked.end - 1 - place)


def answer_place(asked: Items) -> np.ndarray:
    return asked.place


def with_place(view: View, several: bool) -> tuple[View, ...]:
    return (together(view, answer_place), view) if several else (view,)


def place_of(marker: int, last: bool) -> View:
    """Where a symbol stands first or last among the tokens that may be looked at; far off where it does not."""

    def view(asked: Items) -> np.ndarray:
        width = asked.prompt.shape[1]
        places = np.arange(width)
        here = asked.prompt == marker
        if last:
            nearest = np.maximum.accumulate(np.where(here, places, -width * 4), axis=1)
            return nearest[asked.row, np.maximum(asked.end - 1, 0)]
        first = np.where(here.any(axis=1), here.argmax(axis=1), -width * 4)[asked.row]
        return np.where(first < asked.end, first, -width * 4)

    return view


def number_of(symbols: Sequence[int], weights: Sequence[int]) -> View:
    """How often symbols occur among the tokens that may be looked at, weighted and added up."""

    def view(asked: Items) -> np.ndarray:
        weight = np.zeros(int(asked.prompt.max(initial=0)) + 2, np.int64)
        for symbol, value in zip(symbols, weights, strict=True):
            if symbol < len(weight) - 1:
                weight[symbol] = value
        total = np.cumsum(np.where(asked.prompt == ABSENT, 0, weight[asked.prompt]), axis=1)
        return np.where(asked.end > 0, total[asked.row, np.maximum(asked.end - 1, 0)], 0)

    return view


def said_before(back: int) -> View:
    """The true token of the answer ``back`` places before."""

    def view(asked: Items) -> np.ndarray:
        place = asked.place - back
        return np.where(place >= 0, asked.answer[asked.row, np.maximum(place, 0)], NONE)

    return view
