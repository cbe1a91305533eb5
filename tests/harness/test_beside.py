"""A function that another process computes gives what it gives here, whatever happens to that process."""

import os
from pathlib import Path

import pytest

from harness.system import beside


def test_it_is_computed_by_another_process_that_ends() -> None:
    with beside.started("os", "getpid", wanted=True) as other:
        other.start()
        found = other.result()
    assert found != os.getpid()
    with pytest.raises(ProcessLookupError):
        os.kill(found, 0)


def test_without_a_process_it_is_computed_here() -> None:
    with beside.started("os", "getpid", wanted=False) as other:
        other.start()
        assert other.result() == os.getpid()


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_a_killed_process_should_have_done_is_done_here(when: str, tmp_path: Path) -> None:
    with beside.started("time", "sleep" if when == "after" else "perf_counter", wanted=True) as other:
        assert other.process is not None
        if when == "before":
            other.process.kill()
            other.process.join()
        other.start(*([0.5] if when == "after" else []))
        other.process.kill()
        assert (other.result() is None) == (when == "after")


def test_what_it_raises_is_raised_here() -> None:
    with beside.started("operator", "truediv", wanted=True) as other:
        other.start(1, 0)
        with pytest.raises(ZeroDivisionError):
            other.result()
