"""The kinds of files that a table can be written to."""

import io
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from harness import atomic
from harness.errors import Refused
from harness.files.escaping import escape
from harness.results.csv_files import Repeated, csv, portions

SUFFIXES = {"csv": ".csv", "parquet": ".parquet", "markdown": ".md", "latex": ".tex"}


def of_file(path: Path) -> str | None:
    """The format that the name of a file says; ``None`` for a name without an ending, as of a folder. Raises
    :class:`Refused` for another ending.
    """
    kinds = {suffix: name for name, suffix in SUFFIXES.items()}
    if path.is_dir() or not path.suffix:
        return None
    if path.suffix.lower() not in kinds:
        raise Refused(f"--output {path}: a file ends in {', '.join(kinds)}; a folder has to be there, or has no ending")
    return kinds[path.suffix.lower()]


def parquet(table: pd.DataFrame) -> bytes:
    """A table as Parquet, with the columns of the CSV file and its text as it is. Raises :class:`Refused` without
    pyarrow.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise Refused(
            "Parquet needs pyarrow, which is not installed: pip install 'length-generalization-harness[parquet]'"
        ) from error
    columns = {}
    for name, column in table.items():
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.astype(object)
        if column.dtype == object or pd.api.types.is_string_dtype(column):
            columns[name] = _mixed(column)
        else:
            columns[name] = column
    content = io.BytesIO()
    pd.DataFrame(columns).to_parquet(content, engine="pyarrow", index=False)
    return content.getvalue()


def _mixed(column: pd.Series) -> pd.Series:
    """A column of text, or of truth values of which some are unknown."""
    known = column.dropna()
    if len(known) and known.map(lambda value: isinstance(value, bool)).all():
        return column.astype("boolean")
    return column.map(lambda value: escape(value) if isinstance(value, str) else None).astype("string")


DATA: dict[str, Callable[[pd.DataFrame], bytes | str]] = {"csv": csv, "parquet": parquet}
"""The formats that hold tables as data, for programs; the others are for reading."""


def write(path: Path, kind: str, table: pd.DataFrame, repeated: Repeated | None = None) -> None:
    """Write a table in one of :data:`DATA`, CSV some rows at a time, and sooner where it is said what is repeated."""
    with atomic.writing(path) as file:
        if kind == "csv":
            file.writelines(portion.encode() for portion in portions(table, repeated))
        else:
            file.write(DATA[kind](table))  # type: ignore[arg-type]
