"""A record that was changed after it was written is not taken, wherever the change is; older ones are read as such."""

import copy
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import ROOT, put, sample

from harness.config.schema import Run
from harness.errors import Refused
from harness.files import sealed_json
from harness.results import collection, portions, records, unchanged
from harness.results.records import Record

SEALED = ROOT / "results" / "huang2025" / "records" / "binary_majority-learned-seed0-7d5cd1baec25.json"
"""A record of schema 1 that has a seal, as the last ones of that schema had."""
FIRST = sorted((ROOT / "results" / "six_encodings" / "records").glob("*.json"))[0]


@pytest.fixture
def record(composed: Callable[..., Run]) -> Record:
    """A record with something in every field."""
    made = sample(composed("model=nano", "lengths.train=4", "lengths.test=6"))
    row = {
        "length": 4,
        "examples": 10,
        "exact": 1,
        "tokens": 100,
        "correct": 50,
        "nats": 5.0,
        "extension": "extrapolate",
    }
    tests = [{"length": score.length, "examples": 10, "longest": 9, "in_training": 1} for score in made.scores]
    more: dict[str, Any] = {
        "slices": [{**row, "at": {"distance": 1}}],
        "novelty": {"extrapolate": ["positions 9 to 12"]},
        "tests": tests,
        "training_compared": 5,
        "looks": [{"step": 10, "in_distribution": 0.5, "out_of_distribution": 0.25}],
        "shortcuts": {"first": [score.model_dump(exclude={"extension", "nats", "bytes", "exact_given_length"})
                                for score in made.scores]},
    }  # fmt: skip
    return Record.model_validate({**made.model_dump(mode="json"), **more})


def leaves(value: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """Where each value stands that has no parts."""
    if not isinstance(value, dict | list) or not value:
        yield path
        return
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(part, *path, key)


def edited(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return f"{value[:-1]}{'a' if value[-1:] != 'a' else 'b'}"
    return {dict: {"a": 1}, list: [1], type(None): 1}[type(value)]


def changed(document: dict[str, Any], path: tuple[str | int, ...], change: Callable[[Any, Any], None]) -> str:
    value: Any = copy.deepcopy(document)
    place = value
    for key in path[:-1]:
        place = place[key]
    change(place, path[-1])
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def edit(place: Any, key: Any) -> None:
    place[key] = edited(place[key])


def remove(place: Any, key: Any) -> None:
    del place[key]


def is_refused(path: Path) -> bool:
    """Whether both ways to read a file refuse it: one record, and a folder of many."""
    with pytest.raises(Refused) as refusal:
        records.read(path)
    columns, rejected = portions.read([path])
    return rejected == [str(refusal.value)] and not columns.tables["runs"]["record"]


@pytest.mark.slow
@pytest.mark.parametrize("change", [edit, remove])
def test_no_value_of_a_record_can_be_changed_unseen(
    change: Callable[[Any, Any], None], record: Record, tmp_path: Path
) -> None:
    path = put(record, tmp_path)
    good = json.loads(path.read_text())
    paths = list(leaves(good))
    assert {str(path[0]) for path in paths} == set(Record.model_fields)
    for place in paths:
        path.write_text(changed(good, place, change))
        assert is_refused(path), f"{place} can be changed"


def test_nothing_can_be_added_unseen(record: Record, tmp_path: Path) -> None:
    path = put(record, tmp_path)
    good = json.loads(path.read_text())
    for place in [(), *leaves(good)]:
        value: Any = copy.deepcopy(good)
        inner = value
        for key in place[:-1]:
            inner = inner[key]
        inner.append(1) if isinstance(inner, list) else inner.update(more=1)
        path.write_text(json.dumps(value, indent=1))
        assert is_refused(path), f"beside {place} something can be added"


def test_a_published_record_edited_in_one_digit_is_refused(tmp_path: Path) -> None:
    text = SEALED.read_text()
    path = tmp_path / SEALED.name
    draw = random.Random(0)
    for place in draw.sample([found.start() for found in re.finditer(r"\d", text)], 60):
        other = draw.choice([digit for digit in "0123456789" if digit != text[place]])
        path.write_text(text[:place] + other + text[place + 1 :])
        try:
            same = json.loads(path.read_text()) == json.loads(text)
        except ValueError:
            same = False
        assert same or is_refused(path), text[place - 40 : place + 40]
    path.write_text(text)
    assert records.read(path).seal


def test_a_record_whose_seal_was_removed_is_refused(record: Record, tmp_path: Path) -> None:
    path = put(record, tmp_path)
    value = json.loads(path.read_text())
    assert value["schema_version"] == 2
    for gone in ({**value, "seal": ""}, {key: part for key, part in value.items() if key != "seal"}):
        path.write_text(json.dumps(gone, indent=1) + "\n")
        assert is_refused(path)


def test_records_of_the_first_schema_are_read_and_marked(tmp_path: Path) -> None:
    first = json.loads(FIRST.read_text())
    assert first["schema_version"] == 1
    assert "seal" not in first
    read = records.read(FIRST)
    assert (read.schema_version, read.seal) == (1, "")
    assert [row.exact for row in read.scores] == [row["exact"] for row in first["scores"]]
    assert read.scores[0].ends is None, "it was not counted then"
    assert not collection.read([FIRST.parent])[0].runs.sealed.any()
    copied = records.write(read, tmp_path / FIRST.name)
    assert copied.schema_version == 1, "writing it again does not make it a record of today"
    assert records.read(tmp_path / FIRST.name) == copied


def test_a_record_of_the_first_schema_with_a_seal_is_held_to_it(tmp_path: Path) -> None:
    value = json.loads(SEALED.read_text())
    assert (value["schema_version"], bool(value["seal"])) == (1, True)
    assert records.read(SEALED).seal == sealed_json.seal(value)
    path = tmp_path / SEALED.name
    value["scores"][0]["nats"] += 0.5
    path.write_text(json.dumps(value))
    assert is_refused(path)


def test_a_folder_with_a_cache_and_a_new_file_that_is_no_record_is_read(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unchanged, "FRESH", -(10**12))  # what was written just now counts as settled
    put(record, tmp_path)
    for broken in (0, 1):
        found, rejected = collection.read([tmp_path])
        assert found.runs.record.tolist() == [record.name]
        assert len(rejected) == broken
        (tmp_path / "records" / "foreign.json").write_text("{}")
