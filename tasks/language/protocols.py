"""Ways of testing a language model on stretches of held-out text.

A stretch is a window of the longest testable length. Each protocol says, for a length, which windows the model reads
and which of their tokens count.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from tasks.base import ABSENT
from tasks.language.windows import Windows


class Read(NamedTuple):
    """Windows: where in the text each of their tokens stands ``places`` [N, L], ``ABSENT`` at the end of shorter ones,
    which count ``scored`` [N, L], and of which stretch each is part ``stretch`` [N].
    """

    places: np.ndarray
    scored: np.ndarray
    stretch: np.ndarray


class Settings(NamedTuple):
    """``targets``: tokens that count at the end of a stretch. ``own``: tokens of the stretch itself before foreign ones
    begin. ``stride``: by how much a window slides.
    """

    targets: int
    own: int
    stride: int


Protocol = Callable[[Windows, np.ndarray, int, Settings], Read]
"""(stretches, the numbers of those to read [N], length, settings) -> what is read."""


def last_window(stretches: Windows, numbers: np.ndarray, length: int, settings: Settings) -> Read:
    """The last tokens of each stretch, of which the same few count at every length."""
    places = (stretches.start(numbers) + stretches.length)[:, None] + np.arange(-length, 0)
    return Read(places, _last(places, settings.targets), np.arange(len(numbers)))


def foreign_context(stretches: Windows, numbers: np.ndarray, length: int, settings: Settings) -> Read:
    """The last window, but what lies more than ``own`` tokens back is the end of a stretch of another document: the
    control for the last window. A model that does no worse with it has no use for far context.
    """
    kept = min(settings.own, length)
    own = (stretches.start(numbers) + stretches.length)[:, None] + np.arange(-kept, 0)
    evenly = (np.arange(len(numbers)) + 0.5) / len(numbers)
    others = (stretches.start(stretches.foreign(numbers, evenly)) + stretches.length)[:, None] + np.arange(
        kept - length, 0
    )
    places = np.concatenate([others, own], axis=1)
    return Read(places, _last(places, settings.targets), np.arange(len(numbers)))


def non_overlapping(stretches: Windows, numbers: np.ndarray, length: int, settings: Settings) -> Read:
    """Each stretch cut into windows without context of one another; every token counts once (Press et al., 2021)."""
    begins = np.arange(0, stretches.length, length)
    return _cut(stretches, numbers, length, begins, begins, np.minimum(begins + length, stretches.length))


def sliding(stretches: Windows, numbers: np.ndarray, length: int, settings: Settings) -> Read:
    """A window that slides over each stretch by ``stride`` tokens, of which the new ones count, in the first window
    all: every token counts once, with at least ``length - stride`` tokens of context but for the first.
    """
    stride = min(settings.stride, length)
    ends = np.minimum(np.arange(length, stretches.length + stride, stride), stretches.length)
    return _cut(stretches, numbers, length, ends - length, np.concatenate([[0], ends[:-1]]), ends)


def _cut(
    stretches: Windows, numbers: np.ndarray, length: int, begins: np.ndarray, counted_from: np.ndarray, ends: np.ndarray
) -> Read:
    """Windows of each stretch from ``begins`` to ``ends``, in which tokens count from ``counted_from`` on."""
    inside = begins[:, None] + np.arange(length)
    present = inside < ends[:, None]
    places = np.where(present, stretches.start(numbers)[:, None, None] + inside, ABSENT)
    scored = np.broadcast_to(present & (inside >= counted_from[:, None]), places.shape)
    return Read(places.reshape(-1, length), scored.reshape(-1, length), np.repeat(np.arange(len(numbers)), len(begins)))


def _last(places: np.ndarray, count: int) -> np.ndarray:
    return np.broadcast_to(np.arange(places.shape[1]) >= places.shape[1] - count, places.shape)


PROTOCOLS: Mapping[str, Protocol] = {
    "last_window": last_window,
    "foreign_context": foreign_context,
    "non_overlapping": non_overlapping,
    "sliding": sliding,
}
