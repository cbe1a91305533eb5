"""The blind baseline is what one gets without looking at the question."""

from collections.abc import Sequence

import numpy as np
import pytest

from harness.evaluation import blind
from tasks.base import Batch, Split, Task
from tasks.copying.copy import Copy
from tasks.formal.parity import Parity
from tasks.language.text import Text


class BucketSort(Task):
    """Sort numbers out of five: the task whose token accuracy misleads (chance is said to be 0.2)."""

    version = 1
    alphabet = tuple("01234")

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(5, size=(count, length))
        return Batch(prompt, np.sort(prompt, axis=1), np.ones_like(prompt, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        return sorted(prompt)


@pytest.mark.parametrize(("length", "known"), [(10, 0.605), (40, 0.78), (100, 0.86), (400, 0.93)])
def test_bucket_sort_is_mostly_blind(length: int, known: float) -> None:
    """The figures of the measured position-only predictor, here with the end token, which is known for certain."""
    score = blind.estimate(BucketSort(), length, 500)
    without_end = (score.correct - score.examples) / (score.tokens - score.examples)
    assert without_end == pytest.approx(known, abs=0.015)
    assert score.exact < 5


def test_parity_is_a_coin() -> None:
    score = blind.estimate(Parity(), 30, 2000)
    assert score.exact / score.examples == pytest.approx(0.5, abs=0.05)
    assert score.correct == score.exact + score.examples, "the end token is known"
    assert score.nats / score.examples == pytest.approx(np.log(2), abs=0.02)


def test_copying_random_symbols_cannot_be_guessed() -> None:
    score = blind.estimate(Copy(), 10, 2000)
    assert score.exact == 0
    assert score.correct / score.tokens == pytest.approx((10 / 26 + 1) / 11, abs=0.01)


def test_text_without_context_is_its_byte_frequencies() -> None:
    task = Text(targets=16, longest=512)
    score = blind.estimate(task, 64, 200)
    batch = blind.test_examples(task, 64, 200)
    observed = batch.answer[batch.scored]
    frequencies = np.bincount(observed) / len(observed)
    entropy = -(frequencies[frequencies > 0] * np.log(frequencies[frequencies > 0])).sum()
    assert score.tokens == 200 * 16
    assert score.nats / score.tokens == pytest.approx(entropy, rel=0.05)
    assert score.exact == 0
