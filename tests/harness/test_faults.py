"""What the machine did to a run is no result of it; what the run did is."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from harness import atomic, cli, recipe
from harness.config.schema import Run
from harness.errors import Refused
from harness.system import faults
from harness.training import loop
from harness.training.monitor import Diverged

TINY = ("model=nano", "trainer=cpu", "lengths.train=5", "lengths.test=10", "train.steps=2", "evaluation.examples=2")


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


MACHINE = [
    OSError(errno.ENOSPC, "No space left on device", "results/x"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    OSError(errno.EROFS, "Read-only file system", "results/x"),
    OSError(errno.EIO, "Input/output error", "results/x"),
    OSError(errno.EMFILE, "Too many open files"),
    BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    torch.AcceleratorError("CUDA error: unspecified launch failure"),
    RuntimeError("No CUDA GPUs are available"),
    RuntimeError("CUDA error: no CUDA-capable device is detected"),
    RuntimeError("CUDA error: uncorrectable ECC error encountered"),
    RuntimeError("NCCL error in: ProcessGroupNCCL.cpp, unhandled system error"),
    RuntimeError("[third_party/gloo/gloo/transport/tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:19"),
    RuntimeError("can't start new thread"),
    ImportError("libcudnn.so.9: cannot open shared object file: No such file or directory"),
    caused(RuntimeError("the compiler failed"), OSError(errno.ENOSPC, "No space left on device", "/tmp/x")),
    faults.MachineFault("process 1 of 2 was killed"),
]
OWN = [
    Diverged("the loss was nan within the 25 steps before step 25"),
    RuntimeError("the cat is on the keyboard"),
    RuntimeError("CUDA error: device-side assert triggered"),
    RuntimeError("CUDA error: an illegal memory access was encountered"),
    ValueError("not enough values to unpack"),
    AssertionError(),
]


@pytest.mark.parametrize("error", MACHINE, ids=repr)
def test_what_the_machine_did_leaves_no_record_and_is_said_in_one_line(
    error: Exception,
    composed: Callable[..., Run],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise error

    run = composed(*TINY, f"results={tmp_path}")
    with monkeypatch.context() as patched:
        patched.setattr(loop, "train", fails)
        with pytest.raises(type(error)):
            recipe.execute(run)
        assert not list((tmp_path / "records").glob("*"))
        patched.setattr(cli, "_dispatch", fails)
        assert cli.main(["task=copy"]) == faults.NOT_DONE
    (said,) = capsys.readouterr().err.splitlines()[-1:]
    assert said.startswith("error: not done because of this machine: ")
    assert said.endswith("Then the same command goes on where it stopped")
    if not isinstance(error, faults.MachineFault):
        assert "What helps: " in said
    if isinstance(error, OSError) and error.filename:
        assert str(error.filename) in said


@pytest.mark.parametrize("error", OWN, ids=repr)
def test_what_a_run_did_itself_is_recorded(
    error: Exception, composed: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(loop, "train", fails)
    record = recipe.execute(composed(*TINY, f"results={tmp_path}"))
    assert record is not None
    assert record.status == "failed"


def test_memory_that_is_not_there_is_the_machines_limit() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**55, dtype=torch.uint8)
    assert "free memory of this machine" in (faults.explain(caught.value) or "")


def test_a_run_completes_after_the_machine_was_mended(
    composed: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full from a later file on each time. The same command does it in the end."""
    whole = recipe.execute(composed(*TINY, f"results={tmp_path / 'whole'}"))
    assert whole is not None
    run = composed(*TINY, f"results={tmp_path / 'cut'}", "trainer.checkpoint_every=1")
    synced, room, named = os.fsync, [0], []

    def fsync(handle: int) -> None:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            room[0] -= 1
            if room[0] < 0:
                raise OSError(errno.ENOSPC, "No space left on device")
        synced(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    record = None
    for room[0] in range(40):
        try:
            record = recipe.execute(run)
            break
        except (OSError, Refused) as error:
            cause = error if isinstance(error, OSError) else error.__cause__
            assert isinstance(cause, OSError)
            named.append(cause.filename)
        assert not list((tmp_path / "cut" / "records").glob("*")), "no record, not even of a failure"
        assert not list((tmp_path / "cut").rglob("*.part"))
    assert record is not None
    assert {Path(name).suffix for name in named} == {".json", ".ckpt", ".safetensors"}
    assert any(Path(name).parent.name == "records" for name in named)
    assert record.status == "finished"
    assert record.scores == whole.scores


def test_an_error_names_the_file_and_not_its_temporary_name(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"kept\.txt") as caught, atomic.writing(tmp_path / "kept.txt"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "kept.txt")
    with pytest.raises(OSError, match=r"kept\.txt"), atomic.writing(tmp_path / "kept.txt"):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")
    with pytest.raises(SafetensorError), atomic.writing(tmp_path / "kept.txt"):
        raise SafetensorError("another error")
    assert not list(tmp_path.iterdir())


def test_a_record_that_does_not_fit_is_the_machines_doing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(arguments: list[str]) -> int:
        raise caused(Refused("cannot write the record x"), OSError(errno.ENOSPC, "No space left on device", "x.json"))

    monkeypatch.setattr(cli, "_dispatch", fails)
    assert cli.main(["task=copy"]) == faults.NOT_DONE
    assert "x.json: No space left on device. What helps: make room there" in capsys.readouterr().err
