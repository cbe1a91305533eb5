"""Searches: what they propose, that they go on as if nothing had happened, and what they choose by."""

import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support import ROOT

from harness.config.schema import Run
from harness.errors import Refused
from harness.launch import objective
from harness.results import records
from harness.results.records import Counts, Record
from harness.search import space
from harness.search.base import Ended, Search
from harness.search.grid import Grid
from harness.search.optuna import Optuna
from harness.search.random import Random
from harness.search.space import Point, Range

SPACE = {
    "train": {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}},
    "model.layers": {"low": 1, "high": 3},
    "optimizer": ["adamw", "muon"],
}


def value_of(point: Point) -> float | None:
    """A landscape with a top at a rate of 0.003, on which muon fails."""
    rate = point["train.learning_rate"]
    assert isinstance(rate, float)
    return None if point.get("optimizer") == "muon" and rate > 0.01 else -abs(math.log10(rate / 0.003))


def searched(search: Search, kept: Path, ended: list[Ended] | None = None, rounds: int = 100) -> list[Ended]:
    """What a search has tried after so many rounds."""
    ended = list(ended or [])
    for _ in range(rounds):
        if not (points := search.next(ended, kept)):
            break
        ended += [Ended(point, value_of(point)) for point in points]
    return ended


def optuna(**options: object) -> Optuna:
    return Optuna(**{"trials": 15, "at_a_time": 3, "space": SPACE, **options})  # type: ignore[arg-type]


@given(low=st.floats(1e-6, 1.0), factor=st.floats(1.001, 1e6), share=st.floats(0, 0.999999), log=st.booleans())
def test_a_number_that_is_drawn_lies_in_its_range_and_can_be_typed(
    low: float, factor: float, share: float, log: bool
) -> None:
    found = Range(low, low * factor, log).at(share)
    assert low <= found <= low * factor
    assert found in (low, low * factor) or float(f"{found:.4g}") == found


@given(low=st.integers(1, 20), more=st.integers(1, 30), log=st.booleans(), seed=st.integers(0, 50))
def test_whole_numbers_are_drawn_whole_and_both_ends_can_be(low: int, more: int, log: bool, seed: int) -> None:
    values = Range(low, low + more, log)
    drawn = [values.at(share / 997) for share in range(997)]
    assert {type(value) for value in drawn} == {int}
    assert (min(drawn), max(drawn)) == (low, low + more)
    assert values.spread()[0] == low
    assert values.spread()[-1] == low + more


def test_random_points_follow_from_their_number_and_cover_the_range(tmp_path: Path) -> None:
    few = searched(Random(trials=10, space=SPACE), tmp_path / "kept")
    many = searched(Random(trials=200, space=SPACE), tmp_path / "kept")
    assert many[:10] == few, "more trials begin with those of fewer"
    decades = Counter(math.floor(math.log10(float(str(one.point["train.learning_rate"])))) for one in many)
    assert all(50 < decades[decade] < 85 for decade in (-4, -3, -2)), "as many in each power of ten"
    assert Counter(one.point["model.layers"] for one in many).keys() == {1, 2, 3}
    assert many != searched(Random(trials=200, space=SPACE, seed=1), tmp_path / "kept")
    alone = searched(Random(trials=200, space={"train": SPACE["train"]}), tmp_path / "kept")
    same = [one.point["train.learning_rate"] for one in many]
    assert [one.point["train.learning_rate"] for one in alone] == same, "whatever else is searched"
    assert not (tmp_path / "kept").exists()


def test_a_grid_has_every_combination_once(tmp_path: Path) -> None:
    grid = Grid(
        space={"train.learning_rate": {"low": 0.001, "high": 0.1, "log": True, "points": 3}, "model.layers": [1, 2]}
    )
    points = list(grid.next([], tmp_path / "kept"))
    assert [tuple(point.values()) for point in points] == [
        (0.001, 1), (0.001, 2), (0.01, 1), (0.01, 2), (0.1, 1), (0.1, 2),
    ]  # fmt: skip
    assert grid.budget == 6
    with pytest.raises(Refused, match="10000 are the most"):
        Grid(space={"train.learning_rate": {"low": 0.001, "high": 0.1, "points": 200}, "model.layers": [*range(1, 90)]})


@pytest.mark.slow
def test_optuna_goes_where_it_is_told_and_is_the_same_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def distance(point: Point) -> float:
        return abs(math.log10(float(str(point["train.learning_rate"])) / 0.09))

    monkeypatch.setitem(globals(), "value_of", lambda point: -distance(point))
    whole = searched(optuna(trials=30), tmp_path / "one.journal")
    assert whole == searched(optuna(trials=30), tmp_path / "another.journal")
    distances = [distance(one.point) for one in whole]
    assert sum(distances[15:]) < sum(distances[:15]) / 2, "later points are nearer to the top"
    import optuna as library

    storage = library.storages.JournalStorage(
        library.storages.journal.JournalFileBackend(str(tmp_path / "one.journal"))
    )
    (study,) = library.get_all_study_summaries(storage)
    assert study.n_trials == 30, "as other programs read it"


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 4])
def test_optuna_goes_on_after_a_kill_as_if_there_had_been_none(after: int, tmp_path: Path) -> None:
    """Wherever its journal was cut, and also where it is gone: all trials are told again from their records."""
    whole = searched(optuna(), tmp_path / "whole.journal")
    begun = tmp_path / "begun.journal"
    searched(optuna(), begun, rounds=after)
    content = begun.read_bytes()
    for number, end in enumerate([0, len(content) // 3, len(content) - 7, len(content) - 1, len(content)]):
        cut = tmp_path / f"{number}.journal"
        cut.write_bytes(content[:end])
        cut.with_name(f"{cut.name}.lock").symlink_to("nothing")  # a kill within a write leaves Optuna's lock
        assert searched(optuna(), cut) == whole
    assert searched(optuna(), tmp_path / "gone.journal", whole[: 3 * after]) == whole


def test_a_file_that_is_no_journal_is_put_aside(tmp_path: Path) -> None:
    kept = tmp_path / "kept.journal"
    kept.write_text('{"op_code": 99}\nnonsense\n')
    assert searched(optuna(), kept) == searched(optuna(), tmp_path / "other.journal")
    assert (tmp_path / "kept.journal.aside-1").read_text().endswith("nonsense\n")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"lengths.train": [5, 10]}, "chooses among settings of the model"),
        ({"seed": [0, 1]}, "chooses among settings of the model"),
        ({"extension": [["ntk"]]}, "chooses among settings of the model"),
        ({"train.learning_rate": 0.1}, "a range, as in"),
        ({"train.learning_rate": []}, "a range, as in"),
        ({"train.learning_rate": {"low": 1, "high": 0.1}}, "not below high"),
        ({"train.learning_rate": {"low": 0, "high": 0.1, "log": True}}, "begins above 0"),
        ({"train.learning_rate": {"low": 0.1}}, "high is a number"),
        ({"train.learning_rate": {"low": 0.1, "high": math.inf}}, "high is a number"),
        ({"train.learning_rate": {"low": 0.1, "high": 1, "logg": True}}, "did you mean 'log'"),
        ({"train": {"clip": [1]}, "train.clip": [2]}, "written twice"),
        ([1], "chooses among settings"),
    ],
)
def test_what_is_no_space_is_refused_in_one_line(written: object, said: str) -> None:
    with pytest.raises(Refused, match=said):
        space.read(written)


def rows(*exact: int, length: int = 3) -> list[Counts]:
    return [
        Counts(length=length - n, examples=10, exact=one, tokens=50, correct=5 * one, nats=50.0 - one)
        for n, one in enumerate(exact)
    ]


def test_the_objective_is_the_mean_over_lengths_or_the_loss_of_a_token() -> None:
    found = objective.held_out(rows(10, 5), "exact_match")
    assert found.score == 0.75
    assert found.loss == pytest.approx((40 + 45) / 100)
    assert found.value("loss") == -found.loss
    assert objective.held_out(rows(10, 4), "token_accuracy").score == pytest.approx(0.7)


def test_no_record_can_have_held_out_examples_beyond_training() -> None:
    """What a search reads of a record is this alone."""
    record = records.read(next((ROOT / "results" / "six_encodings" / "records").glob("copy-rope-*.json")))
    document = record.model_dump(mode="json", exclude={"seal"})
    Record.model_validate({**document, "held_out": [row.model_dump() for row in rows(3, length=record.train_length)]})
    beyond = [row.model_dump() for row in rows(3, length=record.train_length + 1)]
    with pytest.raises(ValidationError, match="longer than those trained on"):
        Record.model_validate({**document, "held_out": beyond})


def test_a_search_knows_nothing_of_records() -> None:
    """It is told points and what each came to: neither results nor evaluation can be imported where it decides."""
    code = "import harness.search.optuna, harness.search.random, harness.search.grid, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "harness.search.base" in loaded
    assert not [
        name for name in loaded if name.startswith(("harness.results", "harness.evaluation", "torch", "optuna."))
    ]


def test_ids_do_not_depend_on_how_settings_were_found(composed: Callable[..., Run]) -> None:
    from harness.config import identity, instantiation
    from harness.config.schema import Selection

    run = composed("task=copy", "encoding=rope")
    found = run.model_copy(update={"selection": Selection(trials=9), "part_of": "some-sweep"})
    task = instantiation.task(run)
    assert identity.run_name(run, task) == identity.run_name(found, task)
    swept = composed("task=copy", "encoding=rope", "sweep=random", "sweep.space.train.learning_rate=[0.001,0.01]")
    assert identity.run_name(run, task) == identity.run_name(swept, task)
    assert swept.sweep.options["space"] == {"train": {"learning_rate": [0.001, 0.01]}}


def test_optuna_that_is_missing_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(Refused, match=r"pip install 'length-generalization-harness\[optuna\]'"):
        optuna().next([], tmp_path / "kept.journal")
    assert not list(tmp_path.iterdir())
