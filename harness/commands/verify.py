"""Verify records: seals, ids, counts, duplicates, budgets and the tables made of them; exit code 1 if any is bad."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import atomic
from harness.composition.arguments import Parser, existing, path
from harness.errors import Refused, counted, one_line
from harness.files import user_paths

if TYPE_CHECKING:
    from harness.verification.verdicts import Verdict

SHOWN = 10
"""Different remarks that are printed."""


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness verify", description=__doc__)
    parser.add_record_folders()
    parser.add_argument("--protocol", type=int, help="hold the records to this version of docs/protocol.md, such as 1")
    parser.add_argument("--output", type=path, help="a CSV file to write all verdicts to")
    parsed = parser.read(arguments)
    folders = existing(parsed.folders)
    from harness.results.csv_files import csv
    from harness.verification.protocol import PROTOCOLS
    from harness.verification.verdicts import table
    from harness.verification.verification import verify

    if parsed.protocol is not None and parsed.protocol not in PROTOCOLS:
        raise Refused(f"--protocol {parsed.protocol}: there is {', '.join(map(str, PROTOCOLS))}")
    found = verify(folders, PROTOCOLS.get(parsed.protocol))
    if not found:
        raise Refused(f"no record in {', '.join(map(str, folders))}: there is nothing to verify")
    if parsed.output:
        user_paths.make_folder(parsed.output.parent, f"--output {parsed.output}")
        atomic.write(parsed.output, csv(table(found)))
    return report(found)


def report(verdicts: Sequence["Verdict"]) -> int:
    """Print a line for each bad file and one that sums up; the exit code, 1 if any is bad."""
    for one in verdicts:
        if one.problems:
            more = len(one.problems) - 1
            print(one_line(f"bad {one.path}: {one.problems[0]}") + (f" (and {more} more)" if more else ""))
    words = Counter(one.word for one in verdicts)
    print(", ".join(f"{words[word]} {word}" for word in ("good", "marked", "bad")), end="")
    print(f" of {counted(len(verdicts), 'file')}")
    remarks = Counter(remark for one in verdicts for remark in one.remarks).most_common()
    for remark, number in remarks[:SHOWN]:
        print(f"  {number}: {one_line(remark)}")
    if len(remarks) > SHOWN:
        print(f"  and {counted(len(remarks) - SHOWN, 'more remark')}: --output FILE.csv lists all")
    return 1 if words["bad"] else 0


def passes(folders: Sequence[Path]) -> bool:
    """Verify the records in the folders and print what is found; whether none is bad."""
    from harness.verification.verification import verify_records

    return not report(verify_records(folders))
