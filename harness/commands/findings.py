"""Say of every statement of the published studies whether our records agree or differ; write a page of all."""

from collections import Counter
from collections.abc import Mapping, Sequence

from harness import atomic
from harness.composition.arguments import Parser, existing, path
from harness.composition.comparing import compare
from harness.composition.compose import composer
from harness.config import study as studies
from harness.config.study import Study
from harness.errors import Refused, unknown
from harness.files import user_paths
from harness.results import records
from harness.results.comparison import with_reason
from harness.results.findings import VERDICTS, Found, findings, over_budgets
from harness.results.records import Record

COLUMNS = ("statement", "source", "published", "budget", "ours", "verdict")


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness findings", description=__doc__)
    parser.add_record_folders()
    parser.add_argument("--studies", help="some of the studies, such as huang2025,press2022 (default: all)")
    parser.add_argument(
        "--budget", help="the budget whose runs count (default: of each statement the first that concludes)"
    )
    parser.add_argument("--page", type=path, help="also write a page in Markdown, such as docs/findings.md")
    parsed = parser.read(arguments)
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
    found = _found(declared, parsed.budget, {one.name: one for one in read if one.status == "finished"})
    from harness.results.report import table

    table(
        "statements and verdicts" + (f", budget {parsed.budget}" if parsed.budget else ""),
        ("study", "statements", *VERDICTS),
        [[name, *map(str, _counted(of))] for name, of in (*found.items(), ("all", _all(found)))],
    )
    if parsed.page:
        user_paths.make_folder(parsed.page.parent, f"--page {parsed.page}")
        atomic.write(parsed.page, _page(declared, found))
        print(parsed.page)
    return 0


def _found(declared: Mapping[str, Study], budget: str | None, known: Mapping[str, Record]) -> dict[str, list[Found]]:
    """The findings of every study, of all its budgets or of one, which not every study has."""
    found = {}
    with composer() as hydra:
        for name, study in declared.items():
            budgets = [one for one in study.budgets if budget in (None, one)]
            derivable = {(run.task, run.method) for run in study.results()} if study.reported == "runs" else set()
            said = {(one.task, method) for one in study.statements for method in (one.method, one.than) if method}
            if budgets:
                found[name] = over_budgets(
                    {one: findings(study, compare(hydra, study, one, known, said | derivable).rows) for one in budgets}
                )
    return found


def _all(found: Mapping[str, list[Found]]) -> list[Found]:
    return [one for of in found.values() for one in of]


def _counted(of: Sequence[Found]) -> list[int]:
    verdicts = Counter(one.finding.verdict for one in of)
    return [len(of), *(verdicts[verdict] for verdict in VERDICTS)]


def _page(declared: Mapping[str, Study], found: Mapping[str, list[Found]]) -> str:
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
        "smaller ones. "
        "*Agree* and *differ* take a 95 % "
        "interval over at least two runs that lies wholly on one side of what is stated (of two extensions of the same "
        "weights, that of the differences within each training); where the published score is "
        "the best of many runs, one run that reaches a bound shows that it can be reached, and two or three that have "
        "learned the lengths trained on and do not reach it show that it is not. Anything else is *cannot tell*, with "
        "the reason: *not learned* if most of our runs fail at the lengths trained on, *interval* if it lies on both "
        "sides. *Not run* is what nobody has run. Where there are published runs, the same rule is applied to them; "
        "what they do not bear out themselves says so. Bits per byte are better where they are fewer. What is marked "
        "*from memory, unverified* was written down without the source at hand.",
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
        rows = [(one.budget if one.finding.verdict != "not run" else "-", one.finding) for one in of]
        lines += _markdown(
            COLUMNS, [[*one[:3], budget, one.ours, with_reason(one.verdict, one.reason)] for budget, one in rows]
        )
    return "\n".join([*lines, ""])


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (columns, ["---"] * len(columns), *rows)]
