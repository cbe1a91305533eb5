"""Which runs of a sweep are trained as one program, and what is said where they are not."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from harness.config.schema import Run
from harness.launch.members import MOST, Groups
from harness.results.finished import paths_of
from harness.results.paths import RunPaths

SMALL = ("model.dimension=16", "model.heads=2", "train.batch=4", "lengths.train=8", "lengths.test=12", "trainer=cpu")


class Cell(NamedTuple):
    run: Run
    paths: RunPaths


Cells = Callable[..., list[Cell]]


@pytest.fixture
def cells(composed: Callable[..., Run], tmp_path: Path) -> Cells:
    def made(*overrides: str, seeds: int = 8) -> list[Cell]:
        runs = [composed(*SMALL, f"results={tmp_path}", *overrides, f"seed={seed}") for seed in range(seeds)]
        return [Cell(run, paths_of(run)) for run in runs]

    return made


def sizes(groups: Groups, all_cells: Sequence[Cell]) -> list[int]:
    """How many runs each process would train that is started for a cell in turn."""
    words = [groups.words(cell) for cell in all_cells if not groups.waits(cell)]
    return [int(line[1]) if line[0] == "--members" else 1 for line in words]


def test_small_runs_are_divided_among_the_slots(cells: Cells) -> None:
    every = cells()
    assert sizes(Groups(every, 1, gpu=False), every) == [8]
    assert sizes(Groups(every, 2, gpu=False), every) == [4, 4]
    assert sizes(Groups(every, 4, gpu=False), every) == [1] * 8, "two at a time share too little"
    assert sizes(Groups(every[:2], 1, gpu=False), every[:2]) == [1, 1]
    other = [*every, *cells("encoding=t5")]
    assert sizes(Groups(other, 2, gpu=False), other) == [8, 8], "a slot each"


def test_no_group_is_larger_than_what_was_measured(cells: Cells) -> None:
    many = cells(seeds=MOST + 4)
    assert sizes(Groups(many, 1, gpu=False), many) == [10, 10]


def test_where_it_does_not_pay_or_was_not_measured_auto_trains_one_by_one(cells: Cells) -> None:
    large = cells("model.dimension=64", "train.batch=32")
    assert sizes(Groups(large, 1, gpu=False), large) == [1] * 8
    every = cells()
    assert sizes(Groups(every, 1, gpu=True), every) == [1] * 8
    asked = cells("model.dimension=64", "train.batch=32", "launcher.members=3")
    assert sizes(Groups(asked, 1, gpu=True), asked) == [3, 3, 2]
    refused = cells("launcher.members=1")
    assert sizes(Groups(refused, 1, gpu=False), refused) == [1] * 8


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (("optimizer=muon",), "optimizer=muon does more than change each number by its own gradient"),
        (("architecture=lstm", "encoding=nope"), "architecture=lstm: PyTorch has no rule to vectorise it"),
        (("logger=[csv,tensorboard]",), "of loggers only csv follows several runs at once"),
        (("trainer.compile=true",), "trainer.compile=true: what is compiled is one network"),
        (("force=true",), "force=true: what has been trained is trained again run by run"),
    ],
)
def test_what_cannot_be_a_member_is_trained_by_itself_and_said(
    overrides: tuple[str, ...], reason: str, cells: Cells, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = cells(*overrides, "launcher.members=4", seeds=4)
    assert sizes(Groups(asked, 1, gpu=False), asked) == [1] * 4
    said = capsys.readouterr().err
    assert said == f"4 runs are not trained as one program but each by itself: launcher.members: {reason}\n"
    silent = cells(*overrides, seeds=4)
    assert sizes(Groups(silent, 1, gpu=False), silent) == [1] * 4
    assert capsys.readouterr().err == "", "nobody has asked for it"


def test_a_run_is_tested_as_soon_as_its_weights_are_there(cells: Cells) -> None:
    first, second, third, fourth = cells(seeds=4)
    groups = Groups([first, second, third, fourth], 1, gpu=False)
    assert groups.words(first)[:2] == ["--members", "4"]
    assert groups.waits(second)
    second.paths.folder.mkdir(parents=True, exist_ok=True)
    second.paths.weights.touch()
    assert not groups.waits(second)
    assert groups.words(second)[0] == "--job"
    assert groups.waits(third)
    assert not groups.ended(second, "")
    assert groups.ended(first, "the reason"), "its training has ended, and it is still to do"
    assert not groups.waits(third)
    assert groups.words(third)[0] == groups.words(first)[0] == "--job"
    assert not groups.ended(first, ""), "the second time it was the run"


def test_weights_that_are_there_are_not_trained_again(cells: Cells) -> None:
    every = cells(seeds=5)
    every[0].paths.folder.mkdir(parents=True)
    every[0].paths.weights.touch()
    assert sizes(Groups(every, 1, gpu=False), every) == [1, 4]
