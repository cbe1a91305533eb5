"""The record of a run: one JSON file with its config, its scores and its provenance.

It is written once, whole, where :mod:`harness.results.paths` says; the records of several machines are merged by
copying files.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError, model_validator

from harness import atomic
from harness.config.schema import Frozen, Name
from harness.errors import Refused
from harness.errors import one_line as one_line
from harness.files import sealed_json
from harness.files.escaping import escape_all
from harness.results import consistency
from harness.results.paths import record_files
from harness.results.science import Count as Count
from harness.results.science import Science

NotNegative = Annotated[float, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, le=10**10)]
Share = Annotated[float, Field(ge=0, le=1)]
Title = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,200}$")]


class Answers(Frozen):
    """What is right at one length: whole answers (``exact`` of ``examples``) and scored tokens (``correct`` of
    ``tokens``). ``ends`` is how many of these tokens only say that the answer is over, and ``ends_correct`` how many of
    them are right: without them the rest is what others report of answers whose length is known. The first records do
    not have the two.
    """

    length: Count
    examples: Annotated[Count, Field(ge=1)]
    exact: Count
    tokens: Annotated[Count, Field(ge=1)]
    correct: Count
    ends: Count | None = None
    ends_correct: Count | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Answers":
        if self.exact > self.examples or self.correct > self.tokens:
            raise ValueError(f"more is right than there is at length {self.length}")
        if (self.ends is None) != (self.ends_correct is None):
            raise ValueError(f"it has one of ends and ends_correct at length {self.length}: they belong together")
        if self.ends is not None and self.ends_correct is not None:
            inner, right = self.tokens - self.ends, self.correct - self.ends_correct
            if self.ends_correct > self.ends or not 0 <= right <= inner:
                raise ValueError(f"more is right than there is, of ends or of the rest, at length {self.length}")
        return self


class Counts(Answers):
    """Also the tokens' summed loss, and the bytes of text they stand for where that is not one each."""

    nats: NotNegative
    bytes: Count | None = None

    @model_validator(mode="after")
    def _plausible(self) -> "Counts":
        if self.nats > consistency.WORST_LOSS * self.tokens:
            raise ValueError(f"the loss at length {self.length} is beyond what a token can have")
        return self


class Chance(Frozen):
    """What guessing is expected to get right at one length: shares of answers, of scored tokens, and of these without
    the ends of answers (``None`` in the first records).
    """

    length: Count
    exact: Share
    tokens: Share
    without_ends: Share | None = None


class ScoreRow(Counts):
    """The scores of one extension at one length."""

    extension: Name
    exact_given_length: Count | None = None
    """Answers that are right when the end token is offered just where the answer ends; unknown in the first records."""


class SliceRow(ScoreRow):
    """The scores of the examples, or tokens, of one length that have these values on the task's axes."""

    at: Annotated[dict[Name, Count], Field(min_length=1)]


class TestFacts(Frozen):
    """The test examples of one length: how many tokens the longest of them has as the model reads it, how many of them
    occur among the training examples that were compared (``None``: not compared), how many different prompts they have
    and how many share the most frequent one (``None``: not counted, as in the first records and for running text).
    """

    length: Count
    examples: Annotated[Count, Field(ge=1)]
    longest: Count
    in_training: Count | None = None
    different: Annotated[Count, Field(ge=1)] | None = None
    most_frequent: Annotated[Count, Field(ge=1)] | None = None


class TaskFacts(Frozen):
    """What a reader of the record needs to know about the task."""

    name: Name
    version: Count
    metric: Literal["exact_match", "token_accuracy", "bits_per_byte"]
    fingerprint: str | None = None


class Look(Frozen):
    """What was right of held-out examples after a step of training: shares by the task's metric, of answers or of
    tokens, as means over lengths. Longer ones than those trained on are looked at where a learning curve is wanted.
    """

    step: Annotated[Count, Field(ge=1)]
    in_distribution: Share
    out_of_distribution: Share | None = None


class Cost(Frozen):
    """The cost of the run, over all parts of an interrupted one. Seconds are wall time: of the training that led to the
    weights, of scoring, of the baselines, and of the comparison of test and training examples (the last two are
    ``None`` in the first records, whose ``evaluation_seconds`` cover all three). ``receptive_field`` is the number of
    tokens that an output can depend on, where that is not all; ``resumed_from`` the steps at which training was
    resumed, ``threads`` the CPU threads of each of its parts, ``initial_weights`` the digest of the weights that
    training began with, where they are those of another run. ``training_tokens`` are those of the training examples,
    ``training_positions`` what was computed with the padding of batches, ``training_flops`` an estimate of the
    floating-point operations (:func:`harness.training.spent.spent`); ``None`` where they were not counted.
    """

    parameters: Count
    receptive_field: Count | None = None
    steps: Count
    examples: Count
    training_tokens: Count | None = None
    training_positions: Count | None = None
    training_flops: NotNegative | None = None
    training_seconds: Seconds
    evaluation_seconds: Seconds
    baseline_seconds: Seconds | None = None
    overlap_seconds: Seconds | None = None
    resumed_from: list[Count] = []
    threads: list[Count] = []
    initial_weights: str = ""
    peak_memory_bytes: Count


class Record(Frozen):
    """One run.

    Schema 2 has a seal. Records of schema 1 are read as they are: those older than seals have none, and what the first
    of them did not count is ``None`` or empty.
    """

    schema_version: Literal[1, 2] = 2
    name: Title
    training_name: Title
    status: Literal["finished", "failed"]
    reason: str = ""
    task: TaskFacts
    train_length: Count
    seed: Count
    science: dict[str, JsonValue]
    config: dict[str, JsonValue]
    scores: list[ScoreRow] = []
    slices: list[SliceRow] = []
    blind: list[Counts] = []
    chance: list[Chance] = []
    shortcuts: dict[str, list[Answers]] = {}
    tests: list[TestFacts] = []
    training_compared: Count = 0
    """Number of training examples, from the first on, that the test examples were compared with."""
    novelty: dict[Name, list[str]] = {}
    """For each extension, what the longest test needs from the encoding but training does not cover."""
    final_loss: Annotated[float, Field(ge=0, le=consistency.WORST_LOSS)] | None = None
    cost: Cost | None = None
    looks: list[Look] = []
    """The learning curve, where the run has one."""
    held_out: list[Counts] = []
    """What the trained model has right of held-out examples of the lengths trained on, where a search asks for it."""
    started: str
    finished: str
    provenance: dict[str, JsonValue]
    seal: str = ""
    """A digest of all that the record says (:func:`harness.files.sealed_json.seal`); empty in records of schema 1 that
    are older than seals, and before the record is written.
    """

    def choice(self, group: str) -> str:
        """The name of the choice from a group: ``choice("encoding")`` is ``"rope"``."""
        node = self.config.get(group)
        return str(node.get("name", "")) if isinstance(node, dict) else ""

    @model_validator(mode="after")
    def _consistent(self) -> "Record":
        science = Science.model_validate(self.science)
        self.check(science, science.training.seed)
        consistency.check_config(self.config, self.science)
        return self

    def check(self, science: Science, seed: int) -> None:
        """Raise :class:`ValueError` where the parts of a record contradict each other or its science with this seed.
        The config is not looked at. What is about numbers :mod:`harness.results.number_checks` asks of many records
        at once: a rule that is added here belongs there too.
        """
        training, tested = science.training, science.tested
        said = (self.task.name, self.task.version, self.train_length, self.seed)
        if said != (training.task.name, training.task.version, training.lengths.train, seed):
            raise ValueError("its task, training length or seed are not those of its science")
        if not min(tested) <= self.train_length < max(tested):
            raise ValueError("its tested lengths do not lie on both sides of the training length")
        consistency.check_times(self.started, self.finished)
        if self.status == "failed":
            return
        wanted = {(extension, length) for extension in science.extension for length in tested}
        if {(score.extension, score.length) for score in self.scores} != wanted or len(self.scores) != len(wanted):
            raise ValueError("its scores are not those of its extensions and tested lengths")
        if [row.length for row in self.blind] != tested:
            raise ValueError("its blind baseline is not that of its tested lengths")
        kept = [*self.shortcuts.values()]
        lengths = [
            [r.length for r in self.chance],
            [r.length for r in self.tests],
            *([r.length for r in k] for k in kept),
        ]
        if any(row.length > self.train_length for row in self.held_out):
            raise ValueError("its held-out examples, by which searches choose, are longer than those trained on")
        if any(part not in ([], tested) for part in lengths):
            raise ValueError("its baselines or test facts are not those of its tested lengths")
        if self.cost is None or (self.final_loss is None and self.cost.steps):
            raise ValueError("it says it finished and has no cost or loss")
        consistency.check_scores(self)


def write(record: Record, path: Path, parts: Path | None = None) -> Record:
    """Write a record with its seal and return it. ``parts`` are those of the run's lease
    (:func:`harness.atomic.writing`). Raises :class:`Refused` if it cannot be written.
    """
    document = record.model_dump(mode="json", exclude={sealed_json.SEAL})
    document[sealed_json.SEAL] = sealed_json.seal(document)
    try:
        atomic.write(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n", parts)
    except OSError as error:
        raise Refused(f"cannot write the record {path}: {error.strerror}") from error
    return record.model_copy(update={sealed_json.SEAL: document[sealed_json.SEAL]})


def read(path: Path) -> Record:
    """Read and check a record. Raises :class:`Refused` with what is wrong with it. Its text is escaped
    (:mod:`harness.files.escaping`), so that whatever is made from records can be shown.
    """
    document = sealed_json.read(path)
    try:
        if objection := consistency.altered(document):
            raise Refused(f"{one_line(path)}: not a record: {objection}")
        record = Record.model_validate(escape_all(document))
    except RecursionError:
        raise Refused(f"{one_line(path)}: it is nested too deep") from None
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        said = one_line(f"{where + ': ' if where else ''}{first['msg']}")
        raise Refused(f"{one_line(path)}: not a record: {said}") from error
    if objection := consistency.unsealed(record):
        raise Refused(f"{one_line(path)}: not a record: {objection}")
    if record.name != path.stem:
        raise Refused(f"{one_line(path)}: it is the record of {record.name}: its file name must be that")
    return record


def read_all(folders: Sequence[Path]) -> tuple[list[Record], list[str]]:
    """All records in the folders and, for every JSON file that is not a record, the reason. The same record in two
    folders counts once.
    """
    records: dict[str, Record] = {}
    rejected = []
    for folder in folders:
        for path in record_files(folder):
            try:
                record = read(path)
            except Refused as refusal:
                rejected.append(str(refusal))
                continue
            known = records.setdefault(record.name, record)
            if known.status == "failed" and record.status == "finished":
                records[record.name] = record
            elif known.scores != record.scores and record.status == "finished":
                rejected.append(f"{path}: the same run has other scores elsewhere; those read first are kept")
    return list(records.values()), rejected
