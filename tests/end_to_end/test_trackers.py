"""What W&B and TensorBoard are told of a run of a sweep, and of one that was interrupted."""

import glob
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import sample
from wandb_files import records_of_wandb

from harness.config.schema import Run
from harness.loggers import trackers
from harness.results.paths import RunPaths


@pytest.fixture
def tracked(
    tmp_path: Path, composed: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, list[int], bool], None]:
    """A run of a sweep that starts or goes on at a step, reports at some, and ends or is cut off there."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_API_KEY", "cafe" * 10)
    run = composed("task=copy", "encoding=rope", "logger=[wandb,tensorboard]").model_copy(
        update={"part_of": "copies-1"}
    )
    (tmp_path / "run").mkdir()
    paths = RunPaths(tmp_path / "records" / "copy-1.json", tmp_path / "run")

    def go(begins: int, steps: list[int], ends: bool) -> None:
        started = trackers.start(run, "copy-1", paths, begins)
        assert len(started) == 3, "W&B, TensorBoard and the CSV file"
        for step in steps:
            for _, logger in started:
                logger.log_metrics({"loss": 1.0 / step}, step)
        if ends:
            trackers.finish(started, sample(run))
        else:
            import wandb

            wandb.teardown(exit_code=1)

    return go


@pytest.mark.slow
def test_a_resumed_run_has_each_step_once_and_says_what_it_is(
    tracked: Callable[[int, list[int], bool], None], tmp_path: Path
) -> None:
    tracked(0, [10], False)  # lost: it begins anew
    tracked(0, [25, 50, 75], False)
    tracked(50, [75, 100], True)
    assert len(glob.glob(str(tmp_path / "run/wandb/aside-offline-run-*-copy-1"))) == 1
    files = sorted(glob.glob(str(tmp_path / "run/wandb/offline-run-*/*.wandb")), key=os.path.getmtime)  # by age
    assert len(files) == 2
    said = [part for file in files for part in records_of_wandb(file)]
    rows = [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in part.history.item}
        for part in said
        if part.WhichOneof("record_type") == "history"
    ]
    assert [row["trainer/global_step"] for row in rows if "loss" in row] == [25, 50, 75, 100]
    runs = [part.run for part in said if part.WhichOneof("record_type") == "run"]
    assert {(one.run_id, one.run_group, one.job_type, one.display_name) for one in runs} == {
        ("copy-1", "copies-1", "run", "copy-1")
    }
    assert {"copy", "rope", "extrapolate"} <= set(runs[-1].tags)
    config = {item.key: json.loads(item.value_json) for item in runs[-1].config.update}
    assert config["encoding"]["name"] == "rope"
    assert not {"results", "launcher", "packages_from", "part_of"} & config.keys()
    (table,) = (tmp_path / "run/wandb").glob("offline-run-*/files/media/table/lengths*.table.json")
    content: dict[str, Any] = json.loads(table.read_text())
    assert content["columns"] == ["extension", "length", "distribution", "examples", "token_accuracy", "exact_match"]
    measured = {row[1]: row[-1] for row in content["data"]}
    assert measured[20] == 1.0
    assert measured[100] == 0.3
    summary = {
        item.key or ".".join(item.nested_key): json.loads(item.value_json)
        for part in said
        if part.WhichOneof("record_type") == "summary"
        for item in part.summary.update
    }
    assert summary["extrapolate/reach"] == 20
    assert "cost/parameters" in summary
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and b"cafecafe" in path.read_bytes()]

    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "run/tensorboard"), {"tensors": 0})
    events.Reload()
    assert [event.step for event in events.Scalars("loss")] == [25, 50, 75, 100]
    curve = {event.step: event.value for event in events.Scalars("lengths/extrapolate/exact_match")}
    assert curve == pytest.approx(measured)
    assert b"copies-1" in events.Tensors("sweep/text_summary")[-1].tensor_proto.string_val[0]
