"""Needles: one reads of them what was put in, they lie anywhere, and nothing but the needle tells the answer."""

import re
from collections import Counter
from itertools import product

import numpy as np
import pytest
from distributions import exact, score
from hypothesis import given
from hypothesis import strategies as st

from tasks.language.needle import NOISE, Needle


def written(task: Needle, row: np.ndarray) -> str:
    return bytes(row.tolist()).decode("latin-1")


NUMBERS = re.compile(r" The magic number of ([a-z]{4}) is (\d+)\. ")


@given(
    length=st.integers(1, 300),
    keys=st.integers(1, 6),
    values=st.integers(1, 3),
    digits=st.integers(1, 12),
    seed=st.integers(0, 2**32),
    data=st.data(),
)
def test_without_its_needles_the_prompt_is_the_haystack_and_the_question(
    length: int, keys: int, values: int, digits: int, seed: int, data: st.DataObject
) -> None:
    queries = data.draw(st.integers(1, keys))
    task = Needle(haystack="noise", keys=keys, values=values, queries=queries, digits=digits)
    batch = task.sample(np.random.default_rng(seed), length, 3)
    assert batch.prompt.shape[1] == task.prompt_length(length)
    assert batch.answer.shape[1] == task.answer_length(length)
    for row, answer, depth in zip(batch.prompt, batch.answer, batch.axes["depth"], strict=True):
        text = written(task, row)
        said = NUMBERS.findall(text)
        assert len(said) == keys * values
        assert len({key[0] for key, _ in said}) == keys
        hay, _, question = NUMBERS.sub("", text).partition("\nWhat ")
        assert hay == (NOISE.decode() * length)[:length]
        asked = re.findall(r"\b[a-z]{4}\b(?=[,?])", question)
        assert len(asked) == queries
        right = [value for key in asked for name, value in said if name == key]
        assert bytes(answer.tolist()).decode() == ",".join(right)
        before = text[: min(text.index(f"number of {key} is") for key in asked)]
        hay_before = NUMBERS.sub("", before + "number of zzzz is 0. ").removesuffix("number of zzzz is 0. ")
        assert depth == len(hay_before.removesuffix(" The magic ")) * 10 // (length + 1)


def test_needles_lie_anywhere_equally_often() -> None:
    """20,000 needles over the 20 places of a haystack of 19 bytes."""
    prompts = Needle(haystack="noise").sample(np.random.default_rng(0), 19, 20_000).prompt
    where = np.array([written(Needle(), row).index(" The magic number of") for row in prompts])
    counts = np.bincount(where, minlength=20)
    assert len(counts) == 20
    assert ((counts - 1000) ** 2 / 1000).sum() < 43.8, "chi-square, 19 degrees of freedom, p = 0.001"


def test_the_haystack_is_of_the_right_side() -> None:
    task = Needle(corpus="wheel:hydra-core")
    sides = {
        split: "".join(document.content.decode("latin-1") for document in documents)
        for split, documents in zip(("train", "test"), task.source._sides, strict=True)
    }
    for split, other in (("train", "test"), ("test", "train")):
        for row in task.sample(np.random.default_rng(0), 200, 30, split).prompt:  # type: ignore[arg-type]
            hay = NUMBERS.sub("", written(task, row)).partition("\nWhat ")[0]
            assert hay in sides[split]
            assert hay not in sides[other]


@pytest.mark.parametrize("name", ["first values", "last values"])
def test_of_four_keys_the_number_at_one_end_is_right_in_a_quarter(name: str) -> None:
    task = Needle(haystack="noise", keys=4)
    batch = task.sample(np.random.default_rng(0), 50, 2000)
    guess = task.shortcuts()[name]
    right = sum(
        guess([task.alphabet[t] for t in row]) == [task.alphabet[t] for t in answer]
        for row, answer in zip(batch.prompt, batch.answer, strict=True)
    )
    assert right / 2000 == pytest.approx(0.25, abs=0.03)


def test_values_in_the_order_of_the_text_are_right_where_the_question_has_it() -> None:
    task = Needle(haystack="noise", keys=3, queries=3)
    assert exact(task, "values in the order of the text", 50, 2000) == pytest.approx(1 / 6, abs=0.03)


def test_nothing_but_reading_finds_all_values_of_a_single_key() -> None:
    assert not Needle(haystack="noise", values=4).shortcuts()
    assert exact(Needle(haystack="noise"), "the most frequent digit", 128, 300) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"haystack": "essays"}, "it is text or noise"),
        ({"keys": 27}, "between 1 and 26"),
        ({"queries": 2}, "no more than keys=1"),
        ({"values": 0}, "between 1 and 26"),
        ({"digits": 0}, "between 1 and 1000"),
    ],
)
def test_impossible_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Needle(**options)


def test_a_haystack_longer_than_the_text_is_refused() -> None:
    with pytest.raises(ValueError, match="give more of them"):
        Needle(corpus="wheel:hydra-core").sample(np.random.default_rng(0), 10**7, 1)


def test_the_digit_that_occurs_most_is_one_of_the_number() -> None:
    """The sentences that hide a pass key have no digits: all five are those of the number."""
    most = [max(Counter(digits).values()) for digits in product("0123456789", repeat=5)]
    task = Needle(haystack="noise")
    assert score(task, "the most frequent digit", 128, 1500) == pytest.approx(np.mean(most) / 5, abs=0.02)
