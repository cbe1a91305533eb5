"""The output of a finished run: a table and a verdict, or one table of all extensions, then remarks."""

import math
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import counted
from harness.progress import fitted
from harness.results import extension_table, length_curve, metrics, trained_lengths, wide_tables
from harness.results.metrics import Summary
from harness.results.records import Record
from harness.results.statistics.shares import wilson
from harness.results.titles import title
from harness.results.wide_tables import Column

NOTABLE = 0.05
"""Above this exact match of the blind predictor, or this share of test examples with the same prompt, a remark is
printed.
"""

FEW = 0.75
"""The share of distinct prompts among the test examples below which a remark is printed."""


def print_report(record: Record) -> None:
    """Print a finished run's table and verdict; of several extensions one table together."""
    if len(extensions := metrics.summaries(record)) > 1:
        _print_together(record, [summary.name for summary in extensions])
    else:
        _print_alone(record)
    for line in [*_origin(record), *remarks(record)]:
        print(fitted(line))


def _print_together(record: Record, extensions: Sequence[str]) -> None:
    heading = "\n".join(title(record.config, f"{len(extensions)} extensions"))
    measured = f"{extension_table.MEASURED[record.task.metric]}, 95 % interval"
    for part in extension_table.by_length(record):
        table(f"{heading}\n{measured}" if heading else measured, part.columns, part.rows)
        heading = ""
    summary = extension_table.overview(record)
    table(f"beyond length {record.train_length}, means over lengths", summary.columns, summary.rows, left=1)
    for line in [*extension_table.unconverged(record), *extension_table.novelty(record)]:
        print(fitted(line))


def _print_alone(record: Record) -> None:
    text = record.task.metric == "bits_per_byte"
    for summary in metrics.summaries(record):
        heading = "\n".join(title(record.config, summary.name))
        table(heading, TEXT_COLUMNS if text else _columns(record), _rows(record, summary.name, text))
        for line in length_curve.shown(record, summary.name):
            print(line)
        print(fitted(verdict(record, summary)))
        for line in record.novelty.get(summary.name, []):
            print(fitted(f"never trained, but needed at length {record.scores[-1].length}: {line}"))


def _origin(record: Record) -> list[str]:
    """Where the initial weights come from, if they were not drawn, and what changed before they were trained."""
    science: dict[str, Any] = record.science
    training = science["training"]
    if "weights_from" not in training:
        return []
    said, extension = training["weights_from"], training.get("train_extension")
    tokens = f"trained on up to {said['tokens']} tokens"
    origin: Any = record.config.get("weights_from")
    weights = (
        f"{said['training']} ({counted(origin['steps'], 'step')}, lengths up to {origin['length']})"
        if said.get("training")
        else "the saved network"
    )
    options = " ".join(f"{key}={value}" for key, value in extension["options"].items()) if extension else ""
    how = f", extended with {extension['name']}{f' ({options})' if options else ''}" if extension else ""
    return [f"initial weights from {weights}, {tokens}{how}"]


def remarks(record: Record) -> list[str]:
    """Caveats to the scores: trivial baselines that score well, test examples that occur in the training data, and
    repeated test examples.
    """
    lines = []
    for summary in metrics.baselines(record):
        if summary.name.startswith("shortcut") or (summary.name == "blind" and summary.exact_match >= NOTABLE):
            far = f"exact match {summary.exact_match:.3f}, token accuracy {summary.token_accuracy:.3f}"
            lines.append(
                f"trivial baseline, {_baseline_label(summary.name)}: {far} beyond length {record.train_length}"
            )
    if record.cost and record.cost.receptive_field and record.tests:
        longest = max(row.longest for row in record.tests)
        field = record.cost.receptive_field
        lines.append(f"the receptive field is {field} tokens, the longest test example has {longest}")
    known = [row for row in record.tests if row.in_training]
    if known:
        worst = max(known, key=lambda row: (row.in_training or 0) / row.examples)
        found, tested = sum(row.in_training or 0 for row in known), sum(row.examples for row in known)
        lengths = (
            "length " + str(worst.length) if len(known) == 1 else f"lengths {known[0].length} to {known[-1].length}"
        )
        most = "" if len(known) == 1 else f", most at length {worst.length}: {worst.in_training} of {worst.examples}"
        lines.append(f"{found} of {tested} test examples at {lengths} occur in the training data{most}")
    return [*lines, *_repetitions(record)]


def _baseline_label(baseline: str) -> str:
    kind, _, which = baseline.partition(" ")
    return f'{kind} "{which}"' if which else kind


def _repetitions(record: Record) -> list[str]:
    """A remark where few prompts make up the test examples of a length, at the training length or beyond: the answer to
    one of them is then a large part of the score. At shorter lengths there are few strings anyway.
    """
    notable = [
        (row, row.different, row.most_frequent)
        for row in record.tests
        if row.length >= record.train_length and row.different is not None and row.most_frequent is not None
        if row.different < FEW * row.examples or row.most_frequent > max(1, NOTABLE * row.examples)
    ]
    if not notable:
        return []
    notable = [found for found in notable if found[0].length > record.train_length] or notable
    few, different, _ = min(notable, key=lambda found: found[1] / found[0].examples)
    same, _, often = max(notable, key=lambda found: found[2] / found[0].examples)
    return [
        f"test examples repeat: at length {few.length} only {different} of {few.examples} are distinct; at length "
        f"{same.length} one prompt makes up {often} of {same.examples}, {often / same.examples:.0%} of the score"
    ]


def verdict(record: Record, summary: Summary) -> str:
    """One line that sums up an extension's scores."""
    return " · ".join(verdict_parts(record, summary))


def verdict_parts(record: Record, summary: Summary) -> list[str]:
    """The parts of :func:`verdict`, each of which fits a line of 80 columns."""
    beyond = f"beyond length {record.train_length}"
    if record.task.metric == "bits_per_byte":
        rows = [row for row in record.scores if row.extension == summary.name]
        at_training = next((metrics.bits(row) for row in rows if row.length == record.train_length), math.nan)
        best = min(rows, key=metrics.bits)
        return [
            f"bits per byte: {at_training:.3f} at the training length, {summary.bits:.3f} on average {beyond}; "
            f"lowest {metrics.bits(best):.3f} at {best.length}"
        ]
    measured = record.task.metric.replace("_", " ")
    parts = [
        f"reach {summary.reach} ({summary.reach_multiple:.2g}x the training length)",
        f"{beyond}: exact match {summary.exact_match:.3f}, token accuracy {summary.token_accuracy:.3f}",
    ]
    if summary.in_distribution < metrics.CONVERGED:
        parts.append(f"NOT CONVERGED: {measured} {summary.in_distribution:.3f} up to that length")
    return parts


def table(heading: str, columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 0, keys: int = 1) -> None:
    """Print a table: with rules on a terminal, with columns separated by spaces elsewhere. The first ``left`` columns
    are text and begin below each other; numbers end there. Where a terminal is too narrow, the widest column goes on in
    the next line, or the table is printed as several, each with the first ``keys`` columns, which say what a row is.
    """
    if sys.stdout.isatty():
        print(heading)  # as a title it would be wrapped to the width of the table
        widths = _narrowest(columns, rows, shutil.get_terminal_size().columns)
        if widths is not None:
            _ruled(columns, rows, left, widths)
            return
        cells = [Column(head, [row[number] for row in rows]) for number, head in enumerate(columns)]
        for number, part in enumerate(wide_tables.parts(cells[:keys], cells[keys:], [])):
            if number:
                print()
            _ruled(part.columns, part.rows, left, {})
        return
    widths_there = [max(len(cell) for cell in cells) for cells in zip(columns, *rows, strict=True)]
    print(heading)
    for row in (columns, *rows):
        aligned = [
            cell.ljust(width) if number < left else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths_there, strict=True))
        ]
        print("  ".join(aligned).rstrip())


def _ruled(columns: Sequence[str], rows: Sequence[Sequence[str]], left: int, widths: Mapping[int, int]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text  # plain strings would be read for markup

    ruled = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),  # two blanks between columns, as elsewhere
    )
    for number, column in enumerate(columns):
        ruled.add_column(
            Text(column), justify="left" if number < left else "right", overflow="fold", width=widths.get(number)
        )
    for row in rows:
        ruled.add_row(*map(Text, row))
    Console().print(ruled)


def _narrowest(columns: Sequence[str], rows: Sequence[Sequence[str]], room: int) -> dict[int, int] | None:
    """The widths of the columns that stay as wide as their cells so that the widest one alone gives way: none where the
    table has room as it is, ``None`` where that one would become narrower than another.
    """
    cells = [max((len(row[number]) for row in rows), default=0) for number in range(len(columns))]
    words = [max(width, *map(len, column.split() or [""])) for width, column in zip(cells, columns, strict=True)]
    gaps = 2 * (len(columns) - 1)
    if sum(max(pair) for pair in zip(cells, map(len, columns), strict=True)) + gaps <= room:
        return {}
    widest = words.index(max(words))
    kept = {number: width for number, width in enumerate(words) if number != widest}
    return kept if room - gaps - sum(kept.values()) >= min(words[widest], max(kept.values(), default=0)) else None


def _ends_apart(record: Record) -> bool:
    """Whether answers end with a token that is scored, and whose scores are known separately."""
    return any(row.ends for row in record.scores) and all(row.ends is not None for row in record.blind)


def _columns(record: Record) -> list[str]:
    """Columns that fit 80 characters."""
    ends = ["no end"] if _ends_apart(record) else []
    return ["length", "exact match", "95 % interval", "given length", "tokens", *ends, "blind", "in/out"]


TEXT_COLUMNS = ("length", "bits per byte", "95 % interval", "tokens", "blind", "blind tokens", "in/out")


def _rows(record: Record, extension: str, text: bool) -> list[list[str]]:
    blind = {row.length: metrics.rate(row) for row in record.blind}
    rows = []
    for row in record.scores:
        if row.extension == extension:
            own, base = metrics.rate(row), blind[row.length]
            if text:
                interval = metrics.bits_interval(record, extension, row.length)
                before, after = [own.bits], [own.token_accuracy, base.bits, base.token_accuracy]
            else:
                interval = wilson(row.exact, row.examples)
                ends = [own.without_ends] if _ends_apart(record) else []
                before = [own.exact_match]
                after = [own.exact_given_length, own.token_accuracy, *ends, metrics.metric(base, record.task.metric)]
            where = trained_lengths.distribution(record, row.length)
            rows.append([str(row.length), *map(_cell, before), _interval(*interval), *map(_cell, after), where])
    return rows


def _cell(number: float) -> str:
    return "" if math.isnan(number) else f"{number:.3f}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"{low:.3f}-{high:.3f}"
