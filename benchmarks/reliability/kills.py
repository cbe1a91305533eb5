"""Kills and signals at random moments: the same command must end with the weights of a run that nothing stopped."""

import random
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from commands import NANO, Command, run
from safetensors.torch import load_file
from table import Row, Tally

KILLS = 100
SIGNALS = 10
"""Of each kind."""


def weights(folder: Path) -> dict[str, torch.Tensor]:
    (path,) = folder.glob("results/runs/*/weights.safetensors")
    return load_file(path)


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


def attack(share: float) -> Iterator[Row]:
    rng = random.Random(0)  # noqa: S311 - moments, no secrets
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name)
        begun = time.monotonic()
        outcome = run(NANO, whole)
        lasts = time.monotonic() - begun
        assert outcome.code == 0, outcome.err
        expected = weights(whole)
        kills = Tally(
            "kill -9 at a random moment", "the same command goes on and ends with the same weights, bit by bit"
        )
        leftovers = Tally("the folders of killed runs", "no unfinished file is left once the run has ended")
        while kills.tried < share * KILLS:
            with tempfile.TemporaryDirectory() as cut:
                tried = 0
                while not list(Path(cut).glob("results/records/*.json")):
                    command = Command(NANO, Path(cut))
                    command.process.join(rng.uniform(0, 1.2 * lasts))
                    tried += command.process.is_alive()
                    command.signal(signal.SIGKILL)
                    command.end()
                    if tried > KILLS:
                        break
                good = run(NANO, Path(cut)).code == 0 and same(weights(Path(cut)), expected)
                for _ in range(tried):
                    kills.add(good, f"a run killed {tried} times ended otherwise")
                parts = [path for path in Path(cut).rglob("*") if path.name.endswith(".part")]
                leftovers.add(not parts, f"{parts[:1]} is left")
        yield kills.row()
        yield leftovers.row()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
            tally = Tally(
                f"{signal.Signals(number).name} at a random moment",
                "it saves and ends with 130, and goes on to the same weights, bit by bit",
            )
            while tally.tried < share * SIGNALS:
                with tempfile.TemporaryDirectory() as cut:
                    command = Command(NANO, Path(cut))
                    command.process.join(rng.uniform(0.3 * lasts, lasts))
                    if not command.process.is_alive():
                        command.end()
                        continue
                    command.signal(number)
                    ended = command.end()
                    good = ended.code in (0, 130) and run(NANO, Path(cut)).code == 0
                    good = good and same(weights(Path(cut)), expected)
                    tally.add(good, f"exit code {ended.code}: {ended.err[-200:]}")
            yield tally.row()
