"""The summaries of many runs at once, and of the baselines: the measures of :mod:`harness.results.metrics`, from the
tables of :mod:`harness.results.frames`.
"""

import math

import numpy as np
import pandas as pd

from harness.results import frames
from harness.results.frames import Frames
from harness.results.metrics import REACHED

MEASURES = (
    "in_distribution",
    "score",
    "exact_match",
    "exact_given_length",
    "pooled_exact_match",
    "token_accuracy",
    "exact_above_blind",
    "tokens_above_blind",
    "bits",
    "reach",
    "reach_multiple",
)
"""The columns of a summary, each as in :class:`harness.results.metrics.Summary`."""


def rates(counts: pd.DataFrame) -> pd.DataFrame:
    """The rates of rows of counts; NaN where unknown."""
    text = counts.bytes.clip(lower=1).fillna(counts.tokens)
    return pd.DataFrame(
        {
            "exact_match": counts.exact / counts.examples,
            "exact_given_length": counts.exact_given_length / counts.examples,
            "token_accuracy": counts.correct / counts.tokens,
            "bits": counts.nats / text / math.log(2),
        }
    )


def of_runs(found: Frames) -> pd.DataFrame:
    """A summary for each row of ``runs``: NaN for a run that failed."""
    blind = rates(frames.blind(found)).set_axis(found.scores.index)
    rows = rates(found.scores).assign(
        length=found.scores.length,
        examples=found.scores.examples,
        blind_exact=blind.exact_match,
        blind_tokens=blind.token_accuracy,
    )
    runs, run = found.runs, found.scores.run.to_numpy()
    asked = rows.length.to_numpy() >= runs.shortest_trained.to_numpy()[run]  # shorter ones were not trained on
    return _summarized(rows[asked], run[asked], runs.train_length.to_numpy(), runs.metric.to_numpy(object))


def of_baselines(found: Frames) -> pd.DataFrame:
    """The summaries of the baselines of each task, best last: chance, blind, its shortcuts, and the oracle, which knows
    all but not the next byte of a text. Those of a task are from the record that has most; ``run`` is a run of it.
    """
    runs = found.runs[found.runs.status == "finished"]
    chances = found.baselines.baseline[found.baselines.name == "chance"].value_counts()
    richest = runs.assign(chances=runs.baseline.map(chances).fillna(0)).sort_values(
        "chances", ascending=False, kind="stable"
    )
    newest = richest.drop_duplicates("task_id").sort_values("task_id", key=lambda ids: ids.astype(object))
    pieces = []
    for run in newest.itertuples():
        own = found.baselines[
            (found.baselines.baseline == run.baseline) & (found.baselines.length >= run.shortest_trained)
        ]
        blind = own[own.name == "blind"]
        known = rates(own).assign(length=own.length, examples=own.examples, name=own.name.astype(object))
        chance = own.name == "chance"
        for column, share in (
            ("exact_match", "exact_share"),
            ("exact_given_length", "exact_share"),
            ("token_accuracy", "tokens_share"),
        ):
            known[column] = own[share].where(chance, known[column])
        if run.metric != "bits_per_byte":
            ones = dict.fromkeys(("exact_match", "exact_given_length", "token_accuracy"), 1.0)
            oracle = {**ones, "bits": math.nan, "name": "oracle"}
            known = pd.concat([known, known.loc[blind.index].assign(**oracle)])
        guessed = rates(blind).set_axis(blind.length)
        known["blind_exact"] = known.length.map(guessed.exact_match)
        known["blind_tokens"] = known.length.map(guessed.token_accuracy)
        codes, names = pd.factorize(known.name)
        trained, metric = np.full(len(names), run.train_length), np.full(len(names), run.metric, object)
        pieces.append(_summarized(known, codes, trained, metric).assign(name=names, run=run.Index))
    return pd.concat(pieces, ignore_index=True)


def _summarized(rows: pd.DataFrame, group: np.ndarray, trained: np.ndarray, metric: np.ndarray) -> pd.DataFrame:
    """A summary for each group of rows: ``trained`` and ``metric`` are the training length and the metric of each."""
    count = len(trained)
    text = metric == "bits_per_byte"
    length = rows.length.to_numpy()
    values = {name: rows[name].to_numpy(float) for name in rows if name not in ("length", "name")}
    columns = {"exact_match": "exact_match", "token_accuracy": "token_accuracy", "bits_per_byte": "bits"}
    score = np.full(len(rows), math.nan)
    for name, column in columns.items():
        of_this = (metric == name)[group]
        score[of_this] = values[column][of_this]
    far = length > trained[group]

    def total(of: np.ndarray, where: np.ndarray) -> np.ndarray:
        return np.bincount(group[where], of[where], count)

    def mean(of: np.ndarray, where: np.ndarray = far) -> np.ndarray:
        return total(of, where) / np.bincount(group[where], minlength=count)

    def above(of: np.ndarray, blind: np.ndarray) -> np.ndarray:
        return np.where(blind < 1, (of - blind) / (1 - blind), math.nan)

    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = total(values["exact_match"] * values["examples"], far) / total(values["examples"], far)
        known = {
            "in_distribution": mean(score, ~far),
            "score": mean(score),
            "exact_match": mean(values["exact_match"]),
            "exact_given_length": mean(values["exact_given_length"]),
            "pooled_exact_match": pooled,
            "token_accuracy": mean(values["token_accuracy"]),
            "exact_above_blind": mean(above(values["exact_match"], values["blind_exact"])),
            "tokens_above_blind": mean(above(values["token_accuracy"], values["blind_tokens"])),
            "bits": mean(values["bits"]),
        }
    failing = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(failing, group[score < REACHED], length[score < REACHED])
    reach = np.zeros(count, np.int64)
    before = length < failing[group]
    np.maximum.at(reach, group[before], length[before])
    tested = np.bincount(group, minlength=count) > 0
    table = pd.DataFrame(known | {"reach": reach.astype(float), "reach_multiple": reach / trained})
    table.loc[~tested, ["reach", "reach_multiple"]] = math.nan
    unknown = ["in_distribution", "exact_match", "exact_given_length", "pooled_exact_match", "exact_above_blind"]
    table.loc[text, [*unknown, "reach", "reach_multiple"]] = math.nan
    return table[list(MEASURES)]
