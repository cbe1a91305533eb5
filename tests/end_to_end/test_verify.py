"""The command that verifies records, as CI runs it on those that somebody submits."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from shell import Command
from support import ROOT

PUBLISHED = sorted(path.parent for path in (ROOT / "results").glob("*/records"))


@pytest.mark.slow
def test_all_published_records_and_tables_pass(command: Command, tmp_path: Path) -> None:
    done = command("verify", *map(str, PUBLISHED), "--output", "found/verdicts.csv")
    assert done.returncode == 0, done.stdout
    found = pd.read_csv(tmp_path / "found" / "verdicts.csv", keep_default_na=False)
    files = [path for folder in PUBLISHED for path in (folder / "records").glob("*.json")]
    tables = [folder / name for folder in PUBLISHED for name in ("leaderboard.csv", "runs.csv")]
    assert {*map(str, files), *map(str, tables)} <= set(found.file)
    assert (found.problems == "").all()
    assert f"0 bad of {len(found)} files" in done.stdout


@pytest.mark.slow
def test_a_bad_record_is_named_and_nothing_is_tabled(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    (folder / "records").mkdir(parents=True)
    good = sorted((PUBLISHED[0].parent / "huang2025" / "records").glob("parity-nope-*.json"))
    for path in good:
        shutil.copy(path, folder / "records")
    assert command("leaderboard", "--verify").returncode == 0
    assert (folder / "leaderboard.csv").exists()
    for path in folder.glob("*.csv"):
        path.unlink()
    edited = folder / "records" / good[0].name
    value = json.loads(edited.read_text())
    value["scores"][0]["exact"] -= 1
    edited.write_text(json.dumps(value))
    for arguments in (("verify",), ("leaderboard", "--verify")):
        done = command(*arguments)
        assert done.returncode == 1
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("bad ")]
        assert line.startswith(f"bad results/records/{edited.name}: not a record: its seal does not belong")
    assert not (folder / "leaderboard.csv").exists()
    other = command("verify", "--protocol", "7")
    assert other.returncode == 2
    assert "--protocol 7: there is 1" in other.stderr
    (tmp_path / "empty").mkdir()
    assert "there is nothing to verify" in command("verify", "empty").stderr
