"""CPU seconds until a command answers, and how many small runs an hour a sweep does.

python benchmarks/startup.py [--rounds 3] [--runs 4]

A run that has finished, refusals, the first step of training, each in a new interpreter; then the same sweep with runs
that are copies of one process, and with runs that each load PyTorch.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = (
    "model=nano",
    "train.steps=1",
    "lengths.train=6",
    "lengths.test=8",
    "evaluation.examples=8",
    "trainer=cpu",
    "launcher.threads=1",
)


def cost(folder: Path, *words: str) -> tuple[float, float]:
    """Seconds of CPU, those of its children included, and of the clock that a command takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "harness", *words],
        cwd=folder,
        capture_output=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.monotonic() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=4)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = {
            "one step of training, and a test of it": (*SMALL, "force=true"),
            "the same run, finished": SMALL,
            "an unknown encoding": ("encoding=ropee",),
            "an unknown key": ("model.dim=3",),
            "an impossible combination": ("encoding=alibi", "extension=ntk"),
        }
        for what, words in commands.items():
            used = statistics.median(cost(folder, *words)[0] for _ in range(arguments.rounds))
            print(f"{what:<40} {used:6.2f} s of CPU", flush=True)
        perhour = {}
        for copies in ("false", "true"):
            where = folder / copies
            where.mkdir()
            used, seconds = cost(where, "-m", *SMALL, f"seed=range({arguments.runs})", f"launcher.copies={copies}")
            done = len(list(where.glob("results/records/*.json")))
            perhour[copies] = done / seconds * 3600
            print(
                f"{done} runs, launcher.copies={copies:<5} {used / max(1, done):6.2f} s of CPU each, "
                f"{perhour[copies]:6.0f} an hour, {perhour[copies] / perhour['false']:.2f}x"
            )


if __name__ == "__main__":
    main()
