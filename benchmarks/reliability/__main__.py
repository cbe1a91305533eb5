"""Attacks on the program, and how often it survived: ``python benchmarks/reliability [NAME ...]``.

The names are those of the files beside this one: kills, sweeps, steps, damage, hostile, disk, words. With ``--page
FILE`` the table is written as a page. It takes about an hour on two cores.
"""

import argparse
import importlib
import platform
import sys
import time
from pathlib import Path

from table import Row

ATTACKS = ("kills", "sweeps", "steps", "damage", "disk", "hostile", "words")
HEAD = """# Reliability

Deliberate faults and hostile inputs, and how often the program survived them. To repeat the tests:

    python benchmarks/reliability --page docs/reliability.md

{facts}

| fault | tried | survived | surviving means |
|---|---|---|---|
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python benchmarks/reliability", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*ATTACKS, []], help="attacks, all by default")
    parser.add_argument("--share", type=float, default=1.0, help="share of the tries, for a quicker look")
    parser.add_argument("--page", type=Path, help="file to write the table to")
    parsed = parser.parse_args()
    rows: list[Row] = []
    for name in parsed.names or ATTACKS:
        for row in importlib.import_module(name).attack(parsed.share):
            rows.append(row)
            print(f"{row.survived} of {row.tried}  {row.fault}", flush=True)
            if row.first_failure:
                print(f"    {row.first_failure}", flush=True)
    if parsed.page:
        _, heading, rest = (parsed.page.read_text() if parsed.page.exists() else "").partition("\n## ")
        parsed.page.write_text(page(rows) + heading + rest)  # what was written by hand stays
    return 0 if all(row.survived == row.tried for row in rows) else 1


def page(rows: list[Row]) -> str:
    import torch

    facts = (
        f"{time.strftime('%Y-%m-%d')}, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
    )
    facts += f"PyTorch {torch.__version__}."
    lines = [f"| {row.fault} | {row.tried} | {row.survived} | {row.means} |" for row in rows]
    return HEAD.format(facts=facts) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
