"""Rank methods from records: leaderboard.csv, tasks.csv, runs.csv, curves.csv, slices.csv, learning.csv, warnings.csv;
length curves, heat maps and learning curves as PNG and SVG. Views of it are printed, and written with --output.
With --page, all of it as one HTML page.
"""

import argparse
import gc
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import atomic
from harness.commands import verify
from harness.composition.arguments import Parser, folders_and_filters, path
from harness.errors import Refused, counted
from harness.files import user_paths
from harness.progress import fitted
from harness.results import already_made, readers
from harness.system import beside

if TYPE_CHECKING:
    from concurrent.futures import Executor

    import pandas as pd

    from harness.figures.long_tables import Made
    from harness.results.frames import Frames
    from harness.results.views import View

FORMATS = ("csv", "parquet", "markdown", "latex")
TABLES = ("leaderboard", "tasks", "runs", "curves", "warnings", "slices", "learning")
"""The tables of a folder, in the order in which they are named."""
LONG_TABLES = ("harness.figures.long_tables", "make")
"""What makes those with rows for every length, slice and look."""
DRAWING = ("matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_svg")
"""What it loads when it has something to draw, as it has of new records."""


def main(arguments: list[str]) -> int:
    parsed = _parser().read(arguments)
    folders, filters = folders_and_filters(parsed.words)
    if parsed.verify and not verify.passes(folders):
        return 1
    many = readers.are_many(folders)
    new = many and readers.are_new(folders)
    with readers.started(new) as pool:
        source = _source(parsed, folders, filters)
        if source is not None and source.printed is not None:
            print(source.printed, end="")
            return 0
        wanted = many and _plain(parsed, filters)
        with beside.started(*LONG_TABLES, wanted=wanted, needing=DRAWING if new else ()) as other:
            return _tables(parsed, folders, filters, source, pool, other)


def _tables(
    parsed: argparse.Namespace,
    folders: Sequence[Path],
    filters: Sequence[str],
    source: already_made.Source | None,
    pool: "Executor | None",
    other: beside.Beside,
) -> int:
    """Print or write what was asked for."""
    from harness.results import measures, publishing, tables, views
    from harness.results.warnings import table as warnings

    view = _view(parsed)
    output, kind = _output(parsed)
    to_file = output is not None and bool(output.suffix) and kind is not None and not output.is_dir()
    to_terminal = output is None and bool(parsed.format or filters or parsed.suite or not view.plain)
    folder = output or folders[0]
    begun = not to_file and not to_terminal and view == views.PLAIN
    postponed: list[Callable[[], None]] = []

    def begin(named: "Frames") -> None:
        """Let the long tables of a folder be made."""
        if not parsed.replace:
            publishing.check(folder, found, folders)
        user_paths.make_folder(folder / "figures", f"--output {folder}")
        other.start(named._replace(tasks={}, methods={}), folder, kind or "csv", parsed.style)  # they have names

    try:
        found = _read(folders, filters, parsed.suite, source, pool, postponed)
        gc.freeze()  # what was read is kept to the end, so nothing of it need be looked at for garbage
        named = tables.prepared(found)
        if begun:
            begin(named)
    finally:
        for keep in postponed:
            keep()
    named = measures.measured(named)
    board = tables.leaderboard(named)
    views.check(view, board)
    if to_terminal:
        if parsed.format == "parquet":
            raise Refused("--format parquet is nothing to print: say --output FILE.parquet, or a folder")
        print(_rendered(parsed.format, named, board, view), end="")
        if parsed.format is None:
            for line in warnings.lines(warnings.table(named)):
                print(fitted(line))
        _page(found, folders, parsed.page)
        return 0
    if to_file:
        assert output is not None
        assert kind is not None
        user_paths.make_folder(output.parent, f"--output {output}")
        if output.exists() and not parsed.replace:
            publishing.check(output.parent, found, folders)
        atomic.write(output, _rendered(kind, named, board, view))
        print(output)
        _page(found, folders, parsed.page)
        return 0
    if not view.plain:
        raise Refused("--columns, --sort, --group and --pivot make one table: name a file for it, --output table.csv")
    if not begun:
        begin(named)
    with already_made.heard() as printed:
        made = _write(folder, named, found, board, kind or "csv", other)
    if source is not None and source.files == found.runs.record.nunique():  # nothing was refused or left out
        already_made.keep(source, folder, made, "".join(printed))
    _page(found, folders, parsed.page)
    return 0


def _parser() -> Parser:
    parser = Parser(prog="python -m harness leaderboard", description=__doc__)
    parser.add_records()
    parser.add_argument("--suite", help="only the tasks of a suite, such as core, or of a file with one")
    parser.add_argument("--columns", help="columns of leaderboard.csv to show: method,score,parameters")
    parser.add_argument("--sort", help="columns to sort by: 'score desc, method'")
    parser.add_argument("--group", help="columns whose values have a table each: family,task")
    parser.add_argument("--pivot", help="one axis against another: task,method")
    parser.add_argument("--value", default="score", help="the column in the cells of --pivot (default: score)")
    parser.add_argument(
        "--format", choices=FORMATS, help="default: as the ending of --output FILE says; csv for folders"
    )
    parser.add_argument("--output", type=path, help="folder or file to write to (default: the first folder)")
    parser.add_argument(
        "--page", type=path, help="HTML file to write: all of it in one page, to be opened in a browser"
    )
    parser.add_argument("--style", choices=("paper", "slides"), default="paper", help="the size of figures")
    parser.add_argument("--verify", action="store_true", help="verify the records first; table nothing if one is bad")
    parser.add_argument("--replace", action="store_true", help="replace tables that a folder has of its own records")
    return parser


def _source(parsed: argparse.Namespace, folders: Sequence[Path], filters: Sequence[str]) -> already_made.Source | None:
    """All that the tables of a folder are made from; ``None`` where something else is asked for than all of them."""
    output = parsed.output or folders[0]
    if parsed.page or not _plain(parsed, filters):
        return None
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    return already_made.source(f"{parsed.style} {parsed.replace} {width}", folders, output)


def _plain(parsed: argparse.Namespace, filters: Sequence[str]) -> bool:
    """Whether the tables of a folder are asked for, of all records."""
    views = (parsed.suite, parsed.columns, parsed.sort, parsed.group, parsed.pivot, parsed.format)
    return not (filters or any(views)) and (parsed.output is None or parsed.output.is_dir() or not parsed.output.suffix)


def _view(parsed: argparse.Namespace) -> "View":
    from harness.results.views import View, sort_keys, words

    columns, groups, pivot = (words(text) for text in (parsed.columns, parsed.group, parsed.pivot))
    return View(columns, sort_keys(parsed.sort), groups, pivot, parsed.value)


def _page(found: "Frames", folders: Sequence[Path], place: Path | None) -> None:
    """Write the page, if one is wanted."""
    if place is not None:
        from harness.page import writing

        writing.write(found, folders, place)
        print(place)


def _output(parsed: argparse.Namespace) -> tuple[Path | None, str | None]:
    """Where to write, and in which format, if either is said."""
    from harness.results import formats

    if parsed.output is None:
        return None, parsed.format
    kind = formats.of_file(parsed.output)
    if kind and parsed.format not in (None, kind):
        raise Refused(f"--output {parsed.output} is not --format {parsed.format}: say one of the two")
    return parsed.output, kind or parsed.format


def _read(
    folders: Sequence[Path],
    filters: Sequence[str],
    suite: str | None,
    source: already_made.Source | None,
    pool: "Executor | None",
    postponed: list[Callable[[], None]],
) -> "Frames":
    """The runs that were asked for. What is left out or strange is said on standard error."""
    from harness.results import collection, suites
    from harness.results import filters as asked

    found, rejected = collection.read(folders, source.listings if source else None, pool, postponed)
    if pool is not None:
        pool.shutdown(wait=False)  # tables need their memory
    for line in rejected:
        print(f"skipped {line}", file=sys.stderr)
    if not (found.runs.status == "finished").any():
        raise Refused(
            f"no finished record in {', '.join(map(str, folders))}: run something first, for example python -m harness"
        )
    if suite is not None:
        chosen = suites.chosen(found, suite)
        found = chosen.found
        for line in suites.remarks(chosen):
            print(line, file=sys.stderr)
    found, remarks = asked.applied(found, filters)
    for line in remarks:
        print(line, file=sys.stderr)
    return found


def _rendered(kind: str | None, found: "Frames", board: "pd.DataFrame", view: "View") -> str | bytes:
    """The view in a format; ``None`` is for a terminal."""
    from harness.results import formats, overall, printed_sheets, sheets, views
    from harness.results.latex import latex
    from harness.results.markdown import markdown

    if view.pivot:
        named = board.assign(method=overall.names_over_tasks(board))[board.kind == "method"]
        pivot = views.pivot(view, board, overall.ways(found, named))
        made = [sheets.pivot(pivot, view, intervals=kind is not None)]
        data = pivot.values.reset_index()
    else:
        board = views.rows(view, board)
        made = [*(sheets.page if kind else sheets.terminal)(board, view)]
        data = board[views.columns(view, board)]
    if kind in formats.DATA:
        return formats.DATA[kind](data)
    if kind is None:
        printed_sheets.show(made, chosen=bool(view.pivot or view.columns))
        return ""
    return {"markdown": markdown, "latex": latex}[kind](made)


def _write(
    output: Path,
    found: "Frames",
    read: "Frames",
    board: "pd.DataFrame",
    kind: str,
    other: beside.Beside,
) -> list[Path]:
    """Write all tables of prepared runs into a folder, but the long ones, which are being made, and print the
    leaderboard and what is to be said of all that was read. Return the files, figures too.
    """
    from harness.results import formats, printed_sheets, run_table, sheets, task_table
    from harness.results.views import PLAIN
    from harness.results.warnings import table as warnings

    warned = warnings.table(found)
    made = {"leaderboard": board}
    if kind in formats.DATA:
        runs = run_table.runs(found)
        made |= {"tasks": task_table.tasks(runs), "runs": runs, "warnings": warned}
    files = {name: output / f"{name}{formats.SUFFIXES[kind]}" for name in made}
    for name, table in made.items():
        if kind in formats.DATA:
            formats.write(files[name], kind, table)
        else:
            atomic.write(files[name], _rendered(kind, found, table, PLAIN))
    printed_sheets.show([*sheets.terminal(board, PLAIN)], chosen=False)
    for line in warnings.lines(warned):
        print(fitted(line))
    sealed = read.runs.drop_duplicates("record").sealed
    if unsealed := int((~sealed).sum()):
        which = f"{unsealed} of {counted(len(sealed), 'record')} {'has' if unsealed == 1 else 'have'}"
        print(f"{which} no seal, so later changes cannot be detected")
    long: Made = other.result()
    files |= long.files
    written = [files[name] for name in TABLES if name in files]
    print(f"{', '.join(map(str, written))} and {counted(len(long.pictures), 'figure')} in {output / 'figures'}")
    return [*written, *long.pictures]
