"""Many runs from Python."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.composition.compose import composer
from harness.composition.searches import run_all
from harness.notebook import overrides as written
from harness.notebook.results import Results, of_files


def sweep(
    *overrides: str, config_dir: str | Path | None = None, packages: Sequence[str] = (), **choices: Any
) -> Results:
    """Do every combination of the listed values, each in a process of its own, as many at a time as this machine has
    GPUs or cores. Runs that finished before are not done again; those that fail or are impossible are in ``failed``,
    and the others go on::

        results = harness.sweep(encoding=["rope", "alibi"], task="copy", seed=range(3))

    A list, tuple or range is several values; a value that is a list itself stands in another list, as in
    ``extension=[["extrapolate", "ntk"]]``, one run that is tested with both. Words of the command line are taken as
    they are: ``"encoding=rope,alibi"``, ``"study=huang2025"``. ``config_dir`` and ``packages`` are those of
    :func:`run`.

    Progress goes to standard error. An interrupt lets the running ones save and stop, and raises
    ``KeyboardInterrupt``; the same call goes on where it stopped. Raises ``harness.errors.Refused`` where the command
    line would refuse.
    """
    words = written.words(overrides, choices, packages, several=True)
    with composer([] if config_dir is None else [str(config_dir)]) as hydra:
        outcome = run_all(hydra, hydra.attempts(words), words)
    if outcome.interrupted:
        raise KeyboardInterrupt(f"{outcome.interrupted} done; the same call goes on where it stopped")
    reasons = [(cell.name, reason) for cell, reason in outcome.undone]
    reasons += [(cell.name, "queued or at work elsewhere: harness.load finds it later") for cell in outcome.elsewhere]
    reasons += [(" ".join(cell), reason) for cell, reason in outcome.refused]
    ended = {cell.name for cell in outcome.done} | {cell.name for cell, _ in outcome.failed}
    return of_files([cell.paths.record for cell in outcome.cells if cell.name in ended], reasons)
