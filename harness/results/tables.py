"""The tables: a row per run, extension and length; the same along the axes of the tasks; a row per task and method."""

import math
from typing import Any

import numpy as np
import pandas as pd

from harness.errors import counted
from harness.results import cells, columns, frames, measures, metrics, rank_ranges, run_facts, summaries
from harness.results.descriptions import AXES
from harness.results.frames import Frames
from harness.results.labels import labels
from harness.results.statistics.seeds import FEW, interquartile_means, learned_by_chance, t_intervals
from harness.results.statistics.shares import wilson

AVERAGED = (
    "exact_match",
    "exact_given_length",
    "pooled_exact_match",
    "exact_above_blind",
    "token_accuracy",
    "tokens_above_blind",
    "bits",
)
FIRST = ("task", "family", "rank", "rank_best", "rank_worst")
BESIDE = "training_seconds"
"""The column behind which stands what methods are and cost besides (:func:`harness.results.run_facts.of_methods`)."""
COSTS = columns.COSTS[: columns.COSTS.index(BESIDE) + 1]
"""What a method costs, up to the column behind which the rest stands."""
OF_RUNS = ("task", "task_id", "metric", "method", "method_id", *AXES, "seed", "train_length", "record")
"""What the tables with rows for every length, slice and look of a run say of the run."""
NO_RANK = "no rank: no method scores above a guess"


def curves(found: Frames) -> pd.DataFrame:
    """A row for each run, extension and tested length, with the counts and what follows from them."""
    found = finished(found)
    low, high = metrics.bits_intervals(found)
    blind = summaries.rates(frames.blind(found)).set_axis(found.scores.index)
    columns = _counted(found, found.scores) | {
        "bits_low": low,
        "bits_high": high,
        "blind_exact_match": blind.exact_match,
        "blind_token_accuracy": blind.token_accuracy,
        "blind_bits": blind.bits,
        "record": _text(found.runs.record, found.scores),
    }
    return pd.DataFrame(columns, copy=False)  # a copy takes as long as all else


def slices(found: Frames) -> pd.DataFrame:
    """A row for each run, extension, tested length and combination of values on the axes of its task: a column per
    axis. Empty if no task has axes.
    """
    if found.slices.empty:
        return pd.DataFrame()
    found = finished(found)
    axes = sorted(name for name in found.slices if name.startswith("axis_") and found.slices[name].notna().any())
    columns = _counted(found, found.slices) | {"record": _text(found.runs.record, found.slices)}
    return pd.concat([pd.DataFrame(columns, copy=False), found.slices[axes]], axis=1)


def leaderboard(found: Frames) -> pd.DataFrame:
    """A row for each task and method, best first. Methods that did not converge in distribution come after and have no
    rank, nor have the task's baselines, which come last. Where no method beats a guess none has a rank.
    """
    found = once(found)
    runs = named(found)
    rows = [_methods(measures.beside(runs, found))]
    if (runs.status == "finished").any():
        rows.append(_baselines(runs, summaries.of_baselines(found)))
    table = pd.concat(rows, ignore_index=True)
    table["better"] = table.score.where(table.metric != "bits_per_byte", -table.score)
    nothing = table.ranked & ~table.task_id.isin(_with_a_score(table))
    table.loc[nothing, "note"] = [f"{NO_RANK}; {note}" if note else NO_RANK for note in table.note[nothing]]
    table["rank"] = (
        table.better.where(table.ranked & ~nothing).groupby(table.task_id).rank(ascending=False, method="min")
    )
    table = table.join(rank_ranges.of(table[table["rank"].notna()]))
    table = table.astype({"rank": "Int64", "seeds": "Int64", "unsealed": "Int64"})
    order = ["task", "task_id", "kind", "ranked", "better", "method"]
    table = table.sort_values(order, ascending=[True, True, False, False, False, True], ignore_index=True)
    facts = run_facts.of_methods(found)
    table = table.assign(family=table.task_id.map(run_facts.families(found)))
    table = table.join(facts, on=["task_id", "method_id"])
    columns = [column for column in table.columns if column not in (*FIRST, *facts, "ranked", "better")]
    place = columns.index(BESIDE) + 1
    return table[[*FIRST, *columns[:place], *facts, *columns[place:]]]


def once(found: Frames) -> Frames:
    """Each seed of a method once: the same weights may have been tested twice, in runs that list other extensions.
    Those that finished come first.
    """
    failed = (found.runs.status == "failed").to_numpy()
    order = np.argsort(failed, kind="stable")
    again = found.runs.iloc[order].duplicated(["task_id", "method_id", "seed", "origin"]).to_numpy()
    return frames.take(found, order[~again]) if failed.any() or again.any() else found


def named(found: Frames) -> pd.DataFrame:
    """The runs, with labels of their tasks and methods in the columns ``task`` and ``method``, as text. The label of a
    method says how it differs from the others of its task. Runs that were named before keep their names.
    """
    text = [name for name, kind in found.runs.dtypes.items() if isinstance(kind, pd.CategoricalDtype)]
    runs = found.runs.astype(dict.fromkeys(text, object)) if text else found.runs
    if "method" in runs:
        return runs
    tasks = list(dict.fromkeys(runs.task_id))
    names = dict(zip(tasks, labels("task", [found.tasks[key] for key in tasks]), strict=True))
    methods: dict[tuple[str, str], str] = {}
    pairs = runs[["task_id", "method_id"]].drop_duplicates()
    for task, ids in pairs.groupby("task_id").method_id:
        own = labels("encoding", [found.methods[key] for key in ids])
        methods |= {(str(task), key): label for key, label in zip(ids, own, strict=True)}
    labelled = [methods[key] for key in zip(runs.task_id, runs.method_id, strict=True)]
    return runs.assign(task=runs.task_id.map(names), method=labelled)


def prepared(found: Frames) -> Frames:
    """Each seed of a method once, and named. What is made of it is what is made of ``found``, and several tables
    sooner.
    """
    kept = once(found)
    return kept._replace(runs=named(kept))


def finished(found: Frames) -> Frames:
    """The finished runs, each once, named as among all."""
    kept = prepared(found)
    done = (kept.runs.status == "finished").to_numpy()
    return kept if done.all() else frames.take(kept, np.flatnonzero(done))


def _text(column: pd.Series, rows: pd.DataFrame) -> pd.Series:
    """What each row has of its run."""
    return column.take(rows.run).set_axis(rows.index)


def _counted(found: Frames, rows: pd.DataFrame) -> dict[str, Any]:
    """The columns that rows of counts have, for each of which their run is known."""
    shown = OF_RUNS[: OF_RUNS.index("seed") + 1]
    trained = _text(found.runs.train_length, rows)
    short = rows.length < _text(found.runs.shortest_trained, rows)
    rates = summaries.rates(rows)
    return {
        **{name: _text(found.runs[name], rows) for name in shown},
        "length": rows.length,
        "train_length": trained,
        "distribution": np.where(short, "short", np.where(rows.length <= trained, "in", "out")),
        **{name: rows[name] for name in ("examples", "exact", "tokens", "correct", "nats")},
        "bytes": rows.bytes.astype("Int64"),
        **{name: rates[name] for name in ("exact_match", "exact_given_length", "token_accuracy", "bits")},
    }


def _with_a_score(table: pd.DataFrame) -> set[str]:
    """The tasks on which some converged method scores above a guess, blind or by chance: its mean and, with several
    seeds, each of them or the whole interval. Methods that all score no better than a guess are not ranked.
    """
    bits = table.metric == "bits_per_byte"
    interval = table.score_low.where(~bits, -table.score_high)
    seeds = table.score_min.where(~bits, -table.score_max)
    worst = interval.where(interval > seeds, seeds).fillna(table.better)
    guessed = table.better[table.method.isin(["(blind)", "(chance)"])].groupby(table.task_id).max()
    above = table.ranked & (worst > table.task_id.map(guessed).fillna(-math.inf))  # of counts alone no guess is known
    return set(table.task_id[above])


def _methods(runs: pd.DataFrame) -> pd.DataFrame:
    """The leaderboard rows of the methods on their tasks, each over its seeds."""
    runs = runs.assign(
        finished=runs.status == "finished",
        unsealed=~runs.sealed,
        converged=runs.summary_in_distribution >= metrics.CONVERGED,
    )
    groups = runs.groupby(["task", "task_id", "method_id"], sort=True)
    first = groups.first()
    seeds, converged = groups.finished.sum(), groups.converged.sum()
    failed = groups.size() - seeds
    text = first.metric == "bits_per_byte"
    scores = groups.summary_score
    which = groups.ngroup().to_numpy()
    low, high = t_intervals(scores.mean(), scores.std(), scores.count(), bounded=~text)
    near = groups.summary_in_distribution
    mixed = learned_by_chance(scores.max(), scores.min(), scores.count())
    mixed = ~text & (mixed | learned_by_chance(near.max(), near.min(), near.count()))
    solved = [wilson(int(part), int(whole)) for part, whole in zip(converged, seeds + failed, strict=True)]
    ranked = (seeds > 0) & (text | (converged * 2 >= seeds))
    means = groups[[f"summary_{name}" for name in ("in_distribution", "score", *AVERAGED)]].mean()
    complete = groups[[f"summary_{name}" for name in ("in_distribution", "score", *AVERAGED)]].count()
    means = means.where(complete.eq(seeds, axis=0))  # what is unknown of a seed is unknown of the mean
    known = zip(seeds, converged, failed, ranked, text, mixed, strict=True)
    return pd.DataFrame(
        {
            "kind": "method",
            "ranked": ranked,
            "method": first.method,
            **{axis: first[axis] for axis in AXES},
            "metric": first.metric,
            "seeds": seeds,
            "converged": converged.where(~text).astype(float),
            "converged_low": pd.Series([low for low, _ in solved], first.index).where(~text),
            "converged_high": pd.Series([high for _, high in solved], first.index).where(~text),
            "in_distribution": means.summary_in_distribution,
            "score": means.summary_score,
            "score_low": low,
            "score_high": high,
            "score_median": scores.median(),
            "score_iqm": interquartile_means(runs.summary_score.to_numpy(float), which, len(first)),
            "score_min": scores.min(),
            "score_max": scores.max(),
            "score_deviation": scores.std(),
            "learned_by_chance": mixed,
            "score_converged": runs.summary_score.where(runs.converged).groupby([runs[key] for key in IDS]).mean(),
            **{name: means[f"summary_{name}"] for name in AVERAGED},
            **_reach(groups, first.longest_tested),
            **{name: groups[f"summary_{name}"].mean() for name in cells.MEANS},
            "guess": first.summary_guess.astype(object),
            "train_length": first.train_length,
            "longest_tested": first.longest_tested,
            **{name: groups[name].mean() for name in COSTS},
            "note": [_note(*facts) for facts in known],
            "unsealed": groups.unsealed.sum(),
            "task_version": first.task_version,
        }
    ).reset_index()[lambda table: ["task", *[name for name in table if name not in IDS], *IDS[1:]]]


IDS = ("task", "task_id", "method_id")


def _reach(groups: Any, longest: pd.Series) -> dict[str, pd.Series]:
    """Medians over seeds of what they reach. Where the median is the longest tested length, or lies between it and a
    shorter one, nothing failed there that could have ended it: it is a lower bound.
    """
    reached = {name: groups[f"summary_{name}"] for name in ("reach", "reach_half")}
    columns: dict[str, pd.Series] = {}
    for name, values in reached.items():
        columns[name] = values.median()
        columns[f"{name}_multiple"] = groups[f"summary_{name}_multiple"].median()
        columns[f"{name}_censored"] = (values.quantile(0.5, interpolation="higher") >= longest).where(
            columns[name].notna()
        )
    return columns


def _note(seeds: int, converged: int, failed: int, ranked: bool, text: bool, mixed: bool) -> str:
    notes = []
    if seeds and not ranked:
        notes.append("not converged in distribution")
    elif not text and converged < seeds:
        notes.append(f"{seeds - converged} of {seeds} seeds not converged in distribution")
    if seeds < FEW:
        notes.append(f"few seeds ({seeds})")
    if mixed:
        notes.append("learned by chance")
    if failed:
        notes.append(f"{counted(failed, 'run')} failed")
    return "; ".join(notes)


def _baselines(runs: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """The trivial baselines of the tasks. There is one of each: no seeds, no intervals."""
    own: dict[str, Any] = {
        name: runs[name].take(known.run).to_numpy()
        for name in ("task", "metric", "train_length", "longest_tested", "task_version", "task_id")
    }
    measured = {name: known[name] for name in ("in_distribution", "score", *AVERAGED, "reach", "reach_multiple")}
    fixed = {"kind": "baseline", "ranked": False, **dict.fromkeys(AXES, ""), "note": "", "method_id": ""}
    nothing = dict.fromkeys(("score_low", "score_high"), math.nan)
    return pd.DataFrame({"method": [f"({name})" for name in known.name], **own, **measured, **nothing}).assign(**fixed)
