"""Fixtures that several tests need."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import environment

from harness.composition import composer
from harness.config import Run


@pytest.fixture(scope="session")
def composed() -> Iterator[Callable[..., Run]]:
    """Composes a validated run."""
    with composer() as hydra:
        yield lambda *overrides: hydra.run(overrides)


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``python -m harness`` in a folder of its own."""

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            **{"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 300, "env": environment(), **options},
        )

    return run
