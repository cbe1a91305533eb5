"""What a long job says where there is no terminal."""

import pytest

from harness import progress


def test_times_of_long_sweeps_are_in_hours_and_days(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with progress.shown("sweep", 10_000) as step:
        now = 8.0
        step(1)
        now = 30.0
        step(6, "2 at work")
        now = 4 * 3600.0
        step(400, "2 at work")
    assert capsys.readouterr().err.splitlines() == [
        "sweep 6/10000 2 at work 30 s elapsed 13 h 53 min to go",
        "sweep 400/10000 2 at work 4 h 0 min elapsed 4 days 0 h to go",
        "sweep 400/10000 done in 4 h 0 min",
    ]
