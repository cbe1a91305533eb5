"""Damaged and exchanged files: none is used, and the run comes to what it would have come to without them."""

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from commands import NANO, run
from kills import same, weights
from table import Row, Tally

FLIPS = 25
LONGER = ("lengths.test=14",)
"""Tests weights that are there already at other lengths."""


def flipped(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def attack(share: float) -> Iterator[Row]:
    rng = random.Random(0)  # noqa: S311 - places, no secrets
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name, "first"), Path(name, "second")
        for folder, seed in ((first, 3), (second, 4)):
            folder.mkdir()
            assert run((*NANO, f"seed={seed}"), folder).code == 0
        expected = weights(first)
        other = next(second.glob("results/runs/*/weights.safetensors"))

        def tested(what: Callable[[Path], object], tally: Tally, told: str) -> None:
            """Damage the weights, test them at other lengths, and see whether the run trained its own again."""
            with tempfile.TemporaryDirectory() as copy:
                folder = Path(copy, "copy")
                shutil.copytree(first, folder)
                path = next(folder.glob("results/runs/*/weights.safetensors"))
                what(path)
                outcome = run((*NANO, *LONGER, "seed=3"), folder)
                named = "weights.safetensors" in outcome.err
                good = outcome.code == 0 and named and same(weights(folder), expected)
                tally.add(good, f"{told}: exit code {outcome.code}: {outcome.err[-200:]}")

        means = "the file is named and not used, and the run trains its own weights again, bit by bit"
        tally = Tally("one flipped bit in the weights", means)
        for number in range(max(1, round(share * FLIPS))):
            tested(lambda path: path.write_bytes(flipped(path.read_bytes(), rng)), tally, f"flip {number}")
        yield tally.row()
        tally = Tally("weights that are cut off, empty, a folder or those of another seed", means)
        tested(lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]), tally, "cut")
        tested(lambda path: path.write_bytes(b""), tally, "empty")
        tested(lambda path: (path.unlink(), path.mkdir()), tally, "a folder")
        tested(lambda path: shutil.copy(other, path), tally, "another seed's")
        yield tally.row()
    yield from checkpoints(rng, share)


def checkpoints(rng: random.Random, share: float) -> Iterator[Row]:
    import signal

    from commands import Command

    means = "the checkpoint is named and not used, the one before is, and the weights are the same, bit by bit"
    damages: dict[str, Callable[[Path], object]] = {
        "one flipped bit in the newest checkpoint": lambda path: path.write_bytes(flipped(path.read_bytes(), rng)),
        "the newest checkpoint cut off": lambda path: path.write_bytes(path.read_bytes()[:1000]),
        "a folder in the place of the newest checkpoint": lambda path: (path.unlink(), path.mkdir()),
        "a checkpoint whose name has no step": lambda path: path.rename(path.with_name("step-.0123456789abcdef.ckpt")),
    }
    with tempfile.TemporaryDirectory() as name:
        whole, half = Path(name, "whole"), Path(name, "half")
        whole.mkdir()
        half.mkdir()
        assert run(NANO, whole).code == 0
        expected = weights(whole)
        command = Command(NANO, half)
        while len(list(half.glob("results/runs/*/checkpoints/*.ckpt"))) < 2:
            assert command.process.is_alive(), "it ended before it had saved twice"
            command.process.join(0.01)
        command.signal(signal.SIGKILL)
        command.end()
        for fault, damage in damages.items():
            tally = Tally(fault, means)
            for number in range(max(1, round(share * 5))):
                with tempfile.TemporaryDirectory() as copy:
                    folder = Path(copy, "copy")
                    shutil.copytree(half, folder)
                    damage(sorted(folder.glob("results/runs/*/checkpoints/*.ckpt"))[-1])
                    outcome = run(NANO, folder)
                    good = outcome.code == 0 and same(weights(folder), expected)
                    tally.add(good, f"try {number}: exit code {outcome.code}: {outcome.err[-200:]}")
            yield tally.row()
