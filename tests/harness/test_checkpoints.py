"""Checkpoints: whole or not there, damage seen, code never run."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import checkpoints
from harness.checkpoints import AtomicCheckpoints


def save(folder: Path, step: int) -> Path:
    AtomicCheckpoints().save_checkpoint({"step": step, "w": torch.arange(50.0)}, folder / f"step-{step:08d}.ckpt")
    (path,) = folder.glob(f"step-{step:08d}.*")
    return path


def test_the_newest_is_taken(tmp_path: Path) -> None:
    for step in (5, 100, 20):
        save(tmp_path, step)
    newest = checkpoints.newest(tmp_path)
    assert newest is not None
    assert AtomicCheckpoints().load_checkpoint(newest)["step"] == 100
    assert checkpoints.resumable_step(tmp_path) == 100
    assert checkpoints.resumable_step(tmp_path / "nowhere") == 0


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 0.999), bit=st.integers(0, 7), cut=st.booleans())
def test_any_damage_is_seen_and_the_one_before_is_taken(tmp_path: Path, where: float, bit: int, cut: bool) -> None:
    good, bad = save(tmp_path, 1), save(tmp_path, 2)
    content = bytearray(bad.read_bytes())
    place = int(where * len(content))
    if cut:
        del content[place:]
    else:
        content[place] ^= 1 << bit
    bad.write_bytes(content)
    assert checkpoints.newest(tmp_path) == good


def test_a_file_that_is_being_written_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / ".step-00000009.ckpt.abc.part").write_bytes(b"half")
    assert checkpoints.newest(tmp_path) is None


class Harmful:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("harmed"),))


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"w": Harmful()}, tmp_path / "step-00000001.x.ckpt")
    with pytest.raises(pickle.UnpicklingError):
        AtomicCheckpoints().load_checkpoint(tmp_path / "step-00000001.x.ckpt")
    assert not Path("harmed").exists()
