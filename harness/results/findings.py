"""What is said by published studies, in statements, and what our records say of each."""

from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Literal, NamedTuple

from harness.config.study import Statement, Study
from harness.results.comparison import Comparison, difference
from harness.results.statements import Judged, as_published, judged

Verdict = Literal["agree", "differ", "cannot tell", "not run"]
VERDICTS: tuple[Verdict, ...] = ("agree", "differ", "cannot tell", "not run")

STUDY = "the study's results"
"""Where a statement stands that names no place of its own: in the source of its study."""

DERIVED = "derived: the interval of the published difference excludes 0"
"""Where a statement that nobody wrote down comes from."""


class Finding(NamedTuple):
    """A statement with its source, the scores that it is about, there and here, and the verdict with its reason."""

    statement: str
    source: str
    published: str
    ours: str
    verdict: Verdict
    reason: str
    about: tuple[str, str, str]
    """The task, the method and the band of lengths."""
    bound: float | None
    """What a score is said to be above or below."""


class Found(NamedTuple):
    """A finding and the budget whose runs it is about."""

    budget: str
    finding: Finding


def over_budgets(found: Mapping[str, Sequence[Finding]]) -> list[Found]:
    """Of every statement one finding, of the findings by budget in the order of the study, which begins with the
    published one: the first that agrees or differs, else the first of which there are runs, else the last. So what runs
    at the published budget conclude counts, whichever way it is, and smaller runs where those do not conclude.
    """
    chosen = []
    for findings_of_one in zip(*found.values(), strict=True):
        named = [Found(*pair) for pair in zip(found, findings_of_one, strict=True)]
        concluded = (one for one in named if one.finding.verdict in ("agree", "differ"))
        run = (one for one in named if one.finding.verdict != "not run")
        chosen.append(next(concluded, None) or next(run, named[-1]))
    return chosen


def findings(study: Study, rows: Sequence[Comparison]) -> list[Finding]:
    """What our records say of a study's statements, those declared and those derived from its published runs. Of cells
    that are not among ``rows`` nothing is derived.
    """
    published = as_published(rows)
    found = [_finding(study, one, rows, published, one.source or STUDY) for one in study.statements]
    return found + [_finding(study, one, rows, published, DERIVED) for one in derived(study, published)]


def derived(study: Study, published: Sequence[Comparison]) -> list[Statement]:
    """Of two methods on one task, in the first band beyond training, that one is better than the other, wherever the
    95 % interval of the published difference over runs excludes 0 and the study does not say it anyway.
    """
    if study.reported == "best":
        return []
    said = {(one.task, one.method, one.band, one.than) for one in study.statements}
    band = study.bands[1]
    at = [row for row in published if row.band == band and row.ours.runs > 1]
    return [
        Statement(task=one.task, method=one.method, band=band, than=other.method)
        for one, other in permutations(at, 2)
        if one.task == other.task
        and (one.task, one.method, band, other.method) not in said
        and difference(one.ours, other.ours)[1] > 0
    ]


def _finding(
    study: Study, statement: Statement, rows: Sequence[Comparison], published: Sequence[Comparison], source: str
) -> Finding:
    ours, theirs = judged(statement, rows), judged(statement, published)
    row = ours.row
    said = f"`{row.task}`, `{row.method}`, lengths {row.lengths}: {statement.claim()}"
    words = [source, *(["from memory, unverified"] if statement.unverified else [])]
    there = _shown(statement, theirs, published, "best of several" if study.reported == "best" else "1 run")
    if theirs.row.ours.runs > 1 and theirs.verdict != "agree":
        of_theirs = "these differ from it" if theirs.verdict == "differ" else "nothing can be told there"
        there += f"; by the same rule {of_theirs}"
    return Finding(
        f"{statement.says} ({said})" if statement.says else said,
        "; ".join(words),
        there,
        _shown(statement, ours, rows),
        "not run" if ours.reason == "not run" else ours.verdict,
        "" if ours.reason == "not run" else ours.reason,
        (statement.task, statement.method, statement.band),
        statement.above if statement.above is not None else statement.below,
    )


def _shown(statement: Statement, of: Judged, rows: Sequence[Comparison], of_one_run: str = "1 run") -> str:
    """The scores that a statement is about, with the number of runs that each is of, or what to say of a single one."""
    first = next(row for row in rows if (row.task, row.method) == (of.row.task, of.row.method))
    beside = ""
    if statement.than is not None:
        other = next(
            row for row in rows if (row.task, row.method, row.band) == (of.row.task, statement.than, of.row.band)
        )
        beside = f" against {_score(other, of_one_run)}"
    elif statement.keeps is not None or statement.loses is not None:
        beside = f", trained {_score(first, of_one_run)}"
    return f"{_score(of.row, of_one_run)}{beside}" if of.row.ours.runs else "-"


def _score(row: Comparison, of_one_run: str) -> str:
    if not row.ours.runs:
        return "-"
    several = f"best of {row.ours.runs}" if row.best else f"{row.ours.runs} runs"
    return f"{row.ours.value:.3f} ({of_one_run if row.ours.runs == 1 else several})"
