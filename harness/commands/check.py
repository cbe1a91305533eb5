"""Check what a choice promises, of your own or of the harness: a line for each claim, then a run of a few steps.

python -m harness check far                         a choice by its name
python -m harness check encoding=far                where several groups have one of that name
python -m harness check task=sort task.symbols=3    with options
"""

import argparse
import textwrap

from harness.composition.arguments import Parser
from harness.progress import columns

INDENT = " " * 18
"""What stands before a claim, in its further lines."""
ENDLESS = 100_000
"""Characters of a line that no terminal shows."""


def main(arguments: list[str]) -> int:
    """Print the outcome of every claim; the exit code is 1 if one fails."""
    parser = Parser(
        prog="python -m harness check", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("choice", help="a choice, far or encoding=far")
    parser.add_argument("overrides", nargs="*", help="options of it and other values, as for a run")
    parser.add_argument("--config-dir", help="a folder with choices of your own")
    parsed = parser.read(arguments)
    from harness.checks.battery import claims
    from harness.checks.claims import outcome
    from harness.composition.compose import composer

    with composer([] if parsed.config_dir is None else [parsed.config_dir]) as hydra:
        name, claimed = claims(hydra, [parsed.choice, *parsed.overrides])
        print(name)
        counts = {"holds": 0, "fails": 0, "does not apply": 0}
        for claim in claimed:
            found = outcome(claim)
            counts[found.verdict] += 1
            said = f"{found.claim}: {found.seen}" if found.seen else found.claim
            lines = textwrap.wrap(said, columns(ENDLESS) - len(INDENT), break_on_hyphens=False)
            print(f"  {found.verdict:<14}  " + f"\n{INDENT}".join(lines), flush=True)
    print(
        ", ".join(
            f"{count} {verdict.replace('holds', 'hold').replace('fails', 'fail')}" for verdict, count in counts.items()
        )
    )
    return 1 if counts["fails"] else 0
