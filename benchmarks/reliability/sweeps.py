"""Kills in sweeps: of runs, of the sweep, of the process that its runs are copies of. The same command, given again as
often as it takes, must come to the leaderboard of a sweep that nothing stopped.

Every training step is written down, by a callback of the runs, with its process and the time of the system, so that two
processes that train a cell at once are seen whatever the leases say.
"""

import csv
import hashlib
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from commands import NANO, Command, run
from table import Row, Tally

KILLS = 50
CELLS, COUNT = ("encoding=rope,nope", "seed=range(4)"), 8
TIMINGS = ("training_seconds", "evaluation_seconds", "peak_memory_bytes")
"""Columns of a leaderboard that are measured and not computed."""
VICTIMS = ("run", "run", "sweep", "copies")
"""Whom a kill is for: half of them are for runs."""
CALLBACK = """import os
import time
from pathlib import Path

from pytorch_lightning import Callback


class Own(Callback):
    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        place = Path(trainer.default_root_dir).parent.name
        with open(Path(__file__).with_name(f"steps-{place}"), "a") as file:
            file.write(f"{os.getpid()} {time.monotonic_ns()} {trainer.global_step}\\n")
"""


def prepared(folder: Path) -> Path:
    """A folder with the callback that writes down every step."""
    folder.mkdir(parents=True)
    (folder / "mylab.py").write_text(CALLBACK)
    choice = folder / "my_conf" / "callbacks" / "own.yaml"
    choice.parent.mkdir(parents=True)
    choice.write_text("# @package callbacks.own\n_target_: mylab.Own\n")
    return folder


def command(cells: tuple[str, ...]) -> tuple[str, ...]:
    """The words of a sweep of these cells."""
    own = ("--config-dir", "my_conf", "packages=[mylab]", "callbacks=[own]")
    return (*own, "-m", *cells, *NANO, "launcher.slots=2")


def leaderboard(folder: Path) -> list[dict[str, str]]:
    """The rows of leaderboard.csv without timings."""
    assert run(("leaderboard", "results"), folder).code == 0
    with (folder / "results" / "leaderboard.csv").open(newline="") as file:
        return [{key: value for key, value in row.items() if key not in TIMINGS} for row in csv.DictReader(file)]


def steps(folder: Path) -> dict[str, list[tuple[int, int]]]:
    """Of each training, the process and the time of every step, in the order of time."""
    found = {}
    for path in folder.glob("steps-*"):
        lines = [line.split() for line in path.read_text().splitlines()]
        found[path.name] = sorted((int(when), int(pid)) for pid, when, _ in lines)
    return {name: [(pid, when) for when, pid in rows] for name, rows in found.items()}


def twice(folder: Path) -> list[str]:
    """Trainings at which two processes were at work at once: one takes steps between steps of another."""
    found = []
    for name, rows in steps(folder).items():
        changes = [after for before, after in pairwise([0, *(pid for pid, _ in rows)]) if before != after]
        if len(changes) > len(set(changes)):
            found.append(name)
    return found


def leases(folder: Path) -> list[str]:
    """Leases whose traces are not those of one owner after the other."""
    found = []
    for place in folder.glob("results/runs/*/lease"):
        numbers = sorted(int(path.name) for path in place.iterdir() if path.name.isdecimal())
        ended = [(place / str(number) / "ended").exists() for number in numbers]
        if numbers != list(range(1, len(numbers) + 1)) or not all(ended) or list(place.glob("*/parts*")):
            found.append(str(place))
    return found


def taken_over(folder: Path) -> int:
    """How often a lease was taken over from a process that had ended."""
    said = [json.loads(path.read_text())["how"] for path in folder.glob("results/runs/*/lease/*/ended")]
    return sum(how.startswith("taken over") for how in said)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("results/records/*.json")}


def processes(folder: Path) -> dict[str, list[int]]:
    """The processes at work in a folder: runs, and those that runs are copies of."""
    found: dict[str, list[int]] = {"run": [], "copies": []}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            words = (place / "cmdline").read_bytes().decode().split("\0")
            if os.path.realpath(place / "cwd") != str(folder.resolve()):
                continue
            if "--job" in words or (place / "comm").read_text().strip() == "harness --job":
                found["run"].append(int(place.name))
            elif "--copies" in words:
                found["copies"].append(int(place.name))
    return found


class Attack:
    """A sweep whose processes are killed, by one or two commands at a time in the same folder."""

    def __init__(self, folder: Path, cells: tuple[str, ...], count: int, rng: random.Random, *, at_once: int) -> None:
        self.folder = prepared(folder)
        self.words = command(cells)
        self.count = count
        self.rng = rng
        self.commands = [Command(self.words, self.folder) for _ in range(at_once)]
        self.kills: list[str] = []
        self.seen: dict[str, str] = {}
        self.lost = 0

    def go(self, most: int) -> None:
        """Kill until the sweep is done, at most so many times, and then let it be done."""
        while True:
            self._look()
            for number, one in enumerate(self.commands):
                if one.process.exitcode is not None:
                    one.end()
                    if len(self.seen) == self.count:
                        continue
                    self.commands[number] = Command(self.words, self.folder)
            if len(self.seen) == self.count and all(one.process.exitcode is not None for one in self.commands):
                return
            if len(self.kills) < most and len(self.seen) < self.count:
                self._wait()
                self._kill()
            else:
                time.sleep(0.05)

    def _look(self) -> None:
        """Take note of records, which then stay as they are."""
        now = digests(self.folder)
        self.lost += sum(now.get(name) != digest for name, digest in self.seen.items())
        self.seen = now

    def _wait(self) -> None:
        """Until a number of steps more have been taken, or for a moment."""
        if self.rng.random() < 0.2:
            time.sleep(self.rng.uniform(0, 1.0))
            return
        wanted = self._taken() + self.rng.randrange(1, 60)
        end = time.monotonic() + 60
        while self._taken() < wanted and time.monotonic() < end:
            if any(one.process.exitcode is not None for one in self.commands):
                return
            time.sleep(0.02)

    def _taken(self) -> int:
        return sum(len(rows) for rows in steps(self.folder).values())

    def _kill(self) -> None:
        sweeps = [one.process.pid for one in self.commands if one.process.exitcode is None and one.process.pid]
        found = {**processes(self.folder), "sweep": sweeps}
        kind = self.rng.choice(VICTIMS)
        if found[kind]:
            with suppress(ProcessLookupError):
                os.kill(self.rng.choice(found[kind]), signal.SIGKILL)
                self.kills.append(kind)


def attack(
    share: float, cells: tuple[str, ...] = ("encoding=rope,nope", "seed=range(4)"), count: int = 8
) -> Iterator[Row]:
    rng = random.Random(0)  # noqa: S311 - moments, no secrets
    begun = time.monotonic()
    boards = Tally(
        "kill -9 of runs, sweeps and the processes of copies",
        "the same command comes to the leaderboard of an undisturbed sweep, every value as it is written there "
        "but for timings",
    )
    kept = Tally("records that had been written when something was killed", "they stay as they were")
    alone = Tally("trainings of these sweeps", "no two processes take steps of one at once")
    traces = Tally("leases of these sweeps", "each number has one owner, and what it left is gone")
    with tempfile.TemporaryDirectory() as name:
        whole = prepared(Path(name, "undisturbed"))
        assert run(command(CELLS), whole).code == 0
        expected = leaderboard(whole)
        done: list[str] = []
        over = rounds = 0
        while len(done) < share * KILLS:
            folder = Path(name, str(rounds))
            under = Attack(folder, CELLS, COUNT, rng, at_once=1 + rounds % 2)
            under.go(round(share * KILLS) - len(done))
            rounds += 1
            done += under.kills
            good = leaderboard(folder) == expected
            for _ in under.kills:
                boards.add(good, "the leaderboard is another")
            for number in range(COUNT):
                kept.add(number >= under.lost, f"{under.lost} records were lost or changed")
            for found, tally in ((twice(folder), alone), (leases(folder), traces)):
                for number in range(COUNT):
                    tally.add(number >= len(found), ", ".join(found))
            over += taken_over(folder)
    kinds = ", ".join(f"{done.count(kind)} of {kind}" for kind in dict.fromkeys(VICTIMS))
    print(f"{len(done)} kills ({kinds}) in {rounds} sweeps, {over} leases taken over, {time.monotonic() - begun:.0f} s")
    for one in (boards, kept, alone, traces):
        yield one.row()
