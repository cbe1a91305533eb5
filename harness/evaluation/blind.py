"""The blind baseline: how well one can answer without seeing the question.

A blind predictor knows the length of the question and the index in the answer, and nothing else. On some tasks it does
so well that a score without it misleads: it sorts 500 numbers out of five with 93 % of the tokens right.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from harness.data.test_examples import AT_ONCE, portions
from harness.layouts import Causal
from harness.layouts.base import Layout
from harness.rng import generator
from tasks.base import ABSENT, Batch, Form, Task

SAMPLES = 4096
"""Examples of each length that the predictor is estimated on, drawn apart from those it is tested on. Where a task is
finite the two overlap: SCAN's commands beyond length 22 are all of the test set.
"""

WHOLE = 1280
"""Prompts and answers of up to this many tokens are sampled all at once, which includes every default test length.
Longer ones are sampled in blocks, each with its own generator, and only counts are kept.
"""


class Blind(NamedTuple):
    """The counts of a blind predictor on the test examples of one length, as those of a model's scores. For exact match
    it predicts the most frequent answer, for token accuracy the most frequent token at each index, for ``nats`` the
    frequencies at each index.
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
    end = len(task.alphabet)
    counts, answer = _observed(task, length)
    likeliest, total = counts.argmax(axis=1), (counts + 1).sum(axis=1)
    exact = correct = ends = ends_correct = 0
    nats = []
    tested = test_examples(task, length, examples)
    for part in portions(tested):
        truth = _with_end(part, end, task.form)
        scored = np.pad(part.scored, ((0, 0), (0, truth.shape[1] - part.scored.shape[1]))) | (
            (truth == end) & layout.end_is_scored(part, length)[:, None]
        )
        place = np.zeros(truth.shape[1], np.int64) if task.form == "stream" else np.arange(truth.shape[1])
        right = truth == likeliest[place]
        whole = right if task.form == "labels" else truth == answer[: truth.shape[1]]
        exact += int((whole | ~scored).all(axis=1).sum())
        correct += int((right & scored).sum())
        ended = scored & (truth == end)
        ends += int(ended.sum())
        ends_correct += int((right & ended).sum())
        chance = (counts[place, np.maximum(truth, 0)] + 1) / total[place]
        nats.append(-np.log(chance[scored]))
    return Blind(
        length=length,
        examples=len(tested.answer),
        exact=0 if task.form == "stream" else exact,
        tokens=sum(len(part) for part in nats),
        correct=correct,
        nats=float(np.concatenate(nats).sum()),
        bytes=None if tested.sizes is None else int(tested.sizes[tested.scored].sum()),
        ends=ends,
        ends_correct=ends_correct,
    )


def test_examples(task: Task, length: int, examples: int) -> Batch:
    """The test examples of one length: the same for every run of the task."""
    return task.sample(generator(type(task).__name__, task.version, "test", length), length, examples, "test")


def _observed(task: Task, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Statistics of fresh examples: how often each token, and last the end, occurs at each index of an answer
    [A + 1, tokens + 1], and the most frequent answer, padded with ``ABSENT`` [A + 1]. Windows of running text begin
    anywhere, so the index says nothing: they have one row of counts, and no answer.
    """
    end, width = len(task.alphabet), task.answer_length(length) + 1
    counts = np.zeros((1 if task.form == "stream" else width, end + 1), np.int64)
    most_frequent = MostFrequentAnswer()
    for known in _samples(task, length):
        seen = _with_end(known, end, task.form)
        place = np.zeros(seen.shape[1], np.int64) if task.form == "stream" else np.arange(seen.shape[1])
        cell = (place * (end + 1) + seen)[seen != ABSENT]
        counts += np.bincount(cell, minlength=counts.size).reshape(counts.shape)
        if task.form == "answer":
            most_frequent.add(seen)
    answer = np.full(width, ABSENT)
    answer[: len(most_frequent.answer)] = most_frequent.answer
    return counts, answer


def _samples(task: Task, length: int) -> Iterator[Batch]:
    """Fresh examples, all at once or, of long ones, in blocks that bound memory."""
    tokens = max(task.prompt_length(length), task.answer_length(length))
    most = SAMPLES if tokens <= WHOLE else max(1, AT_ONCE // tokens)
    for block, start in enumerate(range(0, SAMPLES, most)):
        words = ("blind", length, block) if block else ("blind", length)
        rng = generator(type(task).__name__, task.version, *words)
        yield task.sample(rng, length, min(most, SAMPLES - start))


class MostFrequentAnswer:
    """The most frequent of many answers, of which only this one is kept; of ties the first in lexicographic order."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()
        self._most = 0
        self._spelt = b""

    def add(self, answers: np.ndarray) -> None:
        """Count answers [N, A], whose rows end in ``ABSENT``."""
        sizes = (answers != ABSENT).sum(axis=1).tolist()
        for row, size in zip((answers + 1).astype(">u4"), sizes, strict=True):
            spelt = row[:size].tobytes()  # bytes of big-endian numbers have the order of the numbers
            name = hashlib.blake2b(spelt, digest_size=16).digest()
            self._seen[name] += 1
            times = self._seen[name]
            # Every answer with the final maximum count passes here when it reaches that count.
            if times > self._most or (times == self._most and spelt < self._spelt):
                self._most, self._spelt = times, spelt

    @property
    def answer(self) -> np.ndarray:
        """Its tokens, none if nothing was counted."""
        return np.frombuffer(self._spelt, ">u4").astype(np.int64) - 1


def _with_end(batch: Batch, end: int, form: Form) -> np.ndarray:
    """Answers with the end token after the last token of each, where answers end."""
    if form != "answer":
        return batch.answer
    answer = np.pad(batch.answer, ((0, 0), (0, 1)), constant_values=ABSENT)
    answer[np.arange(len(answer)), (batch.answer != ABSENT).sum(axis=1)] = end
    return answer
