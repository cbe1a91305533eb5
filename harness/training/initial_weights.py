"""The weights that training begins with where they are those of another run."""

from harness.config.schema import Run
from harness.errors import Refused
from harness.models.base import Model
from harness.results import trained_runs
from harness.training import weights


def take_over(model: Model, run: Run) -> str:
    """Give the model the weights that the run goes on from, and say their digest; empty if it goes on from none.

    Raises :class:`Refused` where they are gone or damaged.
    """
    origin = run.weights_from
    if origin is None:
        return ""
    if lack := trained_runs.lack(origin):
        raise Refused(f"weights_from={origin.record}: {lack}")
    path = trained_runs.paths(origin).weights
    try:
        weights.load(model, path, origin.training)
        return weights.digest(path)
    except Refused as refusal:
        raise Refused(f"weights_from={origin.record}: {refusal}") from refusal
