"""Labels of methods and tasks."""

import pandas as pd
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
        "rope · base=1.0 · sequential · layers=3",
        "alibi · sequential · layers=3",
        "rope · base=2.0 · sequential · layers=3",
        "rope · base=1.0 · randomized · layers=4",
    ]
    assert len(set(labels("encoding", mixed))) == 4


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
