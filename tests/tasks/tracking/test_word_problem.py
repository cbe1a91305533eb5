"""The word problems are those of the groups that they are named after."""

from collections import Counter
from typing import Literal

import numpy as np
import pytest
from distributions import score
from scipy import stats

from tasks.tracking import groups
from tasks.tracking.word_problem import WordProblem

ORDERS = {  # how many elements have which order, from the theory of groups
    "Z2": {1: 1, 2: 1},
    "Z60": {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 2, 10: 4, 12: 4, 15: 8, 20: 8, 30: 8, 60: 16},
    "S3": {1: 1, 2: 3, 3: 2},
    "A4xZ5": {1: 1, 2: 3, 3: 8, 5: 4, 10: 12, 15: 32},
    "A5": {1: 1, 2: 15, 3: 20, 5: 24},
    "S5": {1: 1, 2: 25, 3: 20, 4: 30, 5: 24, 6: 20},
}
SOLVABLE = {"Z2", "Z60", "S3", "A4xZ5"}


def order(table: np.ndarray, element: int) -> int:
    power, count = element, 1
    while power:
        power, count = table[power, element], count + 1
    return count


def derived(table: np.ndarray, subgroup: set[int]) -> set[int]:
    """The subgroup that the commutators of a subgroup generate."""
    inverse = table.argmin(axis=1)
    members = sorted(subgroup)
    pairs = np.ix_(members, members)
    found = set(table[table[pairs], table[np.ix_(inverse[members], inverse[members])]].ravel().tolist())
    while True:
        more = set(table[np.ix_(sorted(found), sorted(found))].ravel().tolist()) | found
        if more == found:
            return found
        found = more


@pytest.mark.parametrize("group", ORDERS)
def test_the_table_is_that_of_the_group(group: str) -> None:
    table = groups.table(group)
    size = len(table)
    everything = np.arange(size)
    assert len(set(groups.names(group))) == size
    assert (table[0] == everything).all()
    assert (table[:, 0] == everything).all()
    assert (np.sort(table, axis=0) == everything[:, None]).all(), "what is divided by is unique"
    a, b, c = np.random.default_rng(0).integers(size, size=(3, 5000))
    assert (table[table[a, b], c] == table[a, table[b, c]]).all()
    assert Counter(order(table, element) for element in range(size)) == ORDERS[group]


@pytest.mark.parametrize("group", ORDERS)
def test_which_groups_are_solvable(group: str) -> None:
    table = groups.table(group)
    subgroup, smaller = set(range(len(table))), derived(table, set(range(len(table))))
    while smaller != subgroup:
        subgroup, smaller = smaller, derived(table, smaller)
    assert (subgroup == {0}) == (group in SOLVABLE)


def test_the_example_of_the_docstring() -> None:
    assert WordProblem(group="S3").solve(["231", "213", "132"]) == ["231", "132", "123"]


def test_a_permutation_says_where_each_thing_goes() -> None:
    """Three cups: the first move sends 1 to 2, 2 to 3, 3 to 1; the second swaps the first two places."""
    assert WordProblem(group="S3").solve(["231", "213"])[-1] == "132"


@pytest.mark.parametrize("group", ORDERS)
def test_every_product_is_uniform(group: str) -> None:
    task = WordProblem(group=group)
    batch = task.sample(np.random.default_rng(1), 6, 12_000)
    for place in range(6):
        counts = np.bincount(batch.answer[:, place], minlength=len(task.alphabet))
        assert stats.chisquare(counts).pvalue > 0.0005


def test_the_last_label_is_the_last_of_all() -> None:
    every = WordProblem(group="S5").sample(np.random.default_rng(0), 9, 20)
    last = WordProblem(group="S5", labels="last").sample(np.random.default_rng(0), 9, 20)
    assert (every.prompt == last.prompt).all()
    assert (every.answer[:, -1] == last.answer[:, -1]).all()
    assert last.scored.sum(axis=1).tolist() == [1] * 20


def test_two_elements_tell_two_labels_and_the_others_by_chance() -> None:
    task = WordProblem(group="A5")
    guess = task.shortcuts()["product of the last two"]
    right = []
    for prompt in task.sample(np.random.default_rng(0), 12, 600).prompt:
        question = [task.alphabet[token] for token in prompt]
        right.append([a == b for a, b in zip(guess(question), task.solve(question), strict=True)])
    share = np.mean(right, axis=0)
    assert share[:2].tolist() == [1, 1]
    assert share[2:].mean() == pytest.approx(1 / 60, abs=0.008)


@pytest.mark.parametrize(("options", "message"), [({"group": "D4"}, "there are Z2"), ({"labels": "all"}, "prefixes")])
def test_errors(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WordProblem(**options)


@pytest.mark.parametrize(("group", "alike"), [("S3", 2), ("A5", 12), ("S5", 24)])
def test_following_one_point_leaves_as_many_elements_as_agree_on_it(
    group: Literal["S3", "A5", "S5"], alike: int
) -> None:
    task = WordProblem(group=group)
    assert score(task, "where 1 goes", 50, 2000) == pytest.approx(1 / alike, abs=0.01)
    assert "where 1 goes" not in WordProblem(group="Z60").shortcuts()
