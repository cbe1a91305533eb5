"""Say of every statement of the published studies whether our records agree or differ; write a page of all."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness import atomic
from harness.composition.arguments import Parser, existing, path
from harness.composition.comparing import compare
from harness.composition.compose import composer
from harness.config import study as studies
from harness.config.study import Study
from harness.errors import Refused, counted, unknown
from harness.files import user_paths
from harness.results import records
from harness.results.comparison import Comparison, with_reason
from harness.results.findings import VERDICTS, Finding, Found, findings, over_budgets
from harness.results.records import Record

COLUMNS = ("statement", "source", "published", "budget", "ours", "verdict")


class OfBudget(NamedTuple):
    """The comparisons of one budget of a study that its statements are about, and what they say of these."""

    rows: list[Comparison]
    findings: list[Finding]


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness findings", description=__doc__)
    parser.add_record_folders()
    parser.add_argument("--studies", help="some of the studies, such as huang2025,press2022 (default: all)")
    parser.add_argument(
        "--budget", help="the budget whose runs count (default: of each statement the first that concludes)"
    )
    parser.add_argument(
        "--page", type=path, help="also write a page in Markdown, such as docs/findings.md, and figures"
    )
    parsed = parser.read(arguments)
    if parsed.page and not parsed.page.suffix:
        raise Refused(f"--page {parsed.page}: the folder of its figures would have this name; say {parsed.page}.md")
    chosen = [name.strip() for name in parsed.studies.split(",")] if parsed.studies is not None else studies.names()
    for name in chosen:
        if name not in studies.names():
            raise unknown("study", name, studies.names(), "studies")
    folders = existing(parsed.folders)
    declared = {name: study for name in chosen if (study := studies.read(name)).bands or parsed.studies}
    for name, study in declared.items():
        if not study.bands:
            raise Refused(f"--studies {parsed.studies}: {name} makes no statement that could be judged")
    if parsed.budget is not None and not any(parsed.budget in study.budgets for study in declared.values()):
        raise Refused(f"--budget {parsed.budget}: none of the studies {', '.join(declared)} has such a budget")
    read, rejected = records.read_all(folders)
    for line in rejected:
        print(f"skipped {line}")
    known = {one.name: one for one in read if one.status == "finished"}
    by_budget = _by_budget(declared, parsed.budget, known)
    found = {
        name: over_budgets({budget: of.findings for budget, of in all_of.items()}) for name, all_of in by_budget.items()
    }
    from harness.results.report import table

    table(
        "statements and verdicts" + (f", budget {parsed.budget}" if parsed.budget else ""),
        ("study", "statements", *VERDICTS),
        [[name, *map(str, _counted(of))] for name, of in (*found.items(), ("all", _all(found)))],
    )
    if parsed.page:
        user_paths.make_folder(parsed.page.parent, f"--page {parsed.page}")
        figures = _figures(by_budget, parsed.page)
        atomic.write(parsed.page, _page(declared, found, figures))
        drawn = counted(sum(map(len, figures.values())), "figure")
        print(f"{parsed.page} and {drawn} in {parsed.page.with_suffix('')}")
    return 0


def _by_budget(
    declared: Mapping[str, Study], budget: str | None, known: Mapping[str, Record]
) -> dict[str, dict[str, OfBudget]]:
    """What there is of every study, by its budgets or of one, which not every study has."""
    found = {}
    with composer() as hydra:
        for name, study in declared.items():
            budgets = [one for one in study.budgets if budget in (None, one)]
            derivable = {(run.task, run.method) for run in study.results()} if study.reported == "runs" else set()
            said = {(one.task, method) for one in study.statements for method in (one.method, one.than) if method}
            if budgets:
                rows = {one: compare(hydra, study, one, known, said | derivable).rows for one in budgets}
                found[name] = {one: OfBudget(of, findings(study, of)) for one, of in rows.items()}
    return found


def _figures(by_budget: Mapping[str, Mapping[str, OfBudget]], page: Path) -> dict[str, list[str]]:
    """Draw the scores of each budget of a study that has runs, in a folder named after the page. The files of each
    study, as the page names them.
    """
    from harness.figures import beside_published
    from harness.figures.files import save_figure

    folder = page.with_suffix("")
    user_paths.make_folder(folder, f"--page {page}")
    drawn: dict[str, list[str]] = {name: [] for name in by_budget}
    for name, budgets in by_budget.items():
        for budget, of in budgets.items():
            figure = beside_published.draw(f"{name}, budget {budget}", of.rows, of.findings)
            if figure is not None:
                (path,) = save_figure(figure, folder, f"{name}-{budget}", endings=("svg",))
                drawn[name].append(f"{folder.name}/{path.name}")
    return drawn


def _all(found: Mapping[str, list[Found]]) -> list[Found]:
    return [one for of in found.values() for one in of]


def _counted(of: Sequence[Found]) -> list[int]:
    verdicts = Counter(one.finding.verdict for one in of)
    return [len(of), *(verdicts[verdict] for verdict in VERDICTS)]


def _page(declared: Mapping[str, Study], found: Mapping[str, list[Found]], figures: Mapping[str, list[str]]) -> str:
    best = [name for name, study in declared.items() if study.reported == "best"]
    lines = [
        "# Findings",
        "",
        "What published studies say about length generalization, statement by statement, and what our records say of "
        "it. The page is written by a command from the records and from the declarations in `conf/study`:",
        "",
        "    python -m harness findings results/* --page docs/findings.md",
        "",
        "*Budget* says of which runs ours are: `paper` has the published sizes, `quick` small networks and short "
        "training. A verdict is that of runs at the published budget where these agree or differ, else that of the "
        "smaller ones:",
        "",
        "- *agree*, *differ*: a 95 % interval over at least two runs lies wholly on one side of what is stated; of two "
        "extensions of the same weights it is that of the differences within each training. Of studies that report "
        f"the best of many runs ({', '.join(best) or 'none here'}) one run that reaches a bound shows that it can be "
        "reached, and two or three that have learned the lengths trained on and do not reach it show that it is not.",
        "- *cannot tell*, with the reason: *interval*, which lies on both sides; *1 run*, which has none; *not "
        "learned*, where most of our runs fail at the lengths trained on and the published ones, if there are any, do "
        "not.",
        "- *not run*: there is no run of it yet.",
        "",
        "Where there are published runs, the same rule is applied to them; what they do not bear out themselves says "
        "so. Bits per byte are better where they are fewer. What is marked *from memory, unverified* was written down "
        "without the source at hand.",
        "",
        "Figures have what there are runs of: our mean with its interval, every run, and below it the published "
        "score. The verdicts on what is said of a score stand at the end of its row.",
        "",
        *_markdown(
            ("study", "statements", *VERDICTS),
            [[name, *map(str, _counted(of))] for name, of in (*found.items(), ("all", _all(found)))],
        ),
    ]
    against = [
        [name, one.finding.statement, one.budget, one.finding.published, one.finding.ours]
        for name, of in found.items()
        for one in of
        if one.finding.verdict == "differ"
    ]
    lines += ["", "## What came out against the statements", ""]
    lines += (
        _markdown(("study", "statement", "budget", "published", "ours"), against) if against else ["Nothing so far."]
    )
    for name, of in found.items():
        study = declared[name]
        lines += ["", f"## {name}", "", f"*{study.title}.* {study.source}.", ""]
        for figure in figures[name]:
            lines += [f"![Scores of {name} beside the published ones]({figure})", ""]
        rows = [(one.budget if one.finding.verdict != "not run" else "-", one.finding) for one in of]
        lines += _markdown(
            COLUMNS, [[*one[:3], budget, one.ours, with_reason(one.verdict, one.reason)] for budget, one in rows]
        )
    return "\n".join([*lines, ""])


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)]
