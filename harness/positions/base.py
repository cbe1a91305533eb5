"""The base of position rules."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple

import numpy as np

from harness.declarations.bounds import Bounded
from tasks.base import Task

NO_CHANNELS: Mapping[str, np.ndarray] = MappingProxyType({})
NO_MAXIMA: Mapping[str, int] = MappingProxyType({})


class Sequences(NamedTuple):
    """The sequences whose tokens need positions."""

    lengths: np.ndarray
    """How many tokens each has [N]."""
    width: int
    """How many places each has positions for, its own tokens first."""
    training: bool
    """Whether they are trained on or tested."""
    channels: Mapping[str, np.ndarray] = NO_CHANNELS
    """The numbers beside the tokens that the rule needs, [N, width] each, ``ABSENT`` (-1) where a token has none."""


class PositionRule(Bounded, ABC):
    """The position index that each token of a sequence receives, in training and in evaluation.

    A sequence has one position per token, the same for all layers, for queries and for keys, drawn once for prompt and
    answer together. The declarations are literals, because the validator reads some of them from the source.
    """

    consecutive: ClassVar[bool] = False
    """Whether positions always count up in steps of one, from wherever they start."""

    needs: ClassVar[tuple[str, ...]] = ()
    """The channels of a task (``Task.channels``) that it reads. A rule without any gives positions that rise from token
    to token.
    """

    fractional: ClassVar[bool] = False
    """Whether positions are float32 and may lie between integers; otherwise they are int64 and at least 0."""

    two_sided: bool = False
    """Whether positions reach as far below 0 as above it."""

    channels: ClassVar[int] = 1
    """Numbers that make a position: with more than one, positions are [N, width, channels]."""

    scope: Literal["example", "batch"] = "example"
    """Whether every example has a draw of its own or a call of :meth:`sample` makes one for all: then training calls it
    once for every batch, for all processes the same, and evaluation once for all examples of a length. A rule of scope
    ``batch`` cannot need channels.
    """

    @abstractmethod
    def sample(self, rng: np.random.Generator, sequences: Sequences) -> np.ndarray:
        """Positions of sequences [N, width], or [1, width] where all have the same; ``rng`` is all that is random.

        Beyond a sequence's own tokens, up to ``width``, positions are arbitrary but must not pass those of
        :meth:`largest`.
        """

    def maximum_position(self, task: Task, length: int, tokens: int, *, training: bool) -> int:
        """The largest position that a token of an example of ``length``, of this many tokens, can receive."""
        return max(self.maximum_positions(task, length, tokens, training=training))

    def maximum_positions(self, task: Task, length: int, tokens: int, *, training: bool) -> tuple[int, ...]:
        """:meth:`maximum_position` for each of the numbers of a position."""
        maxima = {channel: task.channel_maximum(channel, length) for channel in self.needs}
        return self.largest_each(tokens, training=training, maxima=maxima)

    @abstractmethod
    def largest(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> int:
        """The largest position, rounded up, that a sequence of this many tokens can receive, where the channels that it
        needs hold numbers up to ``maxima``.

        Raises :class:`ValueError` if the rule has no positions for that many tokens.
        """

    def largest_each(self, tokens: int, *, training: bool, maxima: Mapping[str, int] = NO_MAXIMA) -> tuple[int, ...]:
        """:meth:`largest` for each of the numbers of a position, where they differ."""
        return (self.largest(tokens, training=training, maxima=maxima),) * self.channels
