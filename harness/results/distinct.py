"""Changes the columns of long tables by their distinct values: a table of a million rows has few names, and many of its
numbers are equal.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd


def changed(column: pd.Series, change: Callable[[Any], Any]) -> pd.Series:
    """``column.map(change)``, with each distinct text changed once."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if pd.api.types.infer_dtype(column, skipna=True) != "string":  # 1, 1.0 and True are equal and not the same
        return column.map(change)
    codes, texts = pd.factorize(column.to_numpy(object), use_na_sentinel=True)
    found = np.array([*map(change, texts), None], object)
    return pd.Series(found[codes], column.index, dtype=object)


def numbers(column: pd.Series) -> pd.Series:
    """Numbers as text with six digits, empty where unknown."""
    codes, bits = pd.factorize(column.to_numpy(np.float64).view(np.int64))  # zero and minus zero are equal
    texts = ["" if number != number else f"{number:.6g}" for number in bits.view(np.float64).tolist()]
    return pd.Series(np.array([*texts, ""], object)[codes], column.index, dtype=object)
