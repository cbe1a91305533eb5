"""Looking up n-grams."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.recall.ngram_lookup import BAR, NgramLookup


def test_the_examples_of_the_docstring() -> None:
    assert NgramLookup(n=2, answer=3).solve(list("qbddacx|dd")) == ["a", "c", "x"]
    assert NgramLookup(n=2, answer=3, key="prefix").solve(list("dd|qbddacx")) == ["a", "c", "x"]


def test_the_first_of_several_occurrences_counts() -> None:
    assert NgramLookup(n=2, answer=1).solve(list("babaac|ba")) == ["b"]


@given(n=st.integers(1, 4), answer=st.integers(1, 5), more=st.integers(0, 30), seed=st.integers(0, 2**32))
def test_the_ngram_is_in_the_string_and_the_answer_behind_it(n: int, answer: int, more: int, seed: int) -> None:
    """With two symbols n-grams occur again and again, which a larger alphabet hardly shows."""
    task = NgramLookup(symbols=2, n=n, answer=answer)
    batch = task.sample(np.random.default_rng(seed), task.shortest + more, 5)
    for prompt, said in zip(batch.prompt, batch.answer, strict=True):
        string, gram = "".join(task.alphabet[token] for token in prompt).split(BAR)
        first, _, after = string.partition(gram)
        assert len(first) + len(gram) + len(after) == len(string)
        assert after.startswith("".join(task.alphabet[token] for token in said))


def test_prefix_and_suffix_ask_the_same() -> None:
    suffix, prefix = (NgramLookup(key=key).sample(np.random.default_rng(3), 20, 50) for key in ("suffix", "prefix"))
    assert (suffix.answer == prefix.answer).all()
    assert (suffix.prompt[:, :20] == prefix.prompt[:, 4:]).all()


def test_one_symbol_is_not_enough_to_find_the_place() -> None:
    task = NgramLookup()
    guess = task.shortcuts()["first occurrence of the n-gram's last symbol"]
    scores = {}
    for length in (9, 30, 150):
        batch = task.sample(np.random.default_rng(0), length, 1000)
        rows = [([task.alphabet[t] for t in p], [task.alphabet[t] for t in a]) for p, a in zip(*batch[:2], strict=True)]
        scores[length] = np.mean([guess(question) == answer for question, answer in rows])
    assert scores[9] > 0.8
    assert scores[30] == pytest.approx(0.57, abs=0.07)
    assert scores[150] < 0.25


@pytest.mark.parametrize("options", [{"n": 0}, {"answer": 0}, {"key": "middle"}, {"symbols": 10001}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match=r"at least 1|suffix or prefix|between 1 and 10000"):
        NgramLookup(**options)
