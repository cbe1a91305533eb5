"""Whether tables that a file holds could have been made from records: every number in its range, and every reference to
something that is there. What passes can be computed with; whether it is true only the records can say.
"""

import typing

import numpy as np
import pandas as pd

from harness.results import frames
from harness.results.columns import COSTS, SELECTION
from harness.results.consistency import WORST_LOSS
from harness.results.frames import Frames
from harness.results.records import TaskFacts

METRICS = set(typing.get_args(TaskFacts.model_fields["metric"].annotation))


def possible(found: Frames) -> bool:
    """Whether records can say this."""
    runs, scores, slices, looks, known = found.runs, found.scores, found.slices, found.looks, found.baselines
    sets = known.baseline.to_numpy()
    count = int(sets.max(initial=-1)) + 1
    finished = (runs.status == "finished").to_numpy()
    if not (
        set(runs.status.cat.categories) <= {"finished", "failed"}
        and set(runs.metric.cat.categories) <= METRICS
        and set(runs.task_id.cat.categories) <= found.tasks.keys()
        and set(runs.method_id.cat.categories) <= found.methods.keys()
        and all(isinstance(node, dict) for node in (*found.tasks.values(), *found.methods.values()))
        and not runs.duplicated(["record", "extension"]).any()
        and _between(sets, 0, len(known) - 1)
        and _between(runs.baseline.to_numpy(), -1, count - 1)
        and ((runs.baseline >= 0).to_numpy() == finished).all()
        and all(_between(table.run.to_numpy(), 0, len(runs) - 1) for table in (scores, slices, looks))
        and all(finished[table.run.to_numpy()].all() for table in (scores, slices, looks))
        and (runs.shortest_trained >= 1).all()
        and (runs.train_length >= runs.shortest_trained).all()
        and (runs.longest_tested > runs.train_length).all()
        and min(runs.seed.min(), runs.task_version.min(), runs.training_compared.min()) >= 0
        and _between(runs.final_loss.to_numpy(), 0, WORST_LOSS)
        and all(_between(runs[name].to_numpy(), 0, np.inf) for name in (*COSTS, *SELECTION))
        and (looks.step >= 1).all()
        and all(_between(looks[name].to_numpy(), 0, 1) for name in ("in_distribution", "out_of_distribution"))
        and all(
            _between(known[name].to_numpy(), 0, 1) for name in ("exact_share", "tokens_share", "without_ends_share")
        )
        and all(_countable(table) for table in (scores, slices, known))
    ):
        return False
    return _compared(found, count)


def _between(values: np.ndarray, low: float, high: float) -> bool:
    """Whether all that are known are."""
    return bool((~((values < low) | (values > high))).all())


def _countable(rows: pd.DataFrame) -> bool:
    """Whether counts can be those of answers and tokens."""
    count = {name: rows[name].to_numpy() for name in rows if not isinstance(rows[name].dtype, pd.CategoricalDtype)}

    def within(part: str, whole: str) -> bool:
        return not ((count[part] < 0) | (count[part] > count[whole])).any()

    return (
        _between(count["length"], 0, np.inf)
        and _between(count["examples"], 1, np.inf)
        and _between(count["tokens"], 1, np.inf)
        and within("exact", "examples")
        and within("exact_given_length", "examples")
        and within("correct", "tokens")
        and within("ends", "tokens")
        and within("ends_correct", "ends")
        and _between(count["nats"], 0, np.inf)
        and not (count["nats"] > WORST_LOSS * count["tokens"]).any()
        and _between(count["bytes"], 0, np.inf)
    )


def _compared(found: Frames, count: int) -> bool:
    """Whether each score finds the blind baseline of its length, of the same number of examples and tokens."""
    runs, scores, known = found.runs, found.scores, found.baselines
    if not len(scores):
        return not (runs.status == "finished").any()
    blind = (known.name == "blind").to_numpy()
    sets = runs.baseline.to_numpy()[scores.run.to_numpy()]
    rows = np.bincount(known.baseline.to_numpy()[blind], minlength=count)
    place = scores.place.to_numpy()
    if not ((place >= 0) & (place < rows[sets])).all() or len(np.unique(scores.run)) != (runs.baseline >= 0).sum():
        return False
    ends = np.flatnonzero(blind)[-1]
    if frames.blind_rows(found).max() > ends:
        return False
    guessed = frames.blind(found)
    return (
        (guessed.name == "blind").all()
        and np.array_equal(guessed.baseline, sets)
        and all(np.array_equal(guessed[name], scores[name]) for name in ("length", "examples", "tokens"))
    )
