"""One colour and one marker for each method, the same in every figure and every folder."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from harness.results.descriptions import AXES

if TYPE_CHECKING:
    import pandas as pd

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D31")
"""Okabe & Ito's palette, which colour-blind people can tell apart, with brown in place of its yellow."""
ON_DARK = ("#4BA3DB", "#F2803F", "#2FC496", "#E59CC4", "#F2B33D", "#8ACBF3", "#F2F2F2", "#C9A862")
"""The same hues on a dark ground, each light enough to be seen there."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
FAMILIAR = ("nope", "rope", "alibi", "t5", "learned", "sinusoidal", "fire", "kerple_log")
"""The encodings that most papers compare: they have a colour each, so that no two of them look alike."""
USUAL = ("sequential", "extrapolate", "standard", "decoder", "attention")
"""Choices that go without saying, as in nearly every run."""


class Look(NamedTuple):
    """How a method is drawn."""

    colour: str
    marker: str


def looks(table: pd.DataFrame) -> dict[str, Look]:
    """How each ``method`` of a table with the columns of the axes is drawn.

    It follows from the names of its choices alone: encodings that everybody compares have colours of their own, others
    are spread over colours and markers by a digest of their names. Where two methods of one table would look the same,
    the later one by name takes the next that is free.
    """
    known = [axis for axis in AXES if axis in table]
    rows = table[["method", *known]].drop_duplicates("method").sort_values("method")
    taken: dict[str, Look] = {}
    for method, *chosen in rows.itertuples(index=False):
        taken[str(method)] = _free(_place([str(name) for name in chosen] or [str(method)]), set(taken.values()))
    return taken


def _place(choices: list[str]) -> int:
    """Where a method with these choices on the axes stands among all looks."""
    said = [name for name in choices if name and name not in USUAL] or choices[:1]
    if len(said) == 1 and said[0] in FAMILIAR:
        return FAMILIAR.index(said[0])
    digest = int.from_bytes(hashlib.sha256(" · ".join(said).encode()).digest()[:4], "big")
    return len(COLOURS) + digest % (len(COLOURS) * (len(MARKERS) - 1))


def _free(place: int, taken: set[Look]) -> Look:
    every = len(COLOURS) * len(MARKERS)
    seen = (_look((place + step) % every) for step in range(every))
    return next((look for look in seen if look not in taken), _look(place))


def _look(place: int) -> Look:
    return Look(COLOURS[place % len(COLOURS)], MARKERS[place // len(COLOURS)])
