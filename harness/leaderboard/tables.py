"""The two tables: a row per run, extension and length, and a row per task and method."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from harness import identity, scores
from harness.leaderboard.labels import labels
from harness.leaderboard.statistics import FEW, interquartile_mean, interval
from harness.records import Record

AXES = ("encoding", "positions", "extension", "logit", "architecture")


def curves(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each run, extension and tested length, with the counts and what follows from them."""
    runs = _runs(records)
    rows = []
    for run in runs[runs.status == "finished"].to_dict("records"):
        record: Record = run["object"]
        blind = {row.length: row for row in record.blind}
        for row in record.scores:
            if row.extension != run["extension"]:
                continue
            base = blind[row.length]
            rows.append(
                {
                    **{key: run[key] for key in ("task", "task_id", "metric", "method", "method_id", *AXES, "seed")},
                    "length": row.length,
                    "train_length": record.train_length,
                    "distribution": "in" if row.length <= record.train_length else "out",
                    **row.model_dump(include={"examples", "exact", "tokens", "correct", "nats"}),
                    "exact_match": scores.exact_match(row),
                    "token_accuracy": scores.token_accuracy(row),
                    "bits": scores.bits(row),
                    "blind_exact_match": scores.exact_match(base),
                    "blind_token_accuracy": scores.token_accuracy(base),
                    "blind_bits": scores.bits(base),
                    "record": record.name,
                }
            )
    return pd.DataFrame(rows)


def leaderboard(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each task and method, best first; methods that did not converge in distribution come last and have no
    rank.
    """
    runs = _runs(records)
    rows = [_row(group) for _, group in runs.groupby(["task", "task_id", "method_id"], sort=True)]
    table = pd.DataFrame(rows)
    table["better"] = table.score.where(table.metric == "exact_match", -table.score)
    table["rank"] = table.better.where(table.ranked).groupby(table.task_id).rank(ascending=False, method="min")
    table["rank"] = table["rank"].astype("Int64")
    order = ["task", "task_id", "ranked", "better", "method"]
    table = table.sort_values(order, ascending=[True, True, False, False, True], ignore_index=True)
    columns = [column for column in table.columns if column not in ("task", "rank", "ranked", "better")]
    return table[["task", "rank", *columns]]


def _runs(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each run and extension: what it is, and the numbers that follow from its counts."""
    rows: list[dict[str, Any]] = []
    for record in records:
        science: dict[str, Any] = record.science
        training: dict[str, Any] = science["training"]
        task = {
            "task": training["task"],
            "lengths": training["lengths"],
            "tested": science["tested"],
            "evaluation": science["evaluation"],
        }
        summaries = (
            {summary.extension: summary for summary in scores.summaries(record)} if record.status == "finished" else {}
        )
        for extension, component in science["extension"].items():
            method = {
                group: training[group]
                for group in ("encoding", "positions", "logit", "architecture", "model", "train", "identity")
            } | {"extension": component}
            rows.append(
                {
                    "object": record,
                    "status": record.status,
                    "seed": record.seed,
                    "metric": record.task.metric,
                    "task_node": task,
                    "task_id": identity.digest(task),
                    "method_node": method,
                    "method_id": identity.digest(method),
                    **{axis: method[axis]["name"] for axis in AXES},
                    "extension": extension,
                    "summary": summaries.get(extension),
                }
            )
    runs = pd.DataFrame(rows)
    # The same weights may have been tested twice, in runs that list other extensions: a seed counts once.
    runs = runs.sort_values("status", ascending=False, kind="stable", ignore_index=True)  # finished before failed
    runs = runs.drop_duplicates(["task_id", "method_id", "seed"], ignore_index=True)
    for kind, first in (("task", "task"), ("method", "encoding")):
        distinct = runs.drop_duplicates(f"{kind}_id")
        names = labels(first, list(distinct[f"{kind}_node"]), among_namesakes=kind == "task")
        runs[kind] = runs[f"{kind}_id"].map(dict(zip(distinct[f"{kind}_id"], names, strict=True)))
    return runs


def _row(runs: pd.DataFrame) -> dict[str, Any]:
    """What the seeds of one method on one task come to."""
    first = runs.iloc[0]
    finished = runs[runs.status == "finished"]
    summaries: list[scores.Summary] = list(finished.summary)
    costs = [record.cost for record in finished.object]
    text = first.metric == "bits_per_byte"
    values = [summary.bits if text else summary.exact_match for summary in summaries]
    converged = sum(summary.in_distribution >= scores.CONVERGED for summary in summaries)
    low, high = interval(values)
    ranked = bool(summaries) and (text or converged * 2 >= len(summaries))
    notes = []
    if summaries and not ranked:
        notes.append("not converged in distribution")
    elif not text and converged < len(summaries):
        notes.append(f"{len(summaries) - converged} of {len(summaries)} seeds not converged in distribution")
    if len(summaries) < FEW:
        notes.append(f"few seeds ({len(summaries)})")
    if len(finished) < len(runs):
        notes.append(f"{len(runs) - len(finished)} runs failed")

    def average(name: str) -> float:
        return scores.mean([getattr(summary, name) for summary in summaries])

    def cost(name: str) -> float:
        return scores.mean([getattr(c, name) for c in costs])

    return {
        "task": first.task,
        "ranked": ranked,
        "method": first.method,
        **{axis: first[axis] for axis in AXES},
        "metric": first.metric,
        "seeds": len(summaries),
        "converged": math.nan if text else converged,
        "in_distribution": average("in_distribution"),
        "score": scores.mean(values),
        "score_low": low,
        "score_high": high,
        "score_median": float(pd.Series(values, dtype=float).median()),
        "score_iqm": interquartile_mean(values),
        "score_min": min(values, default=math.nan),
        "score_max": max(values, default=math.nan),
        "pooled_exact_match": average("pooled"),
        "exact_above_blind": average("exact_above_blind"),
        "token_accuracy": average("token_accuracy"),
        "tokens_above_blind": average("tokens_above_blind"),
        "bits": average("bits"),
        "reach": math.nan if text else float(pd.Series([summary.reach for summary in summaries], dtype=float).median()),
        "reach_multiple": math.nan
        if text
        else float(pd.Series([summary.reach_multiple for summary in summaries], dtype=float).median()),
        "train_length": first.object.train_length,
        "longest_tested": max(first.task_node["tested"]),
        "parameters": cost("parameters"),
        "steps": cost("steps"),
        "examples": cost("examples"),
        "training_seconds": cost("training_seconds"),
        "note": "; ".join(notes),
        "task_version": first.object.task.version,
        "task_id": first.task_id,
        "method_id": first.method_id,
    }
