"""The blind baseline: how well one can answer without looking at the question.

A blind predictor knows the length of the question and the place in the answer, and nothing else. On some tasks it does
so well that a score without it misleads: it sorts 500 numbers out of five with 93 % of the tokens right.
"""

from typing import NamedTuple

import numpy as np

from harness import streams
from harness.layouts import Causal, Layout
from tasks.base import ABSENT, Batch, Form, Task

SAMPLES = 4096
"""Examples of each length that the predictor is estimated on, drawn apart from those it is tested on. Where a task is
finite the two overlap: SCAN's commands beyond length 22 are all of the test set.
"""


class Blind(NamedTuple):
    """Of the test examples of one length, how many a blind predictor gets right, in the same counts as a model's
    scores. For exact match it gives the most frequent answer, for token accuracy the most frequent token of each place,
    for ``nats`` the frequencies at each place.
    """

    length: int
    examples: int
    exact: int
    tokens: int
    correct: int
    nats: float
    bytes: int | None = None
    ends: int | None = None
    ends_correct: int | None = None


def estimate(task: Task, length: int, examples: int, layout: Layout | None = None) -> Blind:
    """Estimate a blind predictor on fresh examples of one length and test it on the test examples. Ends of answers
    count where ``layout`` scores them, the causal one if none is given.
    """
    layout = layout or Causal(task)
    name = type(task).__name__
    known = task.sample(streams.generator(name, task.version, "blind", length), length, SAMPLES)
    asked = test_examples(task, length, examples)
    end = len(task.alphabet)
    seen, truth = _with_end(known, end, task.form), _with_end(asked, end, task.form)
    scored = np.pad(asked.scored, ((0, 0), (0, truth.shape[1] - asked.scored.shape[1]))) | (
        (truth == end) & layout.ends(asked, length)[:, None]
    )
    width = max(seen.shape[1], truth.shape[1])
    counts = np.zeros((width, end + 1))
    place, _ = np.nonzero(seen.T != ABSENT)
    np.add.at(counts, (place, seen.T[seen.T != ABSENT]), 1)
    if task.form == "stream":  # windows begin anywhere: the place in them says nothing
        counts[:] = counts.sum(axis=0)
    frequencies = (counts + 1) / (counts + 1).sum(axis=1, keepdims=True)
    right = truth == counts.argmax(axis=1)[: truth.shape[1]]
    chance = np.take_along_axis(frequencies[None, : truth.shape[1]], np.maximum(truth, 0)[..., None], axis=2)[..., 0]
    whole = right if task.form == "labels" else _favourite(seen, truth.shape) == truth
    return Blind(
        length=length,
        examples=len(truth),
        exact=0 if task.form == "stream" else int((whole | ~scored).all(axis=1).sum()),
        tokens=int(scored.sum()),
        correct=int((right & scored).sum()),
        nats=float(-np.log(chance[scored]).sum()),
        bytes=None if asked.sizes is None else int(asked.sizes[asked.scored].sum()),
        ends=int((scored & (truth == end)).sum()),
        ends_correct=int((right & scored & (truth == end)).sum()),
    )


def _favourite(seen: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The most frequent answer, once for each question."""
    answers, frequency = np.unique(seen, axis=0, return_counts=True)
    favourite = np.full(shape, ABSENT)
    width = min(shape[1], seen.shape[1])
    favourite[:, :width] = answers[frequency.argmax()][:width]
    return favourite


def test_examples(task: Task, length: int, examples: int) -> Batch:
    """The test examples of one length: the same for every run of the task."""
    return task.sample(streams.generator(type(task).__name__, task.version, "test", length), length, examples, "test")


def _with_end(batch: Batch, end: int, form: Form) -> np.ndarray:
    """Answers with the end token after the last token of each, where answers end."""
    if form != "answer":
        return batch.answer
    answer = np.pad(batch.answer, ((0, 0), (0, 1)), constant_values=ABSENT)
    answer[np.arange(len(answer)), (batch.answer != ABSENT).sum(axis=1)] = end
    return answer
