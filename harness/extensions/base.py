"""The base of test-time extensions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from harness.declarations.bounds import Bounded

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Extension(Bounded, ABC):
    """Changes an encoding, after training, for sequences of a declared length.

    Every extension that a run lists is evaluated on the same weights and has scores of its own. Nothing here needs
    PyTorch to be imported.
    """

    needs: ClassVar[str] = ""
    """What it changes, one of what encodings offer (``Encoding.offers``); empty if it works with all."""

    modes: ClassVar[tuple[str, ...]] = ("causal", "bidirectional", "cross", "grid")
    """The kinds of attention (``Model.mode``) in which it changes anything."""

    counts_tokens: ClassVar[bool] = False
    """Whether it counts tokens by their positions, which must then rise from token to token."""

    truncates: ClassVar[bool] = False
    """Whether the model reads no more tokens than training sequences have, from the first position on
    (:mod:`harness.evaluation.truncation`).
    """

    trains: ClassVar[bool] = False
    """Whether weights can be trained with it (``train_extension``): it changes constants of the encoding that it is
    given, nothing that is learned, and puts nothing around it.
    """

    factor: float = 0.0
    """The scale that a user has fixed, of extensions that have one; 0: it follows from the lengths."""

    def alters(self, train_tokens: int, test_tokens: int) -> bool:
        """Whether it changes anything where weights trained on so many tokens are trained further on so many."""
        return test_tokens > train_tokens or self.factor > 0

    def longest(self, known: int | None, train_tokens: int) -> int | None:
        """How many positions an encoding with ``known`` positions has under this extension; ``None``: no limit."""
        return known

    def objection_to(self, pairs: int | None, train_tokens: int, test_tokens: int) -> str:
        """What speaks against extending an encoding of so many frequencies (``None``: not known yet) from training to
        tests of so many tokens; empty if nothing does. It is asked before anything is trained.
        """
        return ""

    @abstractmethod
    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        """Fit ``encoding``, a copy that belongs to the caller, to sequences of ``test_tokens`` tokens: the same object,
        changed, or one around it (:class:`~harness.extensions.wrapper.Wrapper`).

        ``train_tokens`` is the longest training sequence. It is called only for ``test_tokens > train_tokens``: within
        the training length every extension leaves the model as it was trained.
        """
