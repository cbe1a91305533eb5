"""The curve that a terminal gets, and the commands after it."""

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import near_only, record

from harness.composition.compose import composer
from harness.composition.next_steps import commands
from harness.config.schema import Run
from harness.results import length_curve
from harness.results.statistics.shares import wilson

Compose = Callable[..., Run]


def dots(drawn: list[str]) -> set[tuple[int, int]]:
    """The dots of a curve, as columns from the left and rows from the top."""
    found = set()
    for row, line in enumerate(drawn[1:-1]):
        for column, character in enumerate(line[5:]):
            bits = ord(character) - length_curve.EMPTY
            if 0 <= bits < 256:
                found |= {
                    (2 * column + x, 4 * row + y)
                    for y, pair in enumerate(length_curve.DOTS)
                    for x, bit in enumerate(pair)
                    if bits & bit
                }
    return found


@given(
    points=st.dictionaries(st.integers(0, 5000), st.floats(0, 1), min_size=2, max_size=12),
    trained=st.integers(0, 5000),
)
def test_every_point_is_a_dot_where_it_should_be_and_columns_have_no_gap(
    points: dict[int, float], trained: int
) -> None:
    drawn = length_curve.lines(list(points.items()), trained, "exact match")
    assert len(drawn) == 2 + length_curve.ROWS
    assert max(map(len, drawn)) <= 79
    found = dots(drawn)
    first, last = min(points), max(points)
    for length, value in points.items():
        x, y = (length - first) / (last - first) * 127, (1 - value) * 15
        assert any(abs(column - x) <= 0.5 and abs(row - y) <= 0.5 for column, row in found), (length, value)
    assert {column for column, _ in found} == set(range(128))
    assert str(first) in drawn[-1] or str(trained) in drawn[-1] or str(last) in drawn[-1]


def test_the_training_length_is_marked() -> None:
    drawn = length_curve.lines([(1, 1.0), (20, 1.0), (21, 0.0), (100, 0.0)], 20, "exact match")
    place = 5 + round(19 / 99 * 127) // 2
    assert drawn[0] == "exact match at each length (┊ 20, the training length)"
    assert drawn[-1][place:].startswith(f"{length_curve.MARK}20 ")
    assert drawn[-1].endswith("100")
    assert drawn[-1].strip().startswith("1 ")
    flat = length_curve.lines([(1, 0.0), (20, 0.0), (100, 0.0)], 20, "exact match")
    assert [line[place] for line in flat[1:4]] == [length_curve.MARK] * 3, "behind the curve"


def test_there_is_no_curve_of_one_length() -> None:
    assert length_curve.lines([(5, 1.0)], 5, "exact match") == []
    assert length_curve.lines([(5, float("nan")), (6, 0.5)], 5, "exact match") == []


@given(total=st.integers(1, 2000), share=st.floats(0, 1))
def test_the_interval_is_that_of_scipy(total: int, share: float) -> None:
    from scipy.stats import binomtest

    right = round(share * total)
    other = binomtest(right, total).proportion_ci(method="wilson")
    assert wilson(right, total) == pytest.approx((other.low, other.high), abs=1e-12)


def learned(length: int) -> int:
    return 10 if length <= 30 else 5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "right", "expected"),
    [
        ([], learned, "'extension=[extrapolate,ntk,yarn]'"),
        (["encoding=nope", "task=copy"], learned, "'extension=[extrapolate,window]'"),
        (["task=reverse", "train.steps=70"], lambda length: 3, "task=reverse train.steps=140"),
        (["architecture=lstm", "encoding=nope"], near_only, "show --model"),
        (["encoding.base=500", "extension=[extrapolate,ntk]", "force=true"], learned, "ntk,yarn,interpolate]"),
    ],
)
def test_the_commands_that_are_proposed_can_be_run(
    words: list[str], right: Callable[[int], int], expected: str, composed: Compose
) -> None:
    with composer() as hydra:
        run = hydra.run(words)
        proposed = commands(hydra, words, run, record(run, right), Path("results/records/x.json"), [])
        assert len({command for command, _ in proposed}) == 3
        assert expected in proposed[0][0]
        assert "force" not in " ".join(command for command, _ in proposed)
        for command, _ in proposed[:2]:
            python, dash, program, *arguments = shlex.split(command)
            assert [python, dash, program] == ["python", "-m", "harness"]
            if arguments[0] != "show":
                cells = hydra.cells([word for word in arguments if word != "-m"])
                assert all(isinstance(hydra.attempt(cell), Run) for cell in cells)
                assert len(cells) in (1, 3, 6)
        assert proposed[2][0] == "python -m harness leaderboard results"


@pytest.mark.slow
def test_other_encodings_are_not_proposed_with_options_of_one(composed: Compose) -> None:
    with composer() as hydra:
        for words, expected in (
            ([], "python -m harness -m 'seed=range(3)' encoding=rope,alibi"),
            (["encoding.base=500"], "python -m harness -m encoding.base=500 'seed=range(3)'"),
            (
                ["architecture=lstm", "encoding=nope"],
                "python -m harness -m architecture=lstm encoding=nope 'seed=range(3)'",
            ),
        ):
            run = hydra.run(words)
            assert commands(hydra, words, run, record(run, learned), Path("x"))[1][0] == expected
