"""Compare the records of a study with its published results: agree, differ or cannot tell; comparison.csv, a page."""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

from harness import atomic
from harness.composition.arguments import Parser, existing, path
from harness.composition.comparing import compare
from harness.composition.compose import composer
from harness.composition.studies import BUDGET
from harness.config import study as studies
from harness.config.study import SCORES, Study
from harness.errors import Refused, counted, unknown
from harness.files import user_paths
from harness.results import records
from harness.results.comparison import Comparison, Mean, with_reason
from harness.results.statements import judged
from harness.results.wide_tables import with_interval

COLUMNS = ("task", "method", "lengths", "runs", "learned", "ours", "theirs", "difference", "verdict")
PUBLISHED = ("theirs", "difference", "verdict")
"""The columns that a page leaves out where nothing is published."""
STATED = ("statement", "published", "ours", "verdict")


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness study", description=__doc__)
    parser.add_argument("name", help="a study, such as huang2025")
    parser.add_record_folders()
    parser.add_argument("--budget", default=BUDGET, help=f"the budget whose runs are compared (default: {BUDGET})")
    parser.add_argument("--output", type=path, help="folder to write to (default: the first folder)")
    parser.add_argument("--page", type=path, help="also write a page in Markdown, such as docs/huang2025.md")
    parsed = parser.read(arguments)
    declared = studies.read(parsed.name)
    if not declared.bands:
        raise Refused(
            f"study={parsed.name} has neither published results to compare with nor statements to judge: "
            f"python -m harness leaderboard {' '.join(map(str, parsed.folders))} makes its tables"
        )
    if parsed.budget not in declared.budgets:
        raise unknown("budget", parsed.budget, list(declared.budgets), "budgets")
    folders = existing(parsed.folders)
    found, rejected = records.read_all(folders)
    for line in rejected:
        print(f"skipped {line}")
    known = {record.name: record for record in found if record.status == "finished"}
    with composer() as hydra:
        rows, done, wanted = compare(hydra, declared, parsed.budget, known)
    if not done:
        raise Refused(
            f"none of the {wanted} runs of study={parsed.name} study.budget={parsed.budget} has a finished record in "
            f"{', '.join(map(str, folders))}: python -m harness study={parsed.name} study.budget={parsed.budget}"
        )
    from harness.results.report import table

    print(f"{declared.title}\n{declared.source}")
    print(f"budget {parsed.budget}: {done} of {wanted} runs are done\n")
    table(_heading(declared), COLUMNS, _cells(rows, brief=sys.stdout.isatty()), keys=3)
    if declared.statements:
        print()
        table("statements", STATED, _statements(declared, rows), left=1)
    output = parsed.output or folders[0]
    user_paths.make_folder(output, f"--output {output}")
    _write_csv(output / "comparison.csv", parsed.name, parsed.budget, rows)
    print(f"\n{output / 'comparison.csv'}")
    if parsed.page:
        user_paths.make_folder(parsed.page.parent, f"--page {parsed.page}")
        atomic.write(parsed.page, _page(parsed.name, declared, parsed.budget, rows, done, wanted))
        print(parsed.page)
    return 0


def _score(declared: Study) -> str:
    """The score of a study, and of the tasks that have another."""
    others = [f"{SCORES[own.score]} of {task}" for task, own in declared.tasks.items() if own.score]
    return SCORES[declared.score] + (f" ({', '.join(others)})" if others else "")


def _heading(declared: Study) -> str:
    score = _score(declared)
    return (
        f"{score}, the best of the runs"
        if declared.reported == "best"
        else f"{score}, mean over runs with its 95 % interval"
    )


def _cells(rows: Sequence[Comparison], *, brief: bool = False) -> list[list[str]]:
    """The table's rows; ``brief``: with two digits of the ends of intervals, for a terminal."""
    return [
        [
            row.task,
            row.method,
            row.lengths,
            f"{row.ours.runs}/{row.wanted}",
            f"{row.learned}/{row.ours.runs}",
            _mean(row.ours, brief=brief),
            _mean(row.theirs, brief=brief),
            _difference(row, brief=brief),
            with_reason(row.verdict, row.reason),
        ]
        for row in rows
    ]


def _statements(declared: Study, rows: Sequence[Comparison]) -> list[list[str]]:
    lines = []
    for statement in declared.statements:
        row, verdict, reason = judged(statement, rows)
        doubt = " (from memory, unverified)" if statement.unverified else ""
        said = f"{row.task}, {row.method}, lengths {row.lengths}: {statement.says or statement.claim()}{doubt}"
        lines.append(
            [said, f"{row.theirs.value:.3f}" if row.theirs.runs else "-", _mean(row.ours), with_reason(verdict, reason)]
        )
    return lines


def _mean(side: Mean, *, brief: bool = False) -> str:
    if not side.runs:
        return "-"
    low, high = side.interval
    if brief:
        return with_interval(side.value, low, high)
    return f"{side.value:.3f}" + ("" if math.isnan(low) else f" ({low:.3f} to {high:.3f})")


def _difference(row: Comparison, *, brief: bool = False) -> str:
    value, low, high = row.difference
    if math.isnan(value):
        return "-"
    if brief:
        return with_interval(value, low, high, signed=True)
    return f"{value:+.3f}" + ("" if math.isnan(low) else f" ({low:+.3f} to {high:+.3f})")


def _write_csv(path: Path, study: str, budget: str, rows: Sequence[Comparison]) -> None:
    import pandas as pd

    from harness.results.csv_files import csv

    table = pd.DataFrame(
        {
            "study": study,
            "budget": budget,
            "task": row.task,
            "method": row.method,
            "band": row.band,
            "lengths": row.lengths,
            "score": row.score,
            "runs_wanted": row.wanted,
            "runs": row.ours.runs,
            "runs_learned": row.learned,
            "ours": row.ours.value,
            "ours_low": row.ours.interval[0],
            "ours_high": row.ours.interval[1],
            "theirs": row.theirs.value,
            "theirs_low": row.theirs.interval[0],
            "theirs_high": row.theirs.interval[1],
            "theirs_runs": row.theirs.runs,
            "difference": row.difference[0],
            "difference_low": row.difference[1],
            "difference_high": row.difference[2],
            "verdict": row.verdict,
            "reason": row.reason,
        }
        for row in rows
    )
    atomic.write(path, csv(table))


def _page(name: str, declared: Study, budget: str, rows: Sequence[Comparison], done: int, wanted: int) -> str:
    """The page of a study: what it is, how it is run, what came out, and what is not as published."""
    bands = zip(declared.bands, declared.budgets[budget].edges, strict=True)
    shown = [row for row in rows if row.ours.runs]
    left = len(rows) - len(shown)
    asked = f" --budget {budget}" if budget != BUDGET else ""
    columns = [name for name in COLUMNS if name not in PUBLISHED or any(row.theirs.runs for row in rows)]
    cells = [[cell for name, cell in zip(COLUMNS, line, strict=True) if name in columns] for line in _cells(shown)]
    lines = [
        f"# {name}",
        "",
        f"*{declared.title}.* {declared.source}.",
        "",
        f"This page is written by `python -m harness study {name} FOLDER{asked} --page FILE` from the records in "
        f"FOLDER and from `conf/study/{name}.yaml`, which declares the study. Each budget is run, or finished where it "
        "was interrupted, by one command:",
        "",
        *(f"    python -m harness study={name} study.budget={one}" for one in declared.budgets),
        "",
        "`study.tasks=[...]` and `study.methods=[...]` take a part of it.",
        "",
        f"## Budget {budget}: {done} of {wanted} runs are done",
        "",
        f"- Bands of lengths: {', '.join(f'{band} up to {edge}' for band, edge in bands)}"
        f"; published up to {', '.join(map(str, next(iter(declared.budgets.values())).edges))}.",
        *_judgement(declared, rows),
        f"- *Learned* counts runs that reach .99 at the lengths trained on{_unlearned(declared)}",
        "",
        *_markdown(columns, cells),
        *(["", f"{counted(left, 'row')} without a run {'is' if left == 1 else 'are'} left out."] if left else []),
    ]
    if declared.statements:
        lines += [
            "",
            "## What the study says",
            "",
            _agreement(declared),
            "",
            *_markdown(STATED, _statements(declared, rows)),
        ]
    if declared.deviations:
        lines += ["", "## Not as published", "", *(f"- {text}" for text in declared.deviations)]
    return "\n".join([*lines, ""])


def _judgement(declared: Study, rows: Sequence[Comparison]) -> list[str]:
    """How a cell is judged, in words, and how many there are of each verdict."""
    verdicts = [row.verdict for row in rows]
    in_all = ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in ("agree", "differ", "cannot tell"))
    if declared.reported == "best":
        scores = "of the run in which it is highest, because the published ones are the best of several"
        judged = (
            f"What counts is whether a score reaches {declared.solved:g}: one run that does suffices, and *differ* or "
            "*agree* where none does takes several that have learned the lengths trained on."
        )
    else:
        scores = "and then over runs, with 95 % intervals"
        judged = (
            "A difference is judged by its own interval (Welch's): *differ* if that excludes 0, *agree* if it includes "
            "0 and reaches no further than .1 from its middle, otherwise, or with fewer than two runs, *cannot tell*."
        )
    published = any(row.theirs.runs for row in rows)
    return [
        f"- Scores are the mean {_score(declared)} over the lengths of a band, {scores}.",
        f"- {judged} In all {in_all}." if published else "- There are no published scores to compare with.",
    ]


def _agreement(declared: Study) -> str:
    """When ours agree with a statement, in words."""
    if declared.reported == "best":
        return "Ours agree with a statement, or differ from it, by the best of the runs."
    return (
        "Ours *agree* with a statement if the whole interval is on its side of the bound, and *differ* if all of it is "
        "on the other."
    )


def _unlearned(declared: Study) -> str:
    if declared.reported == "best":
        return "."
    if declared.score == "bits":
        return ", or that were trained on text."
    return ". Of a cell that most runs have not learned, while theirs had, nothing is said beyond training."


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)]
