"""A small part of the kills of ``python benchmarks/reliability sweeps``."""

import random
import sys
from pathlib import Path

import pytest
from support import ROOT


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_a_sweep_that_is_killed_again_and_again_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By two commands in one folder, of which runs, sweeps and the processes of copies are killed."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "reliability"))
    import sweeps

    cells = ("seed=0,1,2", "train.steps=80")
    words = sweeps.command(cells)
    whole = sweeps.prepared(tmp_path / "undisturbed")
    assert sweeps.run(words, whole).code == 0
    under = sweeps.Attack(tmp_path / "killed", cells, 3, random.Random(1), at_once=2)
    under.go(5)
    assert under.lost == 0
    assert sweeps.leaderboard(tmp_path / "killed") == sweeps.leaderboard(whole)
    assert sweeps.twice(tmp_path / "killed") == []
    assert sweeps.leases(tmp_path / "killed") == []
