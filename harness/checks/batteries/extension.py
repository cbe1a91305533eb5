"""Every extension keeps what an extension promises, on an encoding that it applies to."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from harness import declarations
from harness.attention.positions import Positions
from harness.checks.claims import DoesNotApply, require
from harness.checks.inputs import largest, sequential, shaken, tokens
from harness.checks.tried import Tried
from harness.config import instantiation
from harness.config.schema import Run
from harness.evaluation.scoring import extended
from harness.extensions.base import Extension
from harness.models.base import Model

TRAINED, TESTED, FURTHER = 42, 60, 400
"""Tokens in training and in two tests."""


class Subject(NamedTuple):
    """An extension, a run with it, and how its network is made, the same every time."""

    extension: Extension
    run: Run
    network: Callable[[], Model]


def subject(tried: Tried) -> Subject:
    """The extension of a choice."""
    run = tried.valid()
    return Subject(instantiation.make(tried.group, tried.component(), run), run, tried.network)


def _made(subject: Subject) -> Model:
    torch.manual_seed(1)
    model = subject.network()
    shaken(model)
    return model


def _asked(count: int = TESTED) -> tuple[Tensor, Positions]:
    return tokens(2, count), sequential(count)


@torch.no_grad()
def nothing_within_training(subject: Subject) -> str:
    """Within the training length nothing changes"""
    model = _made(subject)
    plain = model(*_asked())
    with extended(model, subject.extension, TRAINED, TRAINED) as reader:
        found = reader(*_asked())
    require(torch.equal(found, plain), largest(found, plain))
    return f"tried with encoding={subject.run.encoding.name}"


@torch.no_grad()
def changes_something(subject: Subject) -> str:
    """Beyond the training length it changes what a network computes"""
    if subject.extension.truncates:
        raise DoesNotApply("it changes what is read")
    model = _made(subject)
    plain = model(*_asked())
    with extended(model, subject.extension, TRAINED, TESTED) as reader:
        changed = reader(*_asked())
    if declarations.lookup(subject.run.encoding.target).attributes["kind"] == "content":
        raise DoesNotApply("where tokens decide, nothing may be left to change")
    if torch.equal(changed, plain) and _changes_nothing(subject):
        raise DoesNotApply("it is the one that changes nothing")
    require(not torch.equal(changed, plain), f"{TESTED} tokens after {TRAINED}: the same as without")
    return largest(changed, plain)


def _changes_nothing(subject: Subject) -> bool:
    from harness.extensions.extrapolate import Extrapolate

    return isinstance(subject.extension, Extrapolate)


@torch.no_grad()
def repeatable(subject: Subject) -> None:
    """The same at every call, whatever was evaluated before, and nothing is learned"""
    model = _made(subject)
    with extended(model, subject.extension, TRAINED, TESTED) as reader:
        changed = reader(*_asked())
        require(torch.equal(reader(*_asked()), changed), "a second call gave something else")
        free = [name for e in model.encodings() for name, p in e.named_parameters() if p.requires_grad]
        require(not free, f"parameter {free[:1]} of the encoding is not frozen")
    with extended(model, subject.extension, TRAINED, FURTHER) as reader:
        reader(*_asked())
    with extended(model, subject.extension, TRAINED, TESTED) as reader:
        again = reader(*_asked())
    require(torch.equal(again, changed), largest(again, changed))


@torch.no_grad()
def nothing_left(subject: Subject) -> None:
    """Afterwards the network is as it was"""
    model = _made(subject)
    plain = model(*_asked())
    before = {key: value.clone() for key, value in {**model.state_dict(), **dict(model.named_buffers())}.items()}
    for count in (TESTED, FURTHER):
        with extended(model, subject.extension, TRAINED, count) as reader:
            reader(*_asked())
    require(torch.equal(model(*_asked()), plain), largest(model(*_asked()), plain))
    after = {**model.state_dict(), **dict(model.named_buffers())}
    changed = [key for key in before if not torch.equal(before[key], after[key])]
    require(not changed, f"{changed[:1]} is another one")


@torch.no_grad()
def no_look_ahead(subject: Subject) -> None:
    """With the length declared, outputs depend on no later token"""
    model = _made(subject).double()  # in float32 sums of other lengths are rounded in another way
    if not all(encoding.prefix_consistent for encoding in model.encodings()):
        raise DoesNotApply("the encoding is not prefix_consistent")
    asked, positions = _asked()
    with extended(model, subject.extension, TRAINED, TESTED) as reader:
        whole = reader(asked, positions)
        for length in (1, 30, 50):
            part = reader(asked[:, :length], Positions(positions.values[:, :length], True))
            same = torch.allclose(whole[:, :length], part, atol=1e-9, rtol=1e-9)
            require(same, f"{length} of {TESTED} tokens: {largest(whole[:, :length], part)}")


CLAIMS = (nothing_within_training, changes_something, repeatable, nothing_left, no_look_ahead)
"""In the order in which they are checked."""
