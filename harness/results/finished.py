"""Finds the record of a run that was done before, without loading PyTorch."""

import logging

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.results import records
from harness.results.paths import RunPaths, run_paths
from harness.results.records import Record

log = logging.getLogger(__name__)


def paths_of(run: Run) -> RunPaths:
    """The paths of a run's files."""
    task = instantiation.task(run)
    return run_paths(run.results, identity.run_name(run, task), identity.training_name(run, task))


def existing_record(run: Run, paths: RunPaths) -> Record | None:
    """The record of a run if it finished before, unless ``force``.

    Raises :class:`Refused` if the run failed before, unless ``retry``.
    """
    if run.force or not paths.record.exists():
        return None
    try:
        record = records.read(paths.record)
    except Refused as refusal:
        log.warning("%s; it is written anew", refusal)
        return None
    if record.status == "finished" and lacks_selection(record, run):
        log.info("this run has finished before, and its record does not say that its settings were searched")
        return None
    if record.status == "finished":
        log.info("this run has finished before; force=true trains it again")
        return record
    if run.retry:
        return None
    raise Refused(f"this run failed before: {record.reason}. Try again with retry=true")


def lacks_selection(record: Record, run: Run) -> bool:
    """Whether a run of a search has a record that does not say so: of fewer trials, or without what the model has right
    of held-out examples. Such a run is tested again, from its weights if they are there, so that no record hides what
    its settings were chosen from.
    """
    if run.selection is None:
        return False
    known = record.config.get("selection")
    trials = known.get("trials", 0) if isinstance(known, dict) else 0
    return not record.held_out or (isinstance(trials, int) and trials < run.selection.trials)
