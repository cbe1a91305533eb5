"""Verifies folders of records: a verdict for each file."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from harness import progress
from harness.errors import Refused, one_line
from harness.results import records as record_files
from harness.results.paths import record_files as files_of
from harness.results.records import Record
from harness.verification import copies, denominators, identities, protocol, tables
from harness.verification.baselines import Recomputed
from harness.verification.configs import Configs, Unknown
from harness.verification.denominators import Remade
from harness.verification.protocol import Protocol
from harness.verification.verdicts import Verdict


class Computed(NamedTuple):
    """What was computed again so far: the same for all records of a task."""

    configs: Configs
    examples: Remade
    baselines: Recomputed


def verify(folders: Sequence[Path], rules: Protocol | None = None) -> list[Verdict]:
    """A verdict for each record in the folders, and for each table beside them that the leaderboard writes."""
    files, verdicts, good = _records(folders, rules)
    return verdicts + _tables(files, good)


def verify_records(folders: Sequence[Path], rules: Protocol | None = None) -> list[Verdict]:
    """A verdict for each JSON file among the records of the folders. ``rules`` are those of the protocol to which they
    are held.
    """
    return _records(folders, rules)[1]


def _records(
    folders: Sequence[Path], rules: Protocol | None
) -> tuple[dict[Path, list[Path]], list[Verdict], dict[Path, Record]]:
    """The files of each folder, a verdict for each, and those of them that can be read."""
    good: dict[Path, Record] = {}
    problems: dict[Path, list[str]] = defaultdict(list)
    remarks: dict[Path, list[str]] = defaultdict(list)
    files = {folder: files_of(folder) for folder in folders}
    known = list(dict.fromkeys(path for own in files.values() for path in own))
    computed = Computed(Configs(), Remade(), Recomputed())
    with progress.shown("verifying", len(known)) as step:
        for number, path in enumerate(known, start=1):
            try:
                record = good[path] = record_files.read(path)
            except Refused as refusal:
                problems[path].append(str(refusal).removeprefix(f"{one_line(path)}: "))
            else:
                found, remarked = _of_record(record, computed, everything=rules is not None)
                problems[path] += [*found, *(protocol.of_record(record, rules) if rules else ())]
                remarks[path] += remarked
            step(number)
    wrong, remarked_together = copies.of_other_records(good)
    broken = protocol.of_all(good, rules) if rules else {}
    for path in good:
        problems[path] += [*wrong.get(path, ()), *broken.get(path, ())]
        remarks[path] += remarked_together.get(path, ())
    return files, [Verdict(path, tuple(problems[path]), tuple(remarks[path])) for path in known], good


def _of_record(record: Record, computed: Computed, everything: bool) -> tuple[list[str], list[str]]:
    """What is wrong with a record by itself, and what is to be remarked. With ``everything`` it is wrong if it cannot
    be computed again: otherwise a record could evade that by naming what nobody has.
    """
    remarks = [] if record.seal else ["it has no seal, being older than seals: what was changed in it is not seen"]
    try:
        known = computed.configs.known(record)
    except Unknown as reason:
        said = f"its ids and test examples were not computed again: {reason}"
        return ([said], remarks) if everything else ([], [*remarks, said])
    try:
        problems = list(identities.objections(record, known))
        if record.status == "failed" or problems:
            return problems, remarks
        tested = [row.length for row in record.blind]
        if left_out := denominators.too_large(known, computed.examples, tested):
            remarks.append(f"its test examples of length {left_out[0]} and longer were not made again: too large")
        problems += denominators.objections(record, known, computed.examples, tested)
        problems += computed.baselines.objections(record, known)
    except (ValueError, LookupError, TypeError, ArithmeticError, MemoryError) as error:
        # The config is somebody's: a task or a layout may be given what no run of the program would give it.
        return [f"its config cannot be run: {one_line(error) or type(error).__name__}"], remarks
    return problems, remarks


def _tables(files: dict[Path, list[Path]], good: dict[Path, Record]) -> list[Verdict]:
    """Verdicts on the tables of the folders. A run that is in several folders counts once, as in a table of them."""
    everything = list({record.name: record for record in reversed(good.values())}.values())[::-1]
    return [
        verdict
        for folder, paths in files.items()
        for verdict in tables.verdicts(folder, [good[path] for path in paths if path in good], everything)
    ]
