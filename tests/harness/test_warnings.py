"""Each warning is given where it should be, says where and what to do, and is not given where nothing is wrong."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from support import put, record

from harness.config.schema import Run
from harness.results import frames, records
from harness.results.records import Record
from harness.results.warnings import table as warnings

Compose = Callable[..., Run]
Make = Callable[..., Record]


@pytest.fixture
def make(composed: Compose) -> Make:
    """A record of copying by an encoding with a seed: right up to the training length, four of ten beyond."""

    def made(
        encoding: str, seed: int, *words: str, near: int = 10, far: int = 4, cost: dict[str, int] | None = None,
        **changes: Any,
    ) -> Record:  # fmt: skip
        run = composed(f"encoding={encoding}", f"seed={seed}", *words)
        found = record(run, lambda n: near if n <= run.lengths.train else far, **changes)
        assert found.cost is not None
        return found.model_copy(update={"cost": found.cost.model_copy(update=cost or {})})

    return made


def clean(make: Make) -> list[Record]:
    """Two methods with two seeds each: nothing speaks against comparing them."""
    return [make(encoding, seed) for encoding in ("rope", "alibi") for seed in (0, 1)]


def kinds(found: Sequence[Record]) -> dict[str, list[dict[str, Any]]]:
    warned = warnings.table(frames.of(found))
    assert list(warned) == list(warnings.COLUMNS)
    return {str(kind): own.to_dict("records") for kind, own in warned.groupby("warning")}


def test_nothing_is_said_of_a_clean_table(make: Make) -> None:
    assert kinds(clean(make)) == {}


def with_facts(found: Record, seen: int) -> Record:
    """The same, with this many of ten test examples of the training length in the training data."""
    facts = [
        records.TestFacts(length=row.length, examples=10, longest=9, in_training=seen if row.length == 20 else 0)
        for row in found.blind
    ]
    return found.model_copy(update={"tests": facts})


def guessed(found: Record) -> Record:
    """The same, of a task that has a shortcut which is right half of the time."""
    rows = [row.model_dump(exclude={"nats", "bytes"}) | {"exact": 5} for row in found.blind]
    again = found.model_dump(mode="json") | {"shortcuts": {"the first": rows}}
    return Record.model_validate(again)


def program(found: Record, **said: str) -> Record:
    return found.model_copy(update={"provenance": {**found.provenance, **said}})


CASES: dict[str, tuple[Callable[[Make], list[Record]], str, str]] = {
    "unequal training": (
        lambda make: [*clean(make), *(make("nope", seed, "train.steps=7000") for seed in (0, 1))],
        "nope", "up to 224000 training examples for nope"),
    "unequal parameters": (
        lambda make: [*clean(make), *(make("nope", seed, cost={"parameters": 2}) for seed in (0, 1))],
        "nope", "1 to 2 parameters"),
    "unequal tuning": (
        lambda make: [*clean(make), *(make("rope", seed, "train.learning_rate=0.01") for seed in (0, 1))],
        "rope", "2 learning rates for rope"),
    "single seed": (lambda make: [make("rope", 0), make("alibi", 0)], "alibi; rope", "one seed of alibi, rope"),
    "unequal tokens": (
        lambda make: [
            make(name, seed, cost={"examples": 100, "training_tokens": tokens})
            for name, tokens in (("rope", 2000), ("alibi", 2060), ("nope", 2200)) for seed in (0, 1)
        ],
        "nope", "20.0 to 22.0 tokens in a training example"),
    "learned by chance": (
        lambda make: [make("rope", 0, far=10), make("rope", 1, far=4), make("alibi", 0), make("alibi", 1)],
        "rope", "some seeds learned it and others did not"),
    "unequal seeds": (lambda make: [*clean(make), make("rope", 2)], "alibi", "2 to 3 seeds"),
    "missing seeds": (
        lambda make: [make(name, seed) for name in ("rope", "alibi") for seed in (0, 3)],
        "alibi; rope", "seeds are left out, of alibi 1, 2"),
    "not learned": (
        lambda make: [*clean(make), *(make("nope", seed, near=3) for seed in (0, 1))],
        "nope", "below 0.99 in distribution: nope"),
    "reached by a guess": (
        lambda make: [guessed(one) for one in [*clean(make), make("nope", 0, far=8), make("nope", 1, far=8)]],
        "alibi; rope", "no better beyond training than shortcut the first: alibi, rope"),
    "seen in training": (
        lambda make: [with_facts(one, 6) for one in clean(make)], "alibi; rope",
        "up to 60% of the test examples of the training length"),
    "other training lengths": (
        lambda make: [*clean(make), *(make("rope", seed, "lengths.train=30", far=3) for seed in (0, 1))],
        "", "trained up to 20, 30"),
    "several programs": (
        lambda make: [program(one, commit=f"{one.seed}abcdef0123") for one in clean(make)],
        "", "2 commits of the program: 0abcdef0, 1abcdef0"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_a_warning_says_where_and_what_and_no_other_is_given(kind: str, make: Make) -> None:
    made, methods, what = CASES[kind]
    found = kinds(made(make))
    assert set(found) == {kind}, found
    (said,) = found[kind]
    assert said["task"].startswith("copy")
    assert said["remedy"]
    assert what in said["what"]
    for method in methods.split("; "):
        assert method in said["methods"]


def test_a_ceiling_is_one_that_all_methods_share(make: Make) -> None:
    def ceiling(*scores: int) -> set[str]:
        found = [make(name, seed, near=near) for name, near in zip(("rope", "alibi"), scores, strict=True)
                 for seed in (0, 1)]  # fmt: skip
        return set(kinds(found))

    assert ceiling(8, 8) == {"not learned", "shared ceiling"}
    assert ceiling(8, 2) == {"not learned"}, "one may simply be better"
    assert ceiling(10, 10) == set()


def test_versions_of_data_and_trainings_before_are_seen(make: Make, composed: Compose, tmp_path: Path) -> None:
    older = clean(make)
    data = frames.of([*older, *(make(name, seed, "task=reverse") for name in ("rope", "alibi") for seed in (0, 1))])
    assert warnings.table(data).empty, "two tasks are not two versions of one"
    for node in data.tasks.values():
        node["task"] |= {"name": "copy"}
    runs = data.runs.assign(task_name="copy", task_version=[1] * 4 + [2] * 4)
    said = warnings.table(data._replace(runs=runs))
    assert set(said.warning) == {"several versions of the data"}
    assert "versions 1, 2" in said.what.iloc[0]

    origin = put(make("rope", 0, "model=nano", "lengths.train=10"), tmp_path)
    further = make("rope", 0, "model=nano", f"weights_from={origin}", "train_extension=yarn")
    found = kinds([further, make("rope", 0, "model=nano")])
    assert "trained before" in found
    assert found["trained before"][0]["methods"].count(";") == 0


def test_a_few_of_each_kind_are_printed(make: Make) -> None:
    tasks = ("copy", "reverse", "interleave", "sort_symbols")
    warned = warnings.table(frames.of([make("rope", 0, f"task={task}") for task in tasks]))
    assert len(warned) == 4
    lines = warnings.lines(warned)
    assert [line.startswith("warning, single seed: ") for line in lines] == [True] * warnings.SHOWN + [False]
    assert lines[-1].startswith("  and 1 more task; run at least three")
    assert warnings.lines(warned.iloc[:0]) == []
