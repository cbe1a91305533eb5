"""A learned table read as two digits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from harness.declarations.bounds import CountOrZero
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class Hierarchical(Extension):
    """Extends n learned rows P to ``n ** 2``: row i becomes ``alpha u[i // n] + (1 - alpha) u[i mod n]`` with
    ``u = (P - alpha P[0]) / (1 - alpha)``, which leaves the first n rows as they are.

    Su (2020, kexue.fm 7947), with its alpha of 0.4. There n is all rows of the table, and all are trained. Rows beyond
    the training length are not, so n is the number of tokens of the longest training sequence, or ``rows``.
    """

    needs = "table"

    def __init__(self, *, alpha: Annotated[float, Field(gt=0, lt=1)] = 0.4, rows: CountOrZero = 0) -> None:
        self.alpha = alpha
        self.rows = rows

    def longest(self, known: int | None, train_tokens: int) -> int | None:
        return None if known is None else min(self.rows or train_tokens, known) ** 2

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        from harness.extensions.two_digits import TwoDigits

        learned: Any = encoding
        rows = min(self.rows or train_tokens, learned.rows)
        learned.table = TwoDigits(learned.table.weight[learned.offset : learned.offset + rows], self.alpha)
        learned.rows, learned.offset = rows**2, 0
        return encoding
