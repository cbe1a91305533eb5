"""A record is whole, checked and found again; what is no record is named and left aside."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import put, sample, unsealed

from harness import atomic
from harness.config import identity
from harness.config.schema import Run
from harness.errors import Refused
from harness.results import records
from harness.results.records import Record
from harness.system import provenance


@pytest.fixture
def record(composed: Callable[..., Run]) -> Record:
    return sample(composed())


def test_a_record_is_read_as_it_was_written(record: Record, tmp_path: Path) -> None:
    assert unsealed(records.read(put(record, tmp_path))) == record


def test_provenance_says_with_what_and_nothing_of_who_or_where() -> None:
    collected = provenance.collect()
    assert collected["packages"]["torch"]
    assert set(collected) == {"harness", "python", "system", "packages", "device", "commit", "modified"}
    assert str(Path.home()) not in json.dumps(collected)


def damage(record: Record) -> dict[str, Any]:
    """Ways in which a file is not this record, by what should be said."""
    good = json.loads(record.model_dump_json())

    def changed(change: Callable[[dict[str, Any]], object]) -> str:
        value = json.loads(json.dumps(good))
        change(value)
        return json.dumps(value)

    return {
        "Invalid JSON": json.dumps(good)[:500],
        "missing": lambda: None,
        "Field required": json.dumps({"a": 1}),
        "does not belong to its science": changed(lambda v: v["science"]["training"].update(seed=5)),
        "more is right than there is": changed(lambda v: v["scores"][0].update(exact=11)),
        "greater than or equal to 0": changed(lambda v: v["scores"][0].update(correct=-1)),
        "finite number": changed(lambda v: v["scores"][0].update(nats=float("nan"))),
        "not those of its extensions and tested lengths": changed(lambda v: v["scores"].pop()),
        "blind baseline is not that": changed(lambda v: v["blind"].pop()),
        "valid integer": changed(lambda v: v["scores"][0].update(exact="3")),
        "Extra inputs": changed(lambda v: v.update(surprise=1)),
        "Input should be 1 or 2": changed(lambda v: v.update(schema_version=3)),
        "it has no seal": changed(lambda v: None),
        "its name does not belong": changed(lambda v: v.update(name="../../escaped")),
        "its training_name does not belong": changed(lambda v: v.update(training_name="../../escaped")),
        "not those of its science": changed(lambda v: v.update(seed=3)),
        "training_seconds: Input should be": changed(lambda v: v["cost"].update(training_seconds=-1.0)),
        "no cost or loss": changed(lambda v: v.update(cost=None)),
        "Input should be a valid dictionary": "[]",
    }  # fmt: skip


def test_what_is_not_a_record_is_named_with_the_reason_and_skipped(record: Record, tmp_path: Path) -> None:
    good = put(record, tmp_path)
    reasons = {reason: content for reason, content in damage(record).items() if isinstance(content, str)}
    for number, content in enumerate(reasons.values()):
        (tmp_path / "records" / f"broken{number}.json").write_text(content)
    (tmp_path / "records" / "binary.json").write_bytes(b"\x80\x04\x95")
    (tmp_path / "records" / "empty.json").write_text("")
    (tmp_path / "records" / "note.txt").write_text("not ours to read")
    found, rejected = records.read_all([tmp_path])
    assert [unsealed(one) for one in found] == [record]
    assert len(rejected) == len(reasons) + 2
    for number, reason in enumerate(reasons):
        (said,) = [line for line in rejected if f"broken{number}.json" in line]
        assert reason in said or "object" in said, said
        assert "\n" not in said
    assert good.exists()


def science_with(record: Record, change: Callable[[dict[str, Any]], object]) -> str:
    """A record whose science is another, with the name that belongs to it."""
    value = json.loads(record.model_dump_json())
    change(value["science"])
    value["name"] = f"{record.name.rpartition('-')[0]}-{identity.digest(value['science'])}"
    return json.dumps(value)


@pytest.mark.parametrize("status", ["finished", "failed"])
@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.clear(),
        lambda s: s["training"].pop("encoding"),
        lambda s: s["training"]["encoding"].update(options=[]),
        lambda s: s["training"]["encoding"].update(name="a$x^{$b"),
        lambda s: s.update(tested=[[5], 30]),
        lambda s: s.update(tested=[]),
        lambda s: s.update(tested=[21, 30]),
        lambda s: s.update(extension={}),
    ],
)
def test_a_science_that_cannot_be_read_is_named_and_skipped(
    change: Callable[[dict[str, Any]], object], status: str, record: Record, tmp_path: Path
) -> None:
    changed = json.loads(science_with(record, change))
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / f"{changed['name']}.json").write_text(json.dumps({**changed, "status": status}))
    assert records.read_all([tmp_path])[0] == []


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    os.mkfifo(tmp_path / "records" / "x.json")
    (tmp_path / "records" / "a\nb.json").write_text("{")
    _, rejected = records.read_all([tmp_path])
    assert len(rejected) == 2
    assert all("\n" not in line for line in rejected)


def test_a_record_under_another_name_is_not_taken(record: Record, tmp_path: Path) -> None:
    path = put(record, tmp_path)
    other = path.with_name("copy-rope-seed0-aaaaaaaaaaaa.json")
    other.write_bytes(path.read_bytes())
    with pytest.raises(Refused, match="its file name must be that"):
        records.read(other)


def test_records_of_several_machines_are_merged_by_copying(composed: Callable[..., Run], tmp_path: Path) -> None:
    first, second = sample(composed()), sample(composed("seed=1"))
    put(first, tmp_path / "a")
    put(second, tmp_path / "b")
    put(first, tmp_path / "b")
    found, rejected = records.read_all([tmp_path / "a", tmp_path / "b"])
    assert {record.name for record in found} == {first.name, second.name}
    assert rejected == []


def test_the_same_run_with_other_scores_is_told(composed: Callable[..., Run], tmp_path: Path) -> None:
    mine = sample(composed())
    theirs = mine.model_copy(update={"scores": [mine.scores[0].model_copy(update={"exact": 4}), *mine.scores[1:]]})
    put(mine, tmp_path / "a")
    put(theirs, tmp_path / "b")
    found, (told,) = records.read_all([tmp_path / "a", tmp_path / "b"])
    assert [unsealed(one) for one in found] == [mine]
    assert "other scores" in told


def test_a_finished_record_goes_before_a_failed_one(composed: Callable[..., Run], tmp_path: Path) -> None:
    finished = sample(composed())
    failed = sample(composed(), status="failed", reason="no memory", scores=[], blind=[], cost=None, final_loss=None)
    put(failed, tmp_path / "a")
    put(finished, tmp_path / "b")
    (found,) = records.read_all([tmp_path / "a", tmp_path / "b"])[0]
    assert unsealed(found) == finished


def test_one_line_is_one_line() -> None:
    assert records.one_line("a\nb\x1b[31m\tc" + "d" * 900) == ("a b [31m c" + "d" * 900)[:500]


def write_forever(path: Path) -> None:
    while True:
        atomic.write(path, b"x" * 3_000_000)


@pytest.mark.slow
def test_a_kill_while_writing_never_leaves_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic.write(path, b"x" * 3_000_000)
    for attempt in range(25):
        writer = multiprocessing.get_context("fork").Process(target=write_forever, args=(path,))
        writer.start()
        time.sleep(0.01 + 0.003 * attempt)
        os.kill(writer.pid or 0, signal.SIGKILL)
        writer.join()
        assert len(path.read_bytes()) == 3_000_000


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    atomic.write(tmp_path / "file", b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic.write(tmp_path / "file", b"new")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_full_disk_is_a_clear_refusal(record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match=r"cannot write the record .*: No space left on device"):
        put(record, tmp_path)


@pytest.mark.parametrize("change", ["training", "scale", "first length", "none"])
def test_a_record_whose_weights_came_from_elsewhere_than_its_id_says_is_refused(
    change: str, composed: Callable[..., Run], tmp_path: Path
) -> None:
    first = put(sample(composed("model=nano", "lengths.train=10")), tmp_path)
    extended = ("model=nano", "lengths.train=15", f"weights_from={first}", "train_extension=yarn")
    second = put(sample(composed(*extended)), tmp_path)
    third = sample(composed("model=nano", "lengths.train=20", f"weights_from={second}", "train_extension=ntk"))
    assert records.read(put(third, tmp_path)).name == third.name
    config = json.loads(json.dumps(third.config))
    origin = config["weights_from"]
    assert origin["extended"][0]["extension"]["name"] == "yarn"
    if change == "training":
        origin["training"] = "copy-rope-seed0-0123456789ab"
    elif change == "scale":
        origin["extended"][0]["target"] = 1000
    elif change == "first length":
        origin["built_for"] = 100
    else:
        config["weights_from"] = None
    forged = third.model_copy(update={"config": config})
    with pytest.raises(Refused, match=r"its config (has other extensions of|takes its initial weights)"):
        records.read(put(forged, tmp_path))
