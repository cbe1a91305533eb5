"""What a person sees of a run when it is done."""

import math
import sys
from collections.abc import Sequence

from harness import scores
from harness.records import Record
from harness.scores import Summary


def printed(record: Record) -> None:
    """Print a finished run's table and verdict for each extension."""
    text = record.task.metric == "bits_per_byte"
    for summary in scores.summaries(record):
        title = f"{record.choice('task')} · {record.choice('encoding')} · {summary.extension}"
        table(title, _text_columns() if text else _columns(), _rows(record, summary.extension, text))
        print(verdict(record, summary))
        for line in record.novelty.get(summary.extension, []):
            print(f"never trained, but met at length {record.scores[-1].length}: {line}")


def verdict(record: Record, summary: Summary) -> str:
    """One line that answers the question."""
    beyond = f"beyond length {record.train_length}"
    if record.task.metric == "bits_per_byte":
        rows = [row for row in record.scores if row.extension == summary.extension]
        at_training = next((scores.bits(row) for row in rows if row.length == record.train_length), math.nan)
        best = min(rows, key=scores.bits)
        return (
            f"bits per byte: {at_training:.3f} at the training length, {summary.bits:.3f} on average {beyond}; "
            f"lowest {scores.bits(best):.3f} at {best.length}"
        )
    warning = (
        ""
        if summary.in_distribution >= scores.CONVERGED
        else f" · NOT CONVERGED: exact match up to there {summary.in_distribution:.3f}"
    )
    return (
        f"reach {summary.reach} ({summary.reach_multiple:.2g}x the training length) · "
        f"{beyond}: exact match {summary.exact_match:.3f}, token accuracy {summary.token_accuracy:.3f}{warning}"
    )


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: ruled on a terminal, columns apart by spaces elsewhere."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table

        drawn = Table(title=title, title_justify="left", show_edge=False)
        for column in columns:
            drawn.add_column(column, justify="right")
        for row in rows:
            drawn.add_row(*row)
        Console().print(drawn)
        return
    widths = [max(len(cell) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    print(title)
    for row in (columns, *rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


def _columns() -> list[str]:
    return ["length", "exact match", "token accuracy", "blind exact", "blind token", "distribution"]


def _text_columns() -> list[str]:
    return ["length", "bits per byte", "token accuracy", "blind bits", "blind token", "distribution"]


def _rows(record: Record, extension: str, text: bool) -> list[list[str]]:
    blind = {row.length: row for row in record.blind}
    first = scores.bits if text else scores.exact_match
    rows = []
    for row in record.scores:
        if row.extension == extension:
            numbers = (
                first(row),
                scores.token_accuracy(row),
                first(blind[row.length]),
                scores.token_accuracy(blind[row.length]),
            )
            rows.append(
                [
                    str(row.length),
                    *(f"{number:.3f}" for number in numbers),
                    "in" if row.length <= record.train_length else "out",
                ]
            )
    return rows
