"""The examples that the documentation of the copying tasks gives."""

import pytest

from tasks.base import Task
from tasks.copying.binary_majority import BinaryMajority
from tasks.copying.copy import Copy
from tasks.copying.count_range import CountRange
from tasks.copying.dedupe import Dedupe
from tasks.copying.half_copy import HalfCopy
from tasks.copying.interleave import Interleave
from tasks.copying.majority import Majority
from tasks.copying.pick import Pick
from tasks.copying.repeat_copy import RepeatCopy
from tasks.copying.replace import Replace
from tasks.copying.reverse import Reverse
from tasks.copying.shift import Shift
from tasks.copying.sort_by_key import SortByKey
from tasks.copying.sort_numbers import SortNumbers
from tasks.copying.sort_symbols import SortSymbols

WITH_BARS = Copy(copies=2, separator=True)
EXAMPLES: list[tuple[Task, str]] = [
    (Copy(), "qbdda -> qbdda"),
    (WITH_BARS, "qbdda -> qbdda|qbdda"),
    (Reverse(), "qbdda -> addbq"),
    (Reverse(then="reverse"), "qbdda -> addbq|addbq"),
    (Reverse(then="copy"), "qbdda -> addbq|qbdda"),
    (Replace(), "a>b:aaaa -> bbbb"),
    (Replace(text="random"), "d>x:qbdda -> qbxxa"),
    (RepeatCopy(), "3qbd -> qbdqbdqbd"),
    (Shift(), "qbdda -> bddaq"),
    (Shift(by=-1), "qbdda -> aqbdd"),
    (Dedupe(), "aabbba -> aba"),
    (Dedupe(removed="all"), "aabbba -> ab"),
    (Interleave(), "abc|xyz -> axbycz"),
    (SortSymbols(), "qbdda -> abddq"),
    (SortNumbers(), "4711,38,905 -> 38,905,4711"),
    (SortByKey(), "Q:123,d:45,a:7 -> a,d,Q"),
    (Majority(), "abcbd -> b"),
    (BinaryMajority(), "10110 -> 1"),
    (BinaryMajority(period=3), "100101010 -> 100"),
    (CountRange(), "5 8 -> 5 6 7 8"),
    (Pick(), "qbdda -> q"),
    (Pick(index=-2), "qbdda -> d"),
    (HalfCopy(symbols=62), "qbdxaeci -> ae"),
]


@pytest.mark.parametrize(("task", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_an_example_is_right_and_in_the_docstring(task: Task, example: str) -> None:
    question = example.split(" -> ")[0]
    prompt = question.split() if " " in question else list(question)
    assert task.write(prompt, task.solve(prompt)) == example
    assert example in " ".join((type(task).__doc__ or "").split())
