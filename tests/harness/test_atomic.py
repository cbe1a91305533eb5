"""Files are whole or not there, have the permissions that the user wants, and killed writers leave nothing for good."""

import contextlib
import errno
import multiprocessing
import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import atomic
from harness.system import lease, owner

FORK = multiprocessing.get_context("fork")


@contextlib.contextmanager
def masked(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write_for_ever(path: Path) -> None:
    with atomic.writing(path) as file:
        file.write(b"half")
        file.flush()
        time.sleep(600)


@contextlib.contextmanager
def writer(path: Path) -> Iterator[int]:
    """The process id of one that is writing ``path``."""
    process = FORK.Process(target=write_for_ever, args=(path,))
    process.start()
    try:
        while not any(part.stat().st_size for part in path.parent.glob(f".{path.name}.*.part")):
            time.sleep(0.01)
        assert process.pid is not None
        yield process.pid
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize("mask", [0o022, 0o002, 0o077, 0o007])
def test_files_and_folders_follow_the_umask(mask: int, tmp_path: Path) -> None:
    with masked(mask):
        atomic.write(tmp_path / "new" / "file", "text")
        with lease.hold(tmp_path / "new" / "lease", lambda other: None) as held:
            atomic.write(tmp_path / "new" / "file", "written over", held.parts)
            assert mode(held.place) == mode(held.parts) == 0o777 & ~mask
            assert mode(held.place / "owner") == 0o666 & ~mask
    assert mode(tmp_path / "new" / "file") == 0o666 & ~mask
    assert mode(tmp_path / "new") == 0o777 & ~mask


def test_the_group_of_a_shared_folder_is_kept(tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o2775)
    with masked(0o002):
        atomic.write(tmp_path / "sub" / "file", "text")
    assert mode(tmp_path / "sub") == 0o2775
    assert (tmp_path / "sub" / "file").stat().st_gid == tmp_path.stat().st_gid


def test_what_a_killed_writer_left_goes_and_what_is_being_written_stays(tmp_path: Path) -> None:
    with writer(tmp_path / "killed") as pid:
        os.kill(pid, signal.SIGKILL)
    assert len(list(tmp_path.glob(".killed.*.part"))) == 1
    with writer(tmp_path / "alive"):
        atomic.write(tmp_path / "other", "text")
        assert not list(tmp_path.glob(".killed.*"))
        assert len(list(tmp_path.glob(".alive.*.part"))) == 1
        atomic.clear(tmp_path)
        assert len(list(tmp_path.glob(".alive.*.part"))) == 1


def test_a_part_of_another_machine_is_given_time(tmp_path: Path) -> None:
    part = tmp_path / ".record.json.0fedcba98765.1-22.abcd.part"
    part.write_text("half")
    atomic.write(tmp_path / "other", "text")
    assert part.exists()
    os.utime(part, (time.time() - 2 * atomic.LATE,) * 2)
    atomic.clear(tmp_path)
    assert part.exists(), "without the file system's time nothing is said of its age"
    atomic.write(tmp_path / "other", "text")
    assert not part.exists()


def test_nothing_but_parts_is_removed(tmp_path: Path) -> None:
    kept = [tmp_path / ".hidden", tmp_path / "my.part", tmp_path / "data"]
    for path in kept:
        path.write_text("mine")
    dead = f"{owner.machine()}.1-1.ab.part"
    (tmp_path / f".folder.{dead}").mkdir()
    (tmp_path / f".link.{dead}").symlink_to(tmp_path / "data")
    atomic.write(tmp_path / "other", "text")
    assert all(path.read_text() == "mine" for path in kept)
    assert (tmp_path / f".folder.{dead}").is_dir()


def test_a_file_system_of_its_own_gets_a_copy_that_the_lease_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = os.replace

    def within(source: Path, target: Path) -> None:
        if Path(source).parent != Path(target).parent:
            raise OSError(errno.EXDEV, "another file system")
        replace(source, target)

    monkeypatch.setattr(os, "replace", within)
    with lease.hold(tmp_path / "lease", lambda other: None) as held:
        atomic.write(tmp_path / "file", "text", held.parts)
        assert (tmp_path / "file").read_text() == "text"
        held.release()
        with pytest.raises(lease.Lost):
            atomic.write(tmp_path / "file", "late", held.parts)
    assert (tmp_path / "file").read_text() == "text"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "lease"]


def test_a_failure_leaves_nothing_and_the_old_file(tmp_path: Path) -> None:
    atomic.write(tmp_path / "file", "old")
    with contextlib.suppress(KeyboardInterrupt), atomic.writing(tmp_path / "file") as file:
        file.write(b"new")
        raise KeyboardInterrupt
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        atomic.write(tmp_path / "folder", "text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "old"


def test_what_stands_in_the_way_is_renamed(tmp_path: Path) -> None:
    for n in (1, 2):
        (tmp_path / "file").mkdir()
        assert atomic.put_aside(tmp_path / "file") == tmp_path / f"file.aside-{n}"
    (tmp_path / "file").symlink_to("nowhere")
    assert atomic.put_aside(tmp_path / "file").is_symlink()
    assert not os.path.lexists(tmp_path / "file")
