"""Writes the columns of long tables as text, each distinct value once: a table of a million rows has few names, and
many of its numbers are equal.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd


class Written(NamedTuple):
    """A column as text: in row n stands ``texts[codes[n]]``."""

    codes: np.ndarray
    texts: np.ndarray

    def rows(self, first: int = 0, end: int | None = None) -> list[str]:
        """The texts of the rows from the first one to before the end."""
        return self.texts[self.codes[first:end]].tolist()


def text(column: pd.Series, change: Callable[[str], str]) -> Written:
    """Text, changed, and anything else among it as Python writes it; empty where nothing is known."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _written(column.cat.codes.to_numpy(), map(change, map(str, column.cat.categories)))
    if pd.api.types.infer_dtype(column, skipna=True) != "string":  # 1, 1.0 and True are equal and not the same
        cells = column.astype(object).where(column.notna(), "")
        return _written(
            np.arange(len(column)), (change(cell) if isinstance(cell, str) else str(cell) for cell in cells)
        )
    codes, values = pd.factorize(column.to_numpy(object), use_na_sentinel=True)
    return _written(codes, map(change, values))


def whole(column: pd.Series) -> Written:
    """Integers with all their digits and truth values, empty where unknown."""
    codes, values = pd.factorize(column, use_na_sentinel=True)
    return _written(codes, map(str, values.tolist()))


def numbers(column: pd.Series) -> Written:
    """Numbers with six digits, empty where unknown."""
    codes, bits = pd.factorize(column.to_numpy(np.float64).view(np.int64))  # zero and minus zero are equal
    return _written(codes, ("" if n != n else f"{n:.6g}" for n in bits.view(np.float64).tolist()))


def _written(codes: np.ndarray, texts: Any) -> Written:
    """``codes`` are -1 where nothing is known, which is the last of the texts."""
    return Written(codes, np.array([*texts, ""], object))
