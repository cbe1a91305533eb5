"""How long threads spin while they wait, as GNU's OpenMP says when PyTorch loads it."""

import re
import subprocess
import sys

import pytest
from support import environment

from harness.system import waiting

COMMAND = ("-m", "harness", "doctor")
PYTHON = ("-c", "import harness; harness.model; import torch")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "said_by_user", "spins"),
    [
        (COMMAND, {}, waiting.SPINS),
        (PYTHON, {}, waiting.SPINS),
        (COMMAND, {"GOMP_SPINCOUNT": "77"}, 77),
        (PYTHON, {"OMP_WAIT_POLICY": "passive"}, 0),
    ],
    ids=["command line", "Python", "spins said", "policy said"],
)
def test_threads_spin_as_said_or_briefly(program: tuple[str, ...], said_by_user: dict[str, str], spins: int) -> None:
    variables = environment(OMP_DISPLAY_ENV="verbose")
    for name in waiting.OF_USERS:
        variables.pop(name, None)
    run = subprocess.run(
        [sys.executable, *program], env={**variables, **said_by_user}, capture_output=True, text=True, timeout=120
    )
    shown = re.search(r"GOMP_SPINCOUNT = '(\d+)'", run.stderr)
    if shown is None:
        pytest.skip("PyTorch is not built with GNU's OpenMP here")
    assert int(shown[1]) == spins
