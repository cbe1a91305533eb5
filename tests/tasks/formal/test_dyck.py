"""Balanced brackets, nested and shuffled."""

import tracemalloc
from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from distributions import assert_drawn, score, written
from hypothesis import given
from hypothesis import strategies as st

from tasks.base import Task
from tasks.formal.dyck import Dyck
from tasks.formal.shuffle_dyck import ShuffleDyck


def catalan(n: int) -> int:
    return comb(2 * n, n) // (n + 1)


def reduces(word: str) -> bool:
    """Whether taking out neighbouring pairs leaves nothing."""
    while True:
        shorter = word.replace("()", "").replace("[]", "")
        if shorter == word:
            return not word
        word = shorter


def depth(word: str) -> int:
    return max(sum(1 if bracket in "([" else -1 for bracket in word[:end]) for end in range(len(word) + 1))


def all_words(brackets: str, length: int) -> list[str]:
    return ["".join(word) for word in product(brackets, repeat=length)]


def uniform(words: list[str]) -> dict[str, Fraction]:
    return {word: Fraction(1, len(words)) for word in words}


def test_balanced_strings_are_uniform() -> None:
    words = [word for word in all_words("()[]", 6) if reduces(word)]
    assert len(words) == 2**3 * catalan(3)
    assert_drawn(Dyck(), 6, uniform(words))


@pytest.mark.parametrize("max_depth", [2, 3, 4])
def test_shallow_balanced_strings_are_uniform(max_depth: int) -> None:
    words = [word for word in all_words("()", 10) if reduces(word) and depth(word) <= max_depth]
    assert_drawn(Dyck(kinds=1, max_depth=max_depth), 10, uniform(words))


@pytest.mark.parametrize("pairs", [1, 2, 3])
def test_shuffled_strings_are_uniform(pairs: int) -> None:
    words = [
        word
        for word in all_words("()[]", 2 * pairs)
        if all(reduces("".join(bracket for bracket in word if bracket in pair)) for pair in ("()", "[]"))
    ]
    assert len(words) == catalan(pairs) * catalan(pairs + 1), "the known number of shuffles of two Dyck words"
    assert_drawn(ShuffleDyck(), 2 * pairs, uniform(words))


def test_three_kinds_are_shuffled_uniformly() -> None:
    words = [
        word
        for word in all_words("()[]{}", 4)
        if all(
            reduces("".join(b for b in word if b in pair).translate(str.maketrans("{}", "()")))
            for pair in ("()", "[]", "{}")
        )
    ]
    assert_drawn(ShuffleDyck(kinds=3), 4, uniform(words))


@pytest.mark.parametrize(
    ("prompt", "labels"),
    [("()", ")-"), ("([])()", ")])-)-"), ("[[]]", "]]]-"), ("([]([]))", ")])) ]))-".replace(" ", ""))],
)
def test_labels_of_nested_brackets(prompt: str, labels: str) -> None:
    assert "".join(Dyck().solve(list(prompt))) == labels


def test_labels_of_shuffled_brackets() -> None:
    assert ShuffleDyck().solve(list("([)]")) == [")", ")]", "]", "-"]
    assert ShuffleDyck(kinds=3).solve(list("{(}[])")) == ["}", ")}", ")", ")]", ")", "-"]


@given(pairs=st.integers(1, 12), seed=st.integers(0, 2**32))
def test_labels_are_the_closing_brackets_that_may_come_next(pairs: int, seed: int) -> None:
    """A prefix and a closing bracket can be completed to a balanced string exactly if the label has that bracket."""

    def closes(prefix: str) -> bool:
        """Nested: what is left after taking out pairs are opening brackets only."""
        while (shorter := prefix.replace("()", "").replace("[]", "")) != prefix:
            prefix = shorter
        return not set(prefix) & set(")]")

    for task in (Dyck(), ShuffleDyck()):
        batch = task.sample(np.random.default_rng(seed), 2 * pairs, 1)
        word = written(task, batch.prompt)[0]
        for end, label in enumerate((task.alphabet[token] for token in batch.answer[0]), start=1):
            for pair in ("()", "[]"):
                tried = word[:end] + pair[1]
                seen = tried if isinstance(task, Dyck) else "".join(bracket for bracket in tried if bracket in pair)
                assert closes(seen) == (pair[1] in label)


@given(pairs=st.integers(1, 30), seed=st.integers(0, 2**32), max_depth=st.integers(0, 5))
def test_axes(pairs: int, seed: int, max_depth: int) -> None:
    task = Dyck(max_depth=max_depth)
    batch = task.sample(np.random.default_rng(seed), 2 * pairs, 1)
    opened: list[int] = []
    for place, bracket in enumerate(written(task, batch.prompt)[0]):
        if bracket in "([":
            opened.append(place)
        else:
            opened.pop()
        assert len(opened) <= (max_depth or pairs)
        assert batch.axes["depth"][0, place] == len(opened).bit_length()
        assert batch.axes["distance"][0, place] == (place - opened[-1] if opened else 0).bit_length()


def test_a_string_that_is_not_balanced_is_refused() -> None:
    for task in (Dyck(), ShuffleDyck()):
        with pytest.raises(ValueError, match="not balanced"):
            task.solve(list("(])["))


def test_nesting_matters() -> None:
    """Closing what was opened last is right at first and after a closed innermost pair only by chance."""
    assert 0.6 < score(Dyck(), "close the last opened bracket", 50, 200) < 0.9
    alone = Dyck(max_depth=1)
    batch = alone.sample(np.random.default_rng(0), 20, 50)
    assert set(np.unique(batch.answer[:, 1::2])) == {alone.alphabet.index("-")}


def test_counting_to_four_loses_count_at_the_fifth() -> None:
    task = ShuffleDyck()
    assert score(task, "counting to four", 8) == 1, "four pairs are never deeper than four"
    guess = task.shortcuts()["counting to four"]
    word = list("((((()))))")
    assert [place for place, label in enumerate(guess(word)) if label != task.solve(word)[place]] == [8]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Dyck(kinds=5), "kinds=5: there are between 1 and 4"),
        (lambda: Dyck(max_depth=-1), "max_depth=-1: it is above 0, or 0"),
        (lambda: ShuffleDyck(kinds=1), "kinds=1: there are between 2 and 4"),
    ],
)
def test_what_makes_no_sense_is_refused(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]


def test_sixteen_brackets_back_is_often_far_enough() -> None:
    name = "the last sixteen brackets"
    assert score(Dyck(), name, 16, 300) == 1, "nothing is older"
    assert score(Dyck(), "close the last opened bracket", 150, 300) + 0.05 < score(Dyck(), name, 150, 300) < 0.87


@pytest.mark.slow
@pytest.mark.parametrize("task", [Dyck(), ShuffleDyck(), ShuffleDyck(kinds=4)], ids=lambda task: type(task).__name__)
def test_memory_grows_with_the_length_and_not_with_its_square(task: Task) -> None:
    """Tables of all depths at all places took 337 MB at 5,000 brackets."""
    tracemalloc.start()
    task.sample(np.random.default_rng(0), 5000, 16)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * 2**20
