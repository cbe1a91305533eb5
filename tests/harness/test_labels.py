"""Labels of methods and tasks."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from harness.results.labels import labels


def test_labels_say_just_what_differs() -> None:
    def method(encoding: str, base: float, positions: str, layers: int) -> dict:
        return {
            "encoding": {"name": encoding, "options": {"base": base}},
            "positions": {"name": positions, "options": {}},
            "model": {"layers": layers, "heads": 4},
        }

    plain = [method("rope", 1.0, "sequential", 3), method("alibi", 1.0, "sequential", 3)]
    assert labels("encoding", plain) == ["rope", "alibi"]
    mixed = [*plain, method("rope", 2.0, "sequential", 3), method("rope", 1.0, "randomized", 4)]
    assert labels("encoding", mixed) == [
        "rope · base=1.0",
        "alibi",
        "rope · base=2.0",
        "rope · base=1.0 · randomized · layers=4",
    ]
    assert len(set(labels("encoding", mixed))) == 4


def test_what_most_have_goes_without_saying() -> None:
    def method(encoding: str, positions: str, mixer: str, rows: int = 0) -> dict:
        return {
            "encoding": {"name": encoding, "options": {}},
            "positions": {"name": positions, "options": {"rows": rows} if rows else {}},
            "mixer": {"name": mixer, "options": {}},
        }

    usual = [method("rope", "sequential", "attention"), method("alibi", "sequential", "attention")]
    others = [method("rope", "randomized", "attention"), method("nope", "sequential", "lstm")]
    assert labels("encoding", [*usual, *others]) == ["rope", "alibi", "rope · randomized", "nope · lstm"]
    assert labels("encoding", [usual[0], *[others[1]] * 9]) == ["rope · attention", *["nope · lstm"] * 9]
    several = [*usual, method("fire", "sequential", "attention", rows=8), method("nope", "random", "attention")]
    assert labels("encoding", several) == ["rope", "alibi", "fire · sequential · rows=8", "nope · random"]


@given(st.lists(st.tuples(*[st.sampled_from(["a", "b", "c"])] * 3), max_size=8))
def test_things_that_differ_have_labels_that_differ(things: list[tuple[str, str, str]]) -> None:
    groups = ("encoding", "positions", "mixer")
    nodes = [{group: {"name": name, "options": {}} for group, name in zip(groups, own, strict=True)} for own in things]
    assert len(set(labels("encoding", nodes))) == len(set(things))


def test_of_options_that_change_together_the_first_stands_for_all() -> None:
    def budget(steps: int, warmup: int, batch: int) -> dict:
        return {
            "encoding": {"name": "rope", "options": {}},
            "train": {"steps": steps, "warmup": warmup, "batch": batch},
        }

    assert labels("encoding", [budget(2000, 50, 32), budget(5000, 100, 32)]) == [
        "rope · steps=2000",
        "rope · steps=5000",
    ]
    three = [budget(2000, 50, 32), budget(5000, 100, 32), budget(5000, 100, 64)]
    assert labels("encoding", three) == [
        "rope · steps=2000 · batch=32", "rope · steps=5000 · batch=32", "rope · steps=5000 · batch=64"
    ]  # fmt: skip


def test_lists_with_the_same_ends_are_told_apart() -> None:
    grids = [[1, 2, 3, 9], [1, 4, 5, 9], [1, 2, 9]]
    things = [{"task": {"name": "copy", "options": {"tested": grid}}} for grid in grids]
    assert labels("task", things) == [f"copy · tested={grid}" for grid in grids]


def test_what_all_share_is_in_no_label() -> None:
    def method(encoding: str, task_batch: int) -> dict:
        train = {"batch": task_batch, "learning_rate": 0.003, "steps": 5000}
        return {"encoding": {"name": encoding, "options": {}}, "train": train, "model": {"layers": 3}}

    assert labels("encoding", [method("rope", 32), method("alibi", 32)]) == ["rope", "alibi"]
    published = pd.read_csv(ROOT / "results" / "six_encodings" / "curves.csv")
    names = {"alibi", "learned", "nope", "rope", "sinusoidal", "t5"}
    assert published.groupby("task").method.agg(set).to_dict() == dict.fromkeys(published.task.unique(), names)
