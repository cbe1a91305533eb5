"""Checkpoints: whole or not there, what cannot be used named and left aside, code never run."""

import hashlib
import logging
import os
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.config import identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData
from harness.training import checkpoints, resumption
from harness.training.checkpoints import AtomicCheckpoints
from harness.training.loop import train
from harness.training.module import TrainingModule
from harness.training.resumption import Resumption

NAME = "copy-rope-seed0-0123456789ab"


@pytest.fixture(scope="module")
def run(composed: Callable[..., Run]) -> Run:
    return composed(
        "model=nano", "lengths.train=6", "lengths.test=12", "train.steps=30", "train.batch=2", "trainer=cpu",
        "trainer.checkpoint_every=10",
    )  # fmt: skip


def module(run: Run) -> TrainingModule:
    task = instantiation.task(run)
    return TrainingModule(network.model(run, task, instantiation.layout(run, task)), run.train, run.seed)


@pytest.fixture(scope="module")
def written(run: Run, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run writes at step 20."""
    task, folder = instantiation.task(run), tmp_path_factory.mktemp("written")
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=run.train.batch)
    where, model = {"seed": 0, "checkpoints": folder, "training": NAME}, module(run).model
    train(model, data, run.train, run.trainer, **where, loggers=[])  # type: ignore[arg-type]
    path, step = checkpoints.list_checkpoints(folder)[0]
    assert step == 20
    return torch.load(path, weights_only=True)


def save(folder: Path, step: int, content: Any = None) -> Path:
    AtomicCheckpoints(NAME).save_checkpoint(content or {"step": step}, folder / f"step-{step:08d}.ckpt")
    return next(path for path, other in checkpoints.list_checkpoints(folder) if other == step)


def raw(folder: Path, step: int, content: bytes) -> Path:
    path = folder / f"step-{step:08d}.{hashlib.sha256(content).hexdigest()[:16]}.ckpt"
    path.write_bytes(content)
    return path


def newest(folder: Path, run: Run) -> Resumption | None:
    return resumption.newest(folder, NAME, module(run), run.train.steps)


def at(step: int, content: dict[str, Any]) -> dict[str, Any]:
    """The same as it would be at another step."""
    loops = content["loops"]["fit_loop"]
    done = {"total": {"ready": step, "completed": step}, "current": {"ready": step, "completed": step}}
    progress = loops["epoch_loop.automatic_optimization.optim_progress"]
    moved = {**progress, "optimizer": {**progress["optimizer"], "step": done}}
    fit = {**loops, "epoch_loop.automatic_optimization.optim_progress": moved}
    return {**content, "global_step": step, "loops": {**content["loops"], "fit_loop": fit}}


def test_the_newest_is_taken(tmp_path: Path, run: Run, written: dict[str, Any]) -> None:
    assert newest(tmp_path / "nowhere", run) is None
    for step in (5, 20, 10):
        save(tmp_path, step, at(step, written))
    found = newest(tmp_path, run)
    assert found is not None
    assert found.step == found.checkpoint["global_step"] == 20
    assert torch.equal(
        found.checkpoint["state_dict"]["model.embedding.weight"], written["state_dict"]["model.embedding.weight"]
    )


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.floats(0, 0.999), bit=st.integers(0, 7), cut=st.booleans())
def test_any_damage_is_seen_and_the_one_before_is_taken(
    tmp_path: Path, run: Run, written: dict[str, Any], where: float, bit: int, cut: bool
) -> None:
    good, bad = save(tmp_path, 10, at(10, written)), save(tmp_path, 20, written)
    content = bytearray(bad.read_bytes())
    place = int(where * len(content))
    if cut:
        del content[place:]
    else:
        content[place] ^= 1 << bit
    bad.write_bytes(content)
    found = newest(tmp_path, run)
    bad.unlink()
    assert found is not None
    assert found.path == good


def without(*keys: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """The content less what these keys lead to."""

    def changed(content: Any, path: tuple[Any, ...] = keys) -> Any:
        if len(path) == 1:
            return {key: value for key, value in content.items() if key != path[0]}
        copied = dict(content) if isinstance(content, dict) else list(content)
        copied[path[0]] = changed(content[path[0]], path[1:])
        return copied

    return changed


def replaced(key: str, value: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda content: {**content, key: value}


def narrower(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "state_dict": {name: tensor[..., :1] for name, tensor in content["state_dict"].items()}}


def other_moments(content: dict[str, Any]) -> dict[str, Any]:
    (optimizer,) = content["optimizer_states"]
    return {**content, "optimizer_states": [{**optimizer, "state": {0: {"step": torch.tensor(1.0)}}}]}


@pytest.mark.parametrize(
    ("change", "said"),
    {
        "another training": (replaced("training", "copy-rope-seed4-ba9876543210"), "one of copy-rope-seed4-ba98"),
        "no training": (without("training"), "an unnamed training"),
        "another step inside": (replaced("global_step", 7), "not that of its step"),
        "another step in its loops": (lambda content: {**at(10, content), "global_step": 20}, "not that of its step"),
        "another version": (replaced("pytorch-lightning_version", "1.0.0"), "not of PyTorch Lightning"),
        "other shapes": (narrower, "(state_dict)"),
        "a tensor less": (without("state_dict", "model.head.weight"), "(state_dict)"),
        "no weights": (replaced("state_dict", []), "(state_dict)"),
        "no optimizer": (without("optimizer_states"), "incomplete"),
        "other moments": (other_moments, "(optimizer_states)"),
        "no moments": (without("optimizer_states", 0, "state"), "incomplete"),
        "no schedule": (replaced("lr_schedulers", []), "(lr_schedulers)"),
        "no loops": (without("loops"), "incomplete"),
        "half a loop": (without("loops", "fit_loop", "epoch_progress"), "(loops)"),
        "no past": (without("past"), "incomplete"),
        "a wrong past": (replaced("past", {"seconds": -1}), "incomplete"),
    }.items(),
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_whole_and_cannot_be_gone_on_from_is_left_aside(
    change: str,
    said: tuple[Callable[[dict[str, Any]], dict[str, Any]], str],
    tmp_path: Path,
    run: Run,
    written: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    good = save(tmp_path, 10, at(10, written))
    buffer = tmp_path / "buffer"
    torch.save(said[0](written), buffer)
    raw(tmp_path, 20, buffer.read_bytes())
    with caplog.at_level(logging.WARNING):
        found = newest(tmp_path, run)
    assert found is not None
    assert found.path == good
    (line,) = caplog.messages
    assert said[1] in line
    assert line.endswith("and left aside")


def test_whatever_lies_in_the_folder_the_good_one_is_found_and_kept(
    tmp_path: Path, run: Run, written: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    good = save(tmp_path, 10, at(10, written))
    strange = [
        "step-00000020.0123456789abcdef.ckpt",  # a folder
        "step-00000021.0123456789abcdef.ckpt",  # a link that points nowhere
        "step-00000022.0123456789abcdef.ckpt",  # a pipe, which would be waited for
        "step-00000023.e3b0c44298fc1c14.ckpt",  # an empty file with the right digest
        f"step-{'9' * 200}.0123456789abcdef.ckpt", "step-.abcd.ckpt", "step-x.y.ckpt", "step-²5.0123456789abcdef.ckpt",
        "step-00000030.ckpt",
    ]  # fmt: skip
    (tmp_path / strange[0]).mkdir()
    (tmp_path / strange[1]).symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / strange[2])
    for name in strange[3:]:
        (tmp_path / name).touch()
    listed = tmp_path / "list"
    torch.save([1, 2], listed)
    strange.append(raw(tmp_path, 24, listed.read_bytes()).name)
    (tmp_path / ".step-00000009.ckpt.abc.part").write_bytes(b"half")
    with caplog.at_level(logging.WARNING):
        found = newest(tmp_path, run)
    assert found is not None
    assert found.path == good
    assert len(caplog.messages) == len(strange)
    assert all(any(name[:40] in message for message in caplog.messages) for name in strange)
    keeping = checkpoints.Checkpoints(tmp_path, 10, found.step)

    class Trainer:
        world_size, is_global_zero, max_steps, global_step = 1, True, 100, 11

        def save_checkpoint(self, path: Path) -> None:
            save(tmp_path, self.global_step, at(self.global_step, written))

    trainer: Any = Trainer()
    for step in (11, 12):
        trainer.global_step = step
        keeping._save(trainer)
        again = newest(tmp_path, run)
        assert again is not None
        assert again.step == step, "what cannot be used is not counted among those that are kept"
    assert not good.exists()
    checkpoints.discard(tmp_path)
    assert not tmp_path.exists()


def test_one_that_may_not_be_read_is_left_aside(
    tmp_path: Path, run: Run, written: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = save(tmp_path, 10, at(10, written)), save(tmp_path, 20, written)
    opened = Path.open

    def denied(path: Path, *mode: Any, **how: Any) -> Any:  # root may read everything
        if path == bad:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *mode, **how)

    monkeypatch.setattr(Path, "open", denied)
    found = newest(tmp_path, run)
    assert found is not None
    assert found.path == good


class Harmful:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("harmed"),))


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"w": Harmful(), "training": NAME}, tmp_path / "harmful")
    raw(tmp_path, 1, (tmp_path / "harmful").read_bytes())
    raw(tmp_path, 2, pickle.dumps(Harmful()))
    assert newest(tmp_path, run) is None
    assert not Path("harmed").exists()


def test_a_linked_folder_is_emptied_and_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    save(tmp_path / "elsewhere", 3)
    (tmp_path / "checkpoints").symlink_to(tmp_path / "elsewhere")
    checkpoints.discard(tmp_path / "checkpoints")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_the_one_written_last_is_the_newer_of_two_of_one_step(
    tmp_path: Path, run: Run, written: dict[str, Any]
) -> None:
    first = save(tmp_path, 20, written)
    os.utime(first, (time.time() - 100,) * 2)
    second = {**written, "past": {**written["past"], "seconds": 77.0}}
    save(tmp_path, 20, second)
    found = newest(tmp_path, run)
    assert found is not None
    assert found.checkpoint["past"]["seconds"] == 77.0
