"""The scripts behind claims about speed run. What they say of speed is for a quiet machine."""

import subprocess
import sys

import pytest
from support import ROOT, environment


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("attention_bias.py", "--lengths", "256", "--rounds", "1"),
        ("training_step.py", "--size", "nano", "--steps", "6", "--rounds", "1"),
        ("step.py", "--encodings", "rope", "--steps", "1", "--rounds", "1"),
        ("floors.py", "--rounds", "1"),
        ("long_evaluation.py", "--lengths", "256", "--encodings", "t5", "--rounds", "1"),
        ("long_peer.py", "--symbols", "20", "--rounds", "1"),
        ("ensemble.py", "--shapes", "16x1x4x8", "--members", "2", "--rounds", "1"),
        ("task_data.py", "parity", "scan", "--size", "nano", "--rounds", "1"),
    ],
    ids=lambda words: words[0],
)
def test_a_benchmark_runs(words: tuple[str, ...]) -> None:
    script = [sys.executable, str(ROOT / "benchmarks" / words[0]), *words[1:]]
    done = subprocess.run(script, capture_output=True, text=True, env=environment(), timeout=200)
    assert done.returncode == 0, done.stderr
    assert "1.00x" in done.stdout or "%" in done.stdout or " ms" in done.stdout
