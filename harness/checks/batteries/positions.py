"""Every position rule keeps what a rule promises."""

from typing import NamedTuple

import numpy as np

from harness.checks.claims import DoesNotApply, require
from harness.checks.tried import Tried
from harness.positions.base import PositionRule, Sequences
from tasks.base import ABSENT


class Subject(NamedTuple):
    """A position rule."""

    rule: PositionRule


def subject(tried: Tried) -> Subject:
    """The position rule of a choice."""
    return Subject(tried.component_class()(**tried.component().options))


def as_declared(rule: PositionRule, lengths: list[int], extra: int, seed: int, *, training: bool) -> None:
    """Raise :class:`Failed` unless the positions of sequences of these lengths, with so much padding behind the
    longest, are what the rule declares, in range, and the same from the same generator.
    """
    width = max(lengths) + extra
    some = np.random.default_rng(seed + 1).integers(ABSENT, 39, (len(lengths), width))
    channels = {channel: np.roll(some, shift, axis=1) for shift, channel in enumerate(rule.needs)}
    maxima = {channel: int(numbers.max()) for channel, numbers in channels.items()}

    def draw() -> np.ndarray:
        rng = np.random.default_rng(seed)
        return rule.sample(rng, Sequences(np.array(lengths), width, training=training, channels=channels))

    positions, where = draw(), f"lengths {lengths}, width {width}, {'training' if training else 'evaluation'}: "
    require(np.array_equal(positions, draw()), f"{where}the same generator gave others")
    wanted = (width,) if rule.channels == 1 else (width, rule.channels)
    require(positions.shape[1:] == wanted, f"{where}shape {positions.shape}, and after the first it should be {wanted}")
    require(len(positions) in (1, len(lengths)), f"{where}{len(positions)} rows for {len(lengths)} sequences")
    kind = np.float32 if rule.fractional else np.int64
    require(positions.dtype == kind, f"{where}{positions.dtype} instead of {kind.__name__}")
    require(rule.fractional or positions.min() >= 0, f"{where}position {positions.min()}")
    most = max(rule.largest(n, training=training, maxima=maxima) for n in (width, max(lengths)))
    require(positions.max() <= most, f"{where}position {positions.max()}, and largest says {most}")
    for row, length in enumerate(lengths):
        own = positions[row if len(positions) > 1 else 0, :length]
        if rule.consecutive:
            require((np.diff(own) == 1).all(), f"{where}consecutive is true, and the positions are {own[:9]}")
        elif not rule.needs:
            rises = (np.diff(own) >= 0).all() if rule.fractional else (np.diff(own) > 0).all()
            require(rises, f"{where}they do not rise from token to token: {own[:9]}")


def are_as_declared(subject: Subject) -> str:
    """Positions are what it declares, within its largest, and the same from the same generator"""
    rng, count = np.random.default_rng(0), 60
    for seed in range(count):
        lengths = rng.integers(1, 81, size=rng.integers(1, 13)).tolist()
        as_declared(subject.rule, lengths, int(rng.integers(10)), seed, training=bool(seed % 2))
    return f"{count} draws"


def channels_decide(subject: Subject) -> str:
    """Tokens with the same numbers of a channel have the same position, others another"""
    rule = _with_channels(subject)
    numbers = np.array([[ABSENT, 3, 1, 2, 3, 1, ABSENT]])
    for training in (True, False):
        sequences = Sequences(np.array([7]), 7, training=training, channels=dict.fromkeys(rule.needs, numbers))
        positions = rule.sample(np.random.default_rng(0), sequences)[0]
        same = (positions[:, None] == positions[None]).reshape(7, 7, -1).all(axis=2)
        require(np.array_equal(same, numbers[0][:, None] == numbers[0]), f"{numbers[0]} became {positions.tolist()}")
    return ", ".join(rule.needs)


def refuses_too_many(subject: Subject) -> str:
    """Too many tokens are refused with a reason, or have positions"""
    rule = subject.rule
    try:
        most = rule.largest(100_000, training=True, maxima=dict.fromkeys(rule.needs, 5))
    except ValueError as error:
        require(str(error), "the error says nothing")
        return str(error)
    return f"up to {most} for 100,000"


def _with_channels(subject: Subject) -> PositionRule:
    if not subject.rule.needs:
        raise DoesNotApply("it reads no channel")
    return subject.rule


CLAIMS = (are_as_declared, channels_decide, refuses_too_many)
"""In the order in which they are checked."""
