"""Records that differ in their numbers alone are read together, as strictly as each by itself."""

import contextlib
import copy
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_records import same
from support import ROOT, put, sample

from harness.config.schema import Run
from harness.errors import Refused
from harness.files import sealed_json
from harness.results import alike, cutting, frames, portions, records
from harness.results.forms import SECTIONS

PUBLISHED = sorted(ROOT.glob("results/*/records/*.json"))
NUMBERS = (
    *["0", "1", "2", "3", "4", "5", "7", "10", "11", "50", "99", "100", "1000", "999999999999", "1000000000000"],
    *["12345678901234567890", "0.0", "0.5", "1.0", "1.5", "1.50", "1e2", "1e-07", "1E5", "1e999", "-1", "-0.0", "01"],
    *["NaN", "true", "null", '"3"', "[]", "3.0.0", "4e", "5e-7", "1e-7", "1000001.0", "99999999.5"],
)


@pytest.fixture
def three(composed: Callable[..., Run], tmp_path: Path) -> list[Path]:
    """Three seeds of a method with two extensions, slices, a learning curve and all costs."""
    paths = []
    for seed in range(3):
        words = ("lengths.test=22", "lengths.step=11", "extension=[extrapolate,yarn]", f"seed={seed}")
        made = sample(composed("train.until=0.9", *words))
        parts = [row.model_dump(exclude={"exact_given_length"}) for row in made.scores]
        more: dict[str, Any] = {
            "scores": [{**row, "ends": 10, "ends_correct": 10, "exact_given_length": row["exact"]} for row in parts],
            "slices": [
                {**row, "examples": 4, "exact": 1, "tokens": 50, "correct": 2 + at, "at": {"distance": at}}
                for row in parts
                for at in (1, 2)
            ],
            "tests": [
                {"length": row.length, "examples": row.examples, "longest": 9, "in_training": 1} for row in made.blind
            ],
            "looks": [{"step": step, "in_distribution": 0.9 + step / 1000, "out_of_distribution": 0.25}
                      for step in (10, 20)],
            "held_out": [{**made.blind[0].model_dump(), "nats": 0.25}],
        }  # fmt: skip
        whole = {**made.model_dump(mode="json"), **more}
        whole["cost"] |= {"training_tokens": 900, "training_positions": 1000, "training_flops": 1.5e9}
        paths.append(put(records.Record.model_validate(whole), tmp_path))
    return paths


@pytest.fixture(params=[alike.MANY, 1], ids=["in parts", "by patterns"])
def together(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[bool]:
    """For each record read while it is in use, whether it was read with others. A kind of which there are as many
    as the parameter has a pattern.
    """
    taken: list[bool] = []
    take, take_next = alike.Alike.take, alike.Alike.take_next

    def noted(self: alike.Alike, seen: alike.Seen) -> bool:
        taken.append(take(self, seen))
        return taken[-1]

    def next_noted(self: alike.Alike, said: bytes, path: Path) -> bool:
        if found := take_next(self, said, path):
            taken.append(True)
        return found

    monkeypatch.setattr(alike, "MANY", request.param)
    monkeypatch.setattr(alike, "TOGETHER", min(alike.TOGETHER, request.param))
    monkeypatch.setattr(alike.Alike, "take", noted)
    monkeypatch.setattr(alike.Alike, "take_next", next_noted)
    monkeypatch.setattr(alike, "_KINDS", {})
    monkeypatch.setattr(alike, "_FORMS", {})
    return taken


def read(paths: list[Path]) -> tuple[frames.Frames, list[str]]:
    """What is read from files in one portion, in the order of their names."""
    packed, rejected = portions.read(paths)
    found = frames.made(packed)
    return frames.take(found, np.argsort(found.runs.record.astype(object), kind="stable")), rejected


def one_by_one(paths: list[Path]) -> tuple[frames.Frames, list[str]]:
    good, bad = [], []
    for path in sorted(paths, key=lambda path: path.stem):
        try:
            good.append(records.read(path))
        except Refused as refusal:
            bad.append(str(refusal))
    return frames.of(good), bad


@pytest.mark.slow
@pytest.mark.parametrize("together", [alike.MANY], indirect=True)
def test_all_published_records_are_read_together_as_each_by_itself(together: list[bool]) -> None:
    for folder in sorted({path.parent for path in PUBLISHED}):
        paths = [path for path in PUBLISHED if path.parent == folder]
        expected, bad = one_by_one(paths)
        for _ in range(3):
            found, rejected = read(paths)
            assert rejected == bad
            same(found, expected)
    assert sum(together) > 100, "those that have a seal, from the third time on"


def test_records_with_everything_in_them_are_read_together(three: list[Path], together: list[bool]) -> None:
    expected, bad = one_by_one(three)
    for _ in range(2):
        found, rejected = read(three)
        assert rejected == bad == []
        same(found, expected)
    assert together == [False, False, True, True, True, True]
    assert set(found.slices.axis_distance) == {1, 2}


def test_a_kind_of_which_there_are_many_is_taken_apart_at_once(
    three: list[Path], together: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        read(three)
    cut, members = [], cutting.members
    monkeypatch.setattr(cutting, "members", lambda said: cut.append(said) or members(said))
    found, _ = read(three)
    assert len(cut) == (1 if alike.MANY == 1 else 3)
    same(found, one_by_one(three)[0])


def numbers(value: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Where each number of the sections stands."""
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(part, *path, key)
    elif isinstance(value, int | float):
        yield path


def with_number(document: dict[str, Any], place: tuple[str | int, ...], word: str) -> str:
    """The text of a record with a word in the place of a number, and with the seal that belongs to it if it has one."""
    value = copy.deepcopy(document)
    inner: Any = value
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = "HERE"

    def text() -> str:
        return json.dumps(value, indent=1, ensure_ascii=False).replace('"HERE"', word) + "\n"

    with contextlib.suppress(ValueError):
        value["seal"] = sealed_json.seal(sealed_json.parsed(text()))
    return text()


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_number_a_sealed_record_has_it_is_read_as_by_itself(
    data: st.DataObject, three: list[Path], together: list[bool]
) -> None:
    alike._KINDS.clear()
    text = three[2].read_text()
    document = json.loads(text)
    places = [*numbers({name: document[name] for name in SECTIONS}), ("final_loss",), ("training_compared",)]
    place, word = data.draw(st.sampled_from(places)), data.draw(st.sampled_from(NUMBERS))
    try:
        three[2].write_text(with_number(document, place, word))
        read(three[:2])
        found, rejected = read(three)
        expected, bad = one_by_one(three)
        assert rejected == bad
        same(found, expected)
    finally:
        three[2].write_text(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"started": "', '"started": "x'),
        ('"seed": 2', '"seed": 1'),
        ("\n}\n", "\n}\n "),
        ('"cost": {\n', '"cost": {\n  "steps": 5,\n'),
        ('"seal": "', '"seal": "0'),
        ('"exact": 3', '"exact": 2'),
        ('"exact": 3', '"exact": 0x3'),
        ('"name": "', '"name": "a'),
    ],
)
def test_a_record_that_was_changed_is_refused_among_others(
    old: str, new: str, three: list[Path], together: list[bool]
) -> None:
    read(three[:2])
    three[2].write_text(three[2].read_text().replace(old, new, 1))
    found, rejected = read(three)
    expected, bad = one_by_one(three)
    assert rejected == bad
    same(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("member", ["nats", "final_loss"])
def test_a_seal_of_what_is_no_json_or_written_otherwise_helps_nobody(
    member: str, three: list[Path], together: list[bool]
) -> None:
    """The seal is one of the text as it would be with a word that no value is written as."""
    read(three[:2])
    document = json.loads(three[2].read_text())
    (document if member == "final_loss" else document["scores"][0])[member] = 123.25
    said = sealed_json.canonical({name: value for name, value in document.items() if name != "seal"})
    for word in ("5.0.0", "4e", "5.00", "05.0", "5", "5e0", "nan", "inf", "0x5", "5_0.0", "1e-7", "-0.0", "123.25"):
        seal = hashlib.sha256(said.replace("123.25", word).encode()).hexdigest()
        three[2].write_text(json.dumps({**document, "seal": seal}, indent=1).replace("123.25", word) + "\n")
        found, rejected = read(three)
        expected, bad = one_by_one(three)
        assert rejected == bad, word
        same(found, expected)
    assert together[-1], "the last one is as it should be"


def test_one_wrong_record_leaves_the_others(three: list[Path], together: list[bool]) -> None:
    """The seal is right and the number is not, so it is found where all are checked at once."""
    document = json.loads(three[1].read_text())
    read([three[0], three[2]])
    three[1].write_text(with_number(document, ("scores", 0, "exact"), "11"))
    found, (reason,) = read(three)
    assert together[-3:] == [True, True, True]
    assert "more is right than there is" in reason
    same(found, one_by_one(three)[0])
