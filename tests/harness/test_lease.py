"""A lease has one owner at a time: whatever order the steps of takers come in, and whoever is killed or suspended."""

import contextlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from interleaving import Interleaved

from harness import atomic
from harness.system import lease, owner, signals
from harness.system.lease import Lease
from harness.system.owner import Process

FORK = multiprocessing.get_context("fork")


def taken(folder: Path) -> Lease:
    found = lease.take(folder)
    assert isinstance(found, Lease)
    return found


def ends(folder: Path) -> list[str]:
    """How each number has ended, those that have not left out."""
    numbers = sorted(int(path.name) for path in folder.iterdir() if path.name.isdecimal())
    files = [folder / str(number) / lease.ENDED for number in numbers]
    return [json.loads(file.read_text())["how"] for file in files if file.exists()]


def elsewhere(found: Lease) -> None:
    """Make the owner of a lease one on another machine."""
    file = found.place / lease.OWNER
    file.write_text(json.dumps({**json.loads(file.read_text()), "machine": "another", "host": "node7"}))


def silent(found: Lease, seconds: float) -> None:
    """Make the last sign of life so many seconds old."""
    then = time.time() - seconds
    os.utime(found.place / lease.OWNER, (then, then))


def test_one_holds_it_and_then_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "lease"
    assert lease.holder(folder) is None
    first = taken(folder)
    assert lease.take(folder) == lease.holder(folder) == owner.this_process()
    first.release()
    assert lease.holder(folder) is None
    with pytest.raises(lease.Lost, match="has taken over"):
        first.renew()
    second = taken(folder)
    first.release()  # of no consequence for the second
    second.renew()
    assert [first.place.name, second.place.name] == ["1", "2"]
    assert ends(folder) == ["given back"]
    assert sorted(path.name for path in folder.iterdir()) == ["1", "2"], "nothing that was prepared is left"


def test_only_its_owner_can_write_through_it(tmp_path: Path) -> None:
    first = taken(tmp_path / "lease")
    atomic.write(tmp_path / "record", "first", first.parts)
    lease._end(first.place, "taken over: a test")
    second = taken(tmp_path / "lease")
    with pytest.raises(lease.Lost, match=r"process .* has taken over, because this one gave no sign of life"):
        atomic.write(tmp_path / "record", "late", first.parts)
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.raises(lease.Lost))
        stack.enter_context(atomic.writing(tmp_path / "record", second.parts)).write(b"half")
        lease._end(second.place, "taken over: while it was written")
    assert (tmp_path / "record").read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lease", "record"]


@pytest.mark.parametrize(("seconds", "free"), [(0.0, False), (lease.LIMIT - 60, False), (lease.LIMIT + 60, True)])
def test_an_owner_on_another_machine_is_taken_for_gone_when_it_is_silent(
    seconds: float, free: bool, tmp_path: Path
) -> None:
    first = taken(tmp_path)
    elsewhere(first)
    silent(first, seconds)
    assert (lease.holder(tmp_path) is None) == free
    found = lease.take(tmp_path)
    assert isinstance(found, Lease) == free
    if isinstance(found, Lease):
        assert found.settles == lease.SETTLES, "an owner that lives has time to notice"
        with pytest.raises(lease.Lost):
            first.renew()
        assert ends(tmp_path)[0].startswith("taken over: no sign of life for 24")
    else:
        assert found.host == "node7"


def test_the_clocks_of_machines_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = taken(tmp_path)
    elsewhere(first)
    first.renew()
    monkeypatch.setattr(time, "time", lambda: 2e10)
    assert isinstance(lease.take(tmp_path), Process)


def test_an_owner_of_this_machine_lives_as_long_as_its_process(tmp_path: Path) -> None:
    first = taken(tmp_path)
    silent(first, 10 * lease.LIMIT)
    assert isinstance(lease.take(tmp_path), Process), "suspended, perhaps, but there"
    file = first.place / lease.OWNER
    file.write_text(json.dumps({**json.loads(file.read_text()), "start": "1"}))
    assert isinstance(lease.take(tmp_path), Lease), "another process has its number now"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": "x"}', '{"host": "a\\u001b", "machine": "", "pid": 1, "start": ""}', "\xff"]
)
def test_an_owner_that_cannot_be_read_is_one_elsewhere(text: str, tmp_path: Path) -> None:
    first = taken(tmp_path)
    (first.place / lease.OWNER).write_bytes(text.encode("latin-1"))
    assert str(lease.take(tmp_path)) == "an unknown process"
    silent(first, lease.LIMIT + 60)
    assert isinstance(lease.take(tmp_path), Lease)


def _hold(folder: Path, ready: Any, work: Callable[[Lease], None] | None = None) -> None:
    with lease.hold(folder, lambda other: None) as found:
        ready.set()
        if work is None:
            signal.pause()
        else:
            work(found)


@contextlib.contextmanager
def holding(folder: Path) -> Iterator[int]:
    """A process that holds a lease; the number of that process."""
    ready = FORK.Event()
    process = FORK.Process(target=_hold, args=(folder, ready))
    process.start()
    try:
        assert ready.wait(60)
        assert process.pid is not None
        yield process.pid
    finally:
        process.kill()
        process.join()


def test_a_killed_owner_is_followed_at_once_and_what_it_was_writing_goes(tmp_path: Path) -> None:
    with holding(tmp_path) as pid:
        held = lease.take(tmp_path)
        assert isinstance(held, Process)
        assert held.pid == pid
        (tmp_path / "1" / lease.PARTS / ".half.part").write_text("half")
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie
        assert isinstance(lease.take(tmp_path), Lease)
    assert ends(tmp_path) == ["taken over: its process has ended"]
    assert not list(tmp_path.rglob("*.part"))


def test_a_suspended_owner_finds_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is suspended at the moment at which it would write, and another machine takes over."""
    monkeypatch.setattr(lease, "HEARTBEAT", 0.05)

    def work(held: Lease) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)
        atomic.write(tmp_path / "record", "late", held.parts)

    ready = FORK.Event()
    process = FORK.Process(target=_hold, args=(tmp_path / "lease", ready, work))
    process.start()
    assert process.pid is not None
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
    assert isinstance(lease.take(tmp_path / "lease"), Process), "it is there, so nobody of this machine takes over"
    place = tmp_path / "lease" / "1"
    silent(Lease(place), lease.LIMIT + 60)
    monkeypatch.setattr(owner, "machine", lambda: "another")
    second = taken(tmp_path / "lease")
    os.kill(process.pid, signal.SIGCONT)
    process.join(60)
    assert process.exitcode == 1, "it has raised"
    assert not (tmp_path / "record").exists()
    second.renew()


def _told(folder: Path, ready: Any) -> None:
    try:
        with signals.interruptible(), lease.hold(folder, lambda other: None):
            ready.set()
            while True:
                time.sleep(0.01)
    except lease.Lost:
        os._exit(7)


def test_an_owner_that_works_is_told_that_it_has_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "HEARTBEAT", 0.01)
    ready = FORK.Event()
    process = FORK.Process(target=_told, args=(tmp_path, ready))
    process.start()
    try:
        assert ready.wait(60)
        lease._end(tmp_path / "1", "taken over: a test")
        process.join(60)
        assert process.exitcode == 7
    finally:
        process.kill()


def count(folder: Path, times: int) -> None:
    """Add to a number in a file, which is read and written without care, under a lease."""
    for _ in range(times):
        with lease.hold(folder / "lease", lambda other: None):
            number = int((folder / "number").read_text())
            (folder / "number").write_text(str(number + 1))


@pytest.mark.slow
def test_processes_that_fight_for_it_never_hold_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LOOK_EVERY", 0.001)
    (tmp_path / "number").write_text("0")
    processes = [FORK.Process(target=count, args=(tmp_path, 25)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert (tmp_path / "number").read_text() == "100"
    assert ends(tmp_path / "lease") == ["given back"] * 100


@pytest.mark.slow
@settings(max_examples=20)
@given(data=st.data())
def test_no_order_of_steps_lets_two_hold_it(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Takers on several machines, of which each step at the file system may come at any time, and which may be taken
    for dead at any time. The numbers of those who have written a file through their leases only rise: who was overtaken
    writes nothing any more.
    """
    folder = tmp_path_factory.mktemp("steps")
    numbers: list[int] = []

    def taker() -> None:
        for _ in range(2):
            found = lease.take(folder / "lease")
            assert isinstance(found, Lease)
            with contextlib.suppress(lease.Lost):
                for _ in range(2):
                    atomic.write(folder / "last", found.place.name, found.parts)
                found.release()

    with Interleaved(lambda: data.draw(st.integers(0, 2))) as machines:
        machines.renamed = lambda path: numbers.append(int(path.read_text()))
        machines.run([taker] * 3)
    assert numbers == sorted(numbers)
    assert len(ends(folder / "lease")) == 6, "each number was taken by one"
    assert not list(folder.rglob("*.part"))
