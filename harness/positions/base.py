"""What a position rule is."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np


class PositionRule(ABC):
    """Says which position each token of a sequence is told, in training and in evaluation.

    A sequence has one position per token, the same for all layers, for queries and for keys, drawn once for prompt and
    answer together.
    """

    consecutive: ClassVar[bool]
    """Whether positions always count up in steps of one, from wherever they start."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, lengths: np.ndarray, width: int, *, training: bool) -> np.ndarray:
        """Positions of sequences with these numbers of tokens [N] -> [N, width], or [1, width] where all have the same,
        int64.

        Beyond a sequence's own tokens, up to ``width``, positions are arbitrary but must not pass those of
        :meth:`largest`.
        """

    @abstractmethod
    def largest(self, tokens: int, *, training: bool) -> int:
        """The largest position that a sequence of this many tokens can be told.

        Raises :class:`ValueError` if the rule has no positions for that many tokens.
        """
