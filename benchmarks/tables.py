"""Time and memory of ``python -m harness leaderboard`` with many records, cold and warm.

    python benchmarks/tables.py 2000 20000 100000

Each number of records is made from the published records in results/core_candidates that test all these lengths: other
seeds and learning rates, scores drawn anew, ten tested lengths; names and seals are computed again. Cold means that no
record has been read before, warm that all have; each in a process of its own. The whole command is run cold, with one
record written again, and with nothing changed.
``--folder`` keeps the records.
"""

import argparse
import copy
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.config import identity
from harness.files import sealed_json
from harness.results import frame_cache

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "results" / "core_candidates" / "records"
TESTED = [1, 10, 20, 21, 25, 30, 40, 60, 80, 100]
SEEDS = 5
SETTLED = 3
"""Seconds after which what was written is kept when it is read."""
MEASURED = """
import resource, sys, time
from pathlib import Path
start = time.perf_counter()
from harness.figures import curves as figure
from harness.results import collection, tables
from harness.results.csv_files import csv
parts = []
def done(what):
    global start
    used = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    now = time.perf_counter()
    parts.append((what, now - start, used))
    start = now
done("imports")
frames, rejected = collection.read([Path(sys.argv[1])])
done("reading")
board = tables.leaderboard(frames)
done(f"a leaderboard of {len(board):,} rows")
csv(board)
done("its CSV")
curves = tables.curves(frames)
done(f"curves of {len(curves):,} rows")
csv(curves)
done("their CSV")
figure.save(curves, Path(sys.argv[2]))
done("figures")
own, children = (resource.getrusage(who).ru_maxrss / 2**20 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
before = 0
for what, seconds, used in parts:
    print(f"  {what}: {seconds:.2f} s, {used - before:.2f} s of CPU")
    before = used
print(f"  {len(rejected)} refusals; at most {own:.2f} GiB, and {children:.2f} GiB in each further process", flush=True)
"""


def models() -> list[dict[str, Any]]:
    """A record of each task and encoding, with ten tested lengths."""
    found = []
    for path in sorted(PUBLISHED.glob("*-seed0-*.json")):
        record = json.loads(path.read_text())
        if set(TESTED) <= set(record["science"]["tested"]):
            found.append(record)
    return found


def derived(model: dict[str, Any], variant: int, seed: int) -> dict[str, Any]:
    """A valid record of another learning rate and seed."""
    record = copy.deepcopy(model)
    rng = np.random.default_rng([variant, seed])
    training = record["science"]["training"]
    record["seed"] = training["seed"] = record["config"]["seed"] = seed
    training["train"]["learning_rate"] = record["config"]["train"]["learning_rate"] = 0.001 + variant / 10**6
    record["slices"] = []
    record["science"]["tested"] = record["config"]["lengths"]["grid"] = TESTED
    for rows in (record["scores"], record["blind"], record["chance"], record["tests"], *record["shortcuts"].values()):
        rows[:] = [row for row in rows if row["length"] in TESTED]
    for row in record["scores"]:
        share = 1.0 if row["length"] <= record["train_length"] else rng.uniform(0, 1)
        row["exact"] = int(row["examples"] * share**3)
        row["correct"] = max(int(row["tokens"] * share), row["exact"])
        row["exact_given_length"] = row["exact"]
        row["nats"] = float(rng.uniform(0, row["tokens"]))
    prefix = f"{training['task']['name']}-{training['encoding']['name']}-seed{seed}"
    record["name"] = f"{prefix}-{identity.digest(record['science'])}"
    record["training_name"] = f"{prefix}-{identity.digest(training)}"
    record["seal"] = sealed_json.seal(record)
    return record


def records() -> Iterator[dict[str, Any]]:
    """As many different records as anybody takes."""
    known, variant = models(), 0
    while True:
        for model in known:
            for seed in range(SEEDS):
                yield derived(model, variant, seed)
        variant += 1


def make(folder: Path, count: int) -> None:
    """Write this many records to a folder, unless they are there."""
    place = folder / "records"
    place.mkdir(parents=True, exist_ok=True)
    for _, record in zip(range(count), records(), strict=False):
        path = place / f"{record['name']}.json"
        if not path.exists():
            path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def write_again(path: Path) -> None:
    """Put another file with the same content in the place of a record."""
    copied = path.with_suffix(".copy")
    copied.write_bytes(path.read_bytes())
    copied.replace(path)
    time.sleep(SETTLED)


def measure(what: str, command: list[str], *, parts: bool = False) -> None:
    """Run a command and say how long it took, what memory it had and, of a command that measures its parts, what it
    printed.
    """
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        running = subprocess.Popen(command, stdout=output, stderr=errors, cwd=ROOT)
        _, status, used = os.wait4(running.pid, 0)
        seconds = time.perf_counter() - start
        output.seek(0)
        errors.seek(0)
        running.returncode = os.waitstatus_to_exitcode(status)
        if running.returncode:
            sys.exit(errors.read())
        cpu = used.ru_utime + used.ru_stime
        print(f"{what}: {seconds:.1f} s, {cpu:.1f} s of CPU, at most {used.ru_maxrss / 2**20:.2f} GiB")
        print(output.read() if parts else "", end="", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", type=int, nargs="+")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    for count in given.counts:
        with tempfile.TemporaryDirectory() as temporary:
            folder = (given.folder or Path(temporary)) / str(count)
            make(folder, count)
            time.sleep(SETTLED)
            frame_cache.place(folder).unlink(missing_ok=True)
            for what in ("cold", "warm"):
                measure(f"{count} {what}", [sys.executable, "-c", MEASURED, str(folder), temporary], parts=True)
            frame_cache.place(folder).unlink(missing_ok=True)
            command = [sys.executable, "-m", "harness", "leaderboard", str(folder), "--output", temporary]
            measure(f"{count} cold, python -m harness leaderboard", command)
            write_again(next((folder / "records").iterdir()))
            measure(f"{count} with one record written again, the same command", command)
            measure(f"{count} with nothing changed, the same command", command)


if __name__ == "__main__":
    main()
