"""The run behind a record and the model that it trained, for commands that show something of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.config.schema import Run
from harness.errors import Refused

if TYPE_CHECKING:
    from harness.layouts.base import Layout
    from harness.models.base import Model
    from tasks.base import Task


def of_record(option: str, path: Path, words: Sequence[str]) -> tuple[Run, Path]:
    """The run of the record that a command's option names, and its weights. ``words`` are what else the command was
    given: packages at most, which a record does not name; those of the user's project count as given.
    """
    foreign = [word for word in words if not word.startswith("packages=")]
    if foreign:
        raise Refused(f"{option} brings its own config, all but packages=[...]: leave out " + " ".join(foreign))
    from harness.config import own_choices
    from harness.results import trained_runs

    run, _, where = trained_runs.found(path, words, own_choices.find().packages)
    if not where.weights.exists():
        raise Refused(f"{where.weights}: the weights of this run are not here")
    return run, where.weights


def built_model(run: Run, task: Task, layout: Layout, weights: Path | None) -> Model:
    """The network of a run, with weights from a file or as they are drawn."""
    import torch

    from harness.config import identity, network
    from harness.training.weights import load

    torch.manual_seed(run.seed)
    model = network.model(run, task, layout)
    if weights:
        load(model, weights, identity.training_name(run, task))
    return model.eval()
