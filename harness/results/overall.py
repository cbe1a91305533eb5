"""Methods over tasks: one row for each method, with what its numbers rest on."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from harness.errors import Refused, unknown
from harness.results import measures, metrics, run_facts, tables
from harness.results.descriptions import AXES
from harness.results.frames import Frames
from harness.results.labels import labels
from harness.results.statistics import aggregates, bootstrap, comparison, ranks


def runs_of(found: Frames) -> pd.DataFrame:
    """The finished runs of tasks that are scored by right answers or tokens, with ``method``: what was chosen on the
    axes, of those on which the runs differ, but for what is usual. A method over tasks may have other budgets on each;
    on one task it must be one.

    Raises :class:`Refused` where there is none, and where a task has several of one name.
    """
    runs = measured(found)
    runs = runs.rename(columns={"method": "name"}).assign(method=names_over_tasks(runs))
    check_one_each(runs, ["task", "method"], ways(found, runs))
    return runs


def measured(found: Frames) -> pd.DataFrame:
    """The finished runs of tasks that are scored by right answers or tokens, with the summaries of their scores. Raises
    :class:`Refused` where there is none.
    """
    found = tables.once(found)
    runs = measures.beside(tables.named(found), found)
    runs = runs[(runs.status == "finished") & (runs.metric != "bits_per_byte")]
    if runs.empty:
        raise Refused("no finished run of a task scored by right answers or tokens: there is nothing to compare")
    return runs.assign(solved=runs.summary_in_distribution >= metrics.CONVERGED)


def names_over_tasks(methods: pd.DataFrame) -> pd.Series:
    """What was chosen on the axes, of those on which these differ. What is usual among them goes without saying, as in
    the labels of a table (:func:`harness.results.labels.labels`).
    """
    axes = methods[[*AXES]].astype(object)
    chosen = axes.drop_duplicates()
    shown = labels(
        "encoding", [{axis: {"name": name} for axis, name in row.items()} for row in chosen.to_dict("records")]
    )
    of = dict(zip(chosen.itertuples(index=False, name=None), shown, strict=True))
    return pd.Series([of[row] for row in axes.itertuples(index=False, name=None)], methods.index, dtype=object)


def ways(found: Frames, runs: pd.DataFrame) -> list[str]:
    """Filters that tell methods of one task and one name apart, if there are such."""
    several = runs.groupby(["task_id", "method"]).method_id.unique()
    clash = several[several.map(len) > 1]
    return run_facts.telling(found, clash.iloc[0]) if len(clash) else []


def check_one_each(rows: pd.DataFrame, cell: list[str], filters: Sequence[str]) -> None:
    """Raise :class:`Refused` where a cell has several methods of one task. ``name`` is their label within the task;
    ``filters`` are offered as the way out.
    """
    several = rows.groupby([*cell, "task_id"]).name.agg(lambda names: sorted(set(names)))
    clash = several[several.map(len) > 1]
    if len(clash):
        (*place, key), names = clash.index[0], clash.iloc[0]
        task = rows.task[rows.task_id == key].iloc[0]
        where = " and ".join(dict.fromkeys(str(part) for part in place if part != task)) or "this cell"
        way = " or ".join(f"'{text}'" for text in filters[:2]) or "as in 'train.steps == 5000'"
        raise Refused(
            f"{task}: {where} is {len(names)} methods there ({'; '.join(names[:3])}): choose one with a filter: {way}"
        )


def overall(runs: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """A row for each method, the best mean rank first.

    ``tasks`` is on how many of all tasks it was run; nothing stands in for those that are missing. ``mean``,
    ``median``, ``iqm`` and ``optimality_gap`` are over what it has, every run counted; ``iqm_low`` and ``iqm_high``
    are for other seeds, ``iqm_tasks_low`` and ``iqm_tasks_high`` for other tasks too; ``iqm_solved`` is over the runs
    alone that converged in distribution, of which there are ``solved`` among ``runs``. ``mean_rank`` is over the
    tasks that all methods have (``common_tasks``), ties sharing their mean. ``improvement`` is the probability of a
    better run than the baseline's, over the tasks that both have (``shared_tasks``), with both intervals; ``p_value``
    that of Wilcoxon's test of their means, with Holm's correction over the methods.
    """
    names = sorted(runs.method.unique())
    if baseline not in names:
        raise Refused(f"--baseline: {unknown('method', baseline, names, 'methods')}")
    table = {name: _scores(runs[runs.method == name]) for name in names}
    solved = {name: _scores(runs[(runs.method == name) & runs.solved]) for name in names}
    common = sorted(set.intersection(*(set(own) for own in table.values())))
    means = np.array([[np.mean(table[name][task]) for name in names] for task in common]).reshape(-1, len(names))
    mean_ranks = ranks.ranks(means).mean(axis=0) if common else np.full(len(names), math.nan)
    rows = [
        _row(name, runs, table, solved, baseline) | {"mean_rank": rank, "common_tasks": len(common)}
        for name, rank in zip(names, mean_ranks, strict=True)
    ]
    result = pd.DataFrame(rows)
    result["p_value"] = comparison.holm(result.p_value.to_numpy(float))
    return result.sort_values(["mean_rank", "iqm", "method"], ascending=[True, False, True], ignore_index=True)


def common_test(runs: pd.DataFrame) -> tuple[int, float, float]:
    """Over the tasks that all methods have: their number, the p value of Friedman's test, Nemenyi's difference."""
    means = runs.pivot_table(index="task_id", columns="method", values="summary_score", aggfunc="mean").dropna()
    scores = means.to_numpy(float)
    return len(scores), ranks.friedman(scores), ranks.critical_difference(*scores.shape)


def _scores(runs: pd.DataFrame) -> dict[str, list[float]]:
    return {str(task): own.tolist() for task, own in runs.groupby("task_id").summary_score}


def _row(
    name: str,
    runs: pd.DataFrame,
    table: dict[str, dict[str, list[float]]],
    solved: dict[str, dict[str, list[float]]],
    baseline: str,
) -> dict[str, Any]:
    scores = bootstrap.padded(list(table[name].values()))
    alone = bootstrap.padded(list(solved[name].values()))
    shared = [task for task in table[name] if task in table[baseline]]
    own, other = ([source[task] for task in shared] for source in (table[name], table[baseline]))
    found = comparison.probability_of_improvement(bootstrap.padded(own), bootstrap.padded(other))
    low, high = bootstrap.over_seeds(scores, aggregates.interquartile_mean, corrected=True)
    wide_low, wide_high = bootstrap.over_seeds_and_tasks(scores, aggregates.interquartile_mean)
    here = runs[runs.method == name]
    return {
        "method": name,
        "tasks": len(scores),
        "of_tasks": runs.task_id.nunique(),
        "runs": len(here),
        "solved": int(here.solved.sum()),
        "mean": float(aggregates.mean(scores)),
        "median": float(aggregates.median(scores)),
        "iqm": float(aggregates.interquartile_mean(scores)),
        "iqm_low": max(low, 0.0),
        "iqm_high": min(high, 1.0),
        "iqm_tasks_low": wide_low,
        "iqm_tasks_high": wide_high,
        "iqm_solved": float(aggregates.interquartile_mean(alone)) if alone.size else math.nan,
        "optimality_gap": float(aggregates.optimality_gap(scores)),
        "shared_tasks": len(shared),
        "improvement": found.probability if name != baseline else math.nan,
        "improvement_low": found.over_seeds[0] if name != baseline else math.nan,
        "improvement_high": found.over_seeds[1] if name != baseline else math.nan,
        "improvement_tasks_low": found.over_tasks[0] if name != baseline else math.nan,
        "improvement_tasks_high": found.over_tasks[1] if name != baseline else math.nan,
        "p_value": comparison.wilcoxon(*([float(np.mean(part)) for part in parts] for parts in (own, other)))
        if name != baseline
        else math.nan,
    }
