"""What a record says was run, as :func:`harness.config.identity.science` writes it."""

from typing import Annotated

from pydantic import Field, JsonValue

from harness.config.schema import Frozen, Name

Count = Annotated[int, Field(ge=0, lt=2**63)]


class Choice(Frozen):
    """What was chosen of a group, and its options."""

    name: Name
    options: dict[str, JsonValue]
    target: str = ""


class TaskChoice(Choice):
    """The task and the version of its data."""

    version: Count
    fingerprint: str | None = None


class ArchitectureChoice(Choice):
    """The dimensions of the network, and the saved network that it reads if it reads one."""

    fingerprint: str | None = None


class TrainingLengths(Frozen):
    """The shortest and the longest length trained on."""

    shortest: Annotated[Count, Field(ge=1)]
    train: Annotated[Count, Field(ge=1)]


class WeightsFrom(Frozen):
    """Where initial weights come from that are not drawn: the training that made them, a digest of it without its seeds
    and one of what it made of the encoding (all empty for those of a saved network), and how many tokens the longest
    sequence had there.
    """

    training: str = ""
    method: str = ""
    inherited: str = ""
    tokens: Annotated[Count, Field(ge=1)]


class TrainingScience(Frozen):
    """What decides the weights."""

    identity: int
    task: TaskChoice
    lengths: TrainingLengths
    encoding: Choice
    positions: Choice
    logit: Choice
    architecture: ArchitectureChoice
    mixer: dict[Name, Choice] = {}
    """Of each layer, in ``pattern``; empty where all have plain attention."""
    pattern: list[Name] = []
    model: dict[str, JsonValue]
    train: dict[str, JsonValue]
    optimizer: Choice = Field(default_factory=lambda: Choice(name="adamw", options={}))
    """Left out where it is AdamW, as a schedule that is a cosine and an extension that changes nothing."""
    schedule: Choice = Field(default_factory=lambda: Choice(name="cosine", options={}))
    train_extension: Choice = Field(default_factory=lambda: Choice(name="extrapolate", options={}))
    weights_from: WeightsFrom | None = None
    """Left out where initial weights are drawn."""
    block: Annotated[Count, Field(ge=1)] = 1024
    """How many training examples are drawn at once; left out where it is this number."""
    callbacks: list[Choice] = []
    seed: Count


class Science(Frozen):
    """What decides the scores."""

    training: TrainingScience
    tested: Annotated[list[Annotated[Count, Field(ge=1)]], Field(min_length=1)]
    extension: Annotated[dict[Name, Choice], Field(min_length=1)]
    evaluation: dict[str, JsonValue]
