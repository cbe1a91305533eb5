"""Tables in which it is said what repeats, and files that are read in portions: nothing is lost or changed by it."""

import numpy as np
import pandas as pd
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.results import portions
from harness.results.csv_files import Repeated, csv
from harness.results.csv_files import portions as written

TEXTS = st.sampled_from(["rope", "", "a,b", 'say "it"', "=1+1", "NA", "1e5", "a\nb", "'", "T", "é", " x"]) | st.none()
NUMBERS = st.sampled_from([0.0, 1.0, -0.0, 2.5, 1e-7, 123456789.0, float("nan"), float("inf")])


@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(1, 5))
def test_a_table_is_written_the_same_where_it_is_said_what_repeats(data: st.DataObject, count: int) -> None:
    def column(kind: st.SearchStrategy[object], rows: int) -> list[object]:
        return data.draw(st.lists(kind, min_size=rows, max_size=rows))

    of_runs = pd.DataFrame(
        {
            "task": pd.Series(column(TEXTS, count), dtype=object),
            "method": pd.Categorical(column(TEXTS, count)),
            "seed": column(st.integers(0, 10**12), count),
            "rate": column(NUMBERS, count),
            "sealed": column(st.booleans(), count),
            "record": pd.Series(column(TEXTS, count), dtype=object),
        }
    )
    numbers = np.array(column(st.integers(0, count - 1), data.draw(st.integers(1, 12))))
    table = of_runs.take(numbers).reset_index(drop=True)
    table.insert(3, "length", column(st.integers(1, 50), len(table)))
    table.insert(5, "score", column(NUMBERS, len(table)))
    assert "".join(written(table, Repeated(numbers, [*of_runs]))) == csv(table)


@given(
    groups=st.dictionaries(st.sampled_from(["copy-rope", "copy-alibi", "add-rope"]), st.integers(1, 9000), min_size=1),
    processes=st.integers(1, 16),
)
@example(groups={"copy-rope": 5001}, processes=2)
@example(groups={"copy-rope": 9000}, processes=4)
@settings(max_examples=30, deadline=None)
def test_files_are_in_one_portion_each_and_none_is_large_for_what_is_left(
    groups: dict[str, int], processes: int
) -> None:
    names = sorted(f"{group}-seed{n % 5}-{n:012x}.json" for group, count in groups.items() for n in range(count))
    cut = portions.cut(names, processes)
    assert sorted(name for part in cut for name in part) == names
    assert all(cut)
    left = len(names)
    for part in cut:
        assert len(part) <= 2 * max(portions.FEWEST, left // (portions.TURNS * processes))
        left -= len(part)


@given(
    groups=st.lists(st.integers(1, portions.FEWEST), min_size=1, max_size=20),
    processes=st.integers(1, 16),
)
@settings(max_examples=30, deadline=None)
def test_seeds_of_a_method_are_in_one_portion(groups: list[int], processes: int) -> None:
    names = [f"copy-{number:02}-seed{n}-{n:012x}.json" for number, count in enumerate(groups) for n in range(count)]
    of = [{name[:7] for name in part} for part in portions.cut(names, processes)]
    assert sum(len(methods) for methods in of) == len(groups)
