"""The rules of docs/protocol.md, as far as records can show that they were kept."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from harness.results import descriptions
from harness.results.records import Record


class Protocol(NamedTuple):
    """The numbers of one version of the protocol."""

    version: int
    seeds: int
    """Seeds of a method on a task: 0, 1, 2 and so on, at least so many."""
    examples: int
    """Test examples of each length, or all that there are."""
    reach: float
    """The longest tested length, in training lengths, at least."""
    parameters: float
    """The most parameters of a method on a task, in those of the smallest."""


PROTOCOLS = {1: Protocol(version=1, seeds=5, examples=256, reach=2.0, parameters=1.25)}


def of_record(record: Record, protocol: Protocol) -> Iterator[str]:
    """Which rules one record breaks."""
    if record.schema_version < 2:
        yield f"it is a record of schema {record.schema_version}, and the protocol wants 2, which has a seal"
    provenance, science = record.provenance, _science(record)
    if not (provenance.get("commit") or provenance.get("harness")):
        yield "it says neither the commit nor the version of the program"
    if provenance.get("modified"):
        yield "the program had changes that its commit does not have"
    if science["training"].get("callbacks"):
        yield "callbacks took part in its training"
    if (examples := science["evaluation"]["examples"]) < protocol.examples:
        yield f"it has {examples} test examples of each length, and the protocol wants {protocol.examples}"
    longest = max(science["tested"])
    if longest < protocol.reach * record.train_length:
        yield (
            f"its longest tested length is {longest}, and the protocol wants {protocol.reach:g} times the training "
            f"length {record.train_length}"
        )
    if record.status == "finished" and not (record.chance and record.tests):
        yield "it has no chance level or no facts on its test examples"


def of_all(records: Mapping[Path, Record], protocol: Protocol) -> dict[Path, list[str]]:
    """For each file which rules it breaks together with the others: seeds and budgets."""
    found: dict[Path, list[str]] = defaultdict(list)
    cells: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path, record in records.items():
        for method in {one.id for one in descriptions.methods(record.science).values()}:
            cells[descriptions.task(record.science).id][method].append(path)
    for methods in cells.values():
        for paths in methods.values():
            if objection := _seeds({records[path].seed for path in paths}, protocol):
                for path in paths:
                    found[path].append(objection)
        _budgets(records, sorted({path for paths in methods.values() for path in paths}), protocol, found)
    return {path: list(dict.fromkeys(those)) for path, those in found.items()}


def _seeds(seeds: set[int], protocol: Protocol) -> str:
    missing = sorted(set(range(max(protocol.seeds, max(seeds) + 1))) - seeds)
    if not missing:
        return ""
    shown = ", ".join(map(str, missing[:8])) + (" and more" if len(missing) > 8 else "")
    return (
        f"its method has no run of seed {shown} on this task: the protocol wants 0 to {protocol.seeds - 1} without gaps"
    )


def _budgets(
    records: Mapping[Path, Record], paths: Sequence[Path], protocol: Protocol, found: dict[Path, list[str]]
) -> None:
    """Object to each record of a task that may have taken more than another one of it."""
    steps = {path: _most(records[path]) for path in paths}
    least = min(steps.values())
    for path in paths:
        if steps[path] > least:
            found[path].append(
                f"its budget is {steps[path]} training examples, and {least} that of another method here"
            )
    parameters = {path: cost.parameters for path in paths if (cost := records[path].cost) is not None}
    for path, number in parameters.items():
        if number > protocol.parameters * (fewest := min(parameters.values())):
            found[path].append(
                f"it has {number} parameters, over {protocol.parameters:g} times the {fewest} of another method here"
            )


def _most(record: Record) -> int:
    """The most training examples that a run may have taken: one that has learned ends before."""
    train = _science(record)["training"]["train"]
    return train["steps"] * train["batch"]


def _science(record: Record) -> dict[str, Any]:
    return record.science
