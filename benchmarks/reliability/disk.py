"""A disk that fills up: no result comes of it, and the same command finishes when there is room again.

A small file system in memory is mounted, which takes root; elsewhere this attack is left out.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from commands import NANO, run
from table import Row, Tally

ROOM = (4, 8, 16, 32, 64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640)
"""Free kilobytes at the start of a run."""


def attack(share: float) -> Iterator[Row]:
    if os.geteuid():
        return
    tally = Tally(
        "a disk that fills up during a run",
        "one line names the file, no record says that the method failed, and with room the same command finishes",
    )
    for room in ROOM[:: max(1, round(1 / share))]:
        with tempfile.TemporaryDirectory() as folder:
            mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]
            if subprocess.run(mount, capture_output=True).returncode:
                return
            try:
                filler = Path(folder, "filler")
                filler.write_bytes(b"0" * (2**22 - 1024 * room - 2**13))
                full = run(NANO, Path(folder))
                filler.unlink()
                done = run(NANO, Path(folder))
                spoken = full.code == 0 or (not full.traceback and len(full.err.splitlines()) < 20)
                good = spoken and done.code == 0 and len(list(Path(folder).glob("results/records/*.json"))) == 1
                tally.add(good, f"{room} kB: {full.code} {full.err[-300:]!r}, then {done.code} {done.err[-200:]!r}")
            finally:
                subprocess.run(["umount", folder], check=True)
    yield tally.row()
