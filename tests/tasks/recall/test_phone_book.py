"""The phone book."""

import numpy as np
import pytest
from scipy import stats

from tasks.recall.phone_book import PhoneBook


def entries(task: PhoneBook, prompt: np.ndarray) -> tuple[list[tuple[str, str]], str]:
    text = "".join(task.alphabet[token] for token in prompt)
    width = task.letters + task.digits
    book = [text[first : first + width] for first in range(0, len(text) - task.letters, width)]
    return [(entry[: task.letters], entry[task.letters :]) for entry in book], text[-task.letters :]


def test_the_example_of_the_docstring() -> None:
    assert PhoneBook(letters=2, digits=4).solve(list("QB7301XK6624XK")) == list("6624")


def test_names_are_different_and_numbers_begin_as_in_the_source() -> None:
    task = PhoneBook(letters=1)
    met = set()
    for prompt in task.sample(np.random.default_rng(0), 26, 40).prompt:
        book, asked = entries(task, prompt)
        assert len({name for name, _ in book}) == 26
        assert asked in dict(book)
        met |= {number[0] for _, number in book}
    assert met == set("6789")
    assert not task.produces(27)


def test_every_entry_is_asked_equally_often_and_found_in_the_book() -> None:
    task = PhoneBook()
    batch = task.sample(np.random.default_rng(0), 8, 8000)
    asked = np.zeros(8, int)
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        book, name = entries(task, prompt)
        place = [other for other, _ in book].index(name)
        asked[place] += 1
        assert book[place][1] == "".join(task.alphabet[token] for token in answer)
    assert stats.chisquare(asked).pvalue > 0.001


@pytest.mark.parametrize("options", [{"letters": 0}, {"letters": 9}, {"digits": 0}])
def test_errors(options: dict) -> None:
    with pytest.raises(ValueError, match=r"between 1 and 8|between 1 and 1000"):
        PhoneBook(**options)


def test_a_name_that_is_not_in_the_book() -> None:
    with pytest.raises(ValueError, match="not in the book"):
        PhoneBook(letters=1, digits=1).solve(list("A6B7C"))
