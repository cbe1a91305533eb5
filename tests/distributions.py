"""Whether a task draws what it says, with the chances that it says."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from scipy.stats import chisquare

from tasks.base import ABSENT, Task


def written(task: Task, tokens: np.ndarray) -> list[str]:
    """Rows of tokens as strings."""
    return ["".join(task.alphabet[token] for token in row if token != ABSENT) for row in tokens]


def assert_drawn(task: Task, length: int, expected: Mapping[str, Fraction | float], count: int = 20_000) -> None:
    """The prompts of one length are exactly those of ``expected``, and their frequencies pass a chi-square test."""
    total = sum(expected.values())
    assert abs(total - 1) < 1e-9, "the expectation itself adds up"
    drawn = Counter(written(task, task.sample(np.random.default_rng(0), length, count).prompt))
    assert set(drawn) <= set(expected), sorted(set(drawn) - set(expected))[:5]
    chances = [float(chance) * count for chance in expected.values()]
    assert min(chances) > 4, "enough draws for the test to mean something"
    assert chisquare([drawn[prompt] for prompt in expected], chances).pvalue > 1e-3


def score(task: Task, name: str, length: int, count: int = 1000) -> float:
    """The share of scored tokens that a shortcut gets right."""
    batch = task.sample(np.random.default_rng(1), length, count, "test")
    guess = task.shortcuts()[name]
    right = total = 0
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        question = [task.alphabet[token] for token in prompt if token != ABSENT]
        truth = ["" if token == ABSENT else task.alphabet[token] for token in answer]
        guessed = guess(question)
        for place, token in enumerate(truth):
            if token:
                total += 1
                right += place < len(guessed) and guessed[place] == token
    return right / total


def exact(task: Task, name: str, length: int, count: int = 1000) -> float:
    """The share of answers that a shortcut gets right from beginning to end."""
    batch = task.sample(np.random.default_rng(1), length, count, "test")
    guess = task.shortcuts()[name]
    right = 0
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        question = [task.alphabet[token] for token in prompt if token != ABSENT]
        right += guess(question) == [task.alphabet[token] for token in answer if token != ABSENT]
    return right / len(batch.prompt)
