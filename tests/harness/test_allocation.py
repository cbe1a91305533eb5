"""Freed memory is kept for what comes next."""

import ctypes
import os
import subprocess
import sys

import pytest
from support import environment

from harness.system import allocation

CODE = """
import resource, torch
from harness.system.allocation import keep_freed
def step():
    return [torch.ones(2**20) for _ in range(8)]
keep_freed()
step()
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no glibc")
def test_the_system_is_not_asked_again_for_what_was_freed() -> None:
    """A page is 4 KiB, so that 32 MiB ten times are 80,000 of them."""
    variables = {key: value for key, value in environment().items() if not key.startswith(("MALLOC_", "GLIBC_"))}
    done = subprocess.run([sys.executable, "-c", CODE], env=variables, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 2000


@pytest.mark.parametrize("said", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_what_the_user_said_stays(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [key for key in os.environ if key.startswith(("MALLOC_", "GLIBC_"))]:
        monkeypatch.delenv(name)
    loaded: list[object] = []
    monkeypatch.setattr(ctypes, "CDLL", lambda name: loaded.append(name))
    monkeypatch.setattr(sys, "platform", "linux")
    allocation.keep_freed()
    assert loaded == [None]
    monkeypatch.setenv(said, "1")
    allocation.keep_freed()
    assert loaded == [None]
