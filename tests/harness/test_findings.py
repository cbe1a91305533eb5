"""Which budget's runs a statement is judged by."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT

from harness import cli
from harness.config import study
from harness.results.findings import VERDICTS, Finding, Verdict, over_budgets


def finding(verdict: Verdict, of: str = "statement") -> Finding:
    return Finding(of, "source", "published", "ours", verdict, "", ("task", "method", "band"), None)


def test_the_published_budget_counts_wherever_it_concludes() -> None:
    for paper, quick in product(VERDICTS, VERDICTS):
        (one,) = over_budgets({"paper": [finding(paper)], "quick": [finding(quick)]})
        if paper in ("agree", "differ"):
            assert (one.budget, one.finding.verdict) == ("paper", paper)
        elif quick in ("agree", "differ"):
            assert (one.budget, one.finding.verdict) == ("quick", quick)
        elif paper == "cannot tell":
            assert (one.budget, one.finding.verdict) == ("paper", paper)
        else:
            assert (one.budget, one.finding.verdict) == ("quick", quick)


@given(st.lists(st.tuples(st.sampled_from(VERDICTS), st.sampled_from(VERDICTS)), max_size=6))
def test_agreement_has_no_advantage(pairs: list[tuple[Verdict, Verdict]]) -> None:
    """Were every verdict its opposite, the same runs would be chosen."""
    opposite: dict[Verdict, Verdict] = {"agree": "differ", "differ": "agree"}

    def chosen(turned: bool) -> list[str]:
        def verdict(of: Verdict) -> Verdict:
            return opposite.get(of, of) if turned else of

        budgets = zip(*pairs, strict=True) if pairs else ((), ())
        first, second = ([finding(verdict(one), str(at)) for at, one in enumerate(of)] for of in budgets)
        return [one.budget for one in over_budgets({"paper": first, "quick": second})]

    assert chosen(False) == chosen(True)


def test_studies_name_the_published_budget_first() -> None:
    for name in study.names():
        budgets = list(study.read(name).budgets)
        assert "paper" not in budgets[1:], name


def test_a_page_is_not_called_like_the_folder_of_its_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["findings", str(ROOT / "results" / "press2022"), "--page", "findings"]) == 2
    assert "say findings.md" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
