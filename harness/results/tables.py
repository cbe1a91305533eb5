"""The tables: a row per run, extension and length; the same along the axes of the tasks; a row per task and method."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from harness.config import identity
from harness.config.schema import ATTENTION
from harness.results import metrics
from harness.results.labels import labels
from harness.results.records import Record, ScoreRow
from harness.results.statistics.seeds import FEW, interquartile_mean, t_interval

AVERAGED = (
    "exact_match",
    "exact_given_length",
    "pooled_exact_match",
    "exact_above_blind",
    "token_accuracy",
    "tokens_above_blind",
    "bits",
)
NO_RANK = "no rank: no method scores above a guess"
AXES = ("encoding", "positions", "extension", "logit", "architecture", "mixer")


def curves(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each run, extension and tested length, with the counts and what follows from them."""
    rows = []
    for run, record in _finished(records):
        blind = {row.length: row for row in record.blind}
        for row in record.scores:
            if row.extension == run["extension"]:
                base = blind[row.length]
                low, high = metrics.bits_interval(record, row.extension, row.length)
                rows.append(
                    _counted(run, record, row)
                    | {
                        "bits_low": low,
                        "bits_high": high,
                        "blind_exact_match": metrics.exact_match(base),
                        "blind_token_accuracy": metrics.token_accuracy(base),
                        "blind_bits": metrics.bits(base),
                        "record": record.name,
                    }
                )
    return pd.DataFrame(rows)


def slices(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each run, extension, tested length and combination of values on the axes of its task: a column per
    axis. Empty if no task has axes.
    """
    rows = [
        _counted(run, record, row) | {f"axis_{axis}": value for axis, value in row.at.items()} | {"record": record.name}
        for run, record in _finished(records)
        for row in record.slices
        if row.extension == run["extension"]
    ]
    table = pd.DataFrame(rows)
    axes = sorted(column for column in table.columns if column.startswith("axis_"))
    return table.astype(dict.fromkeys(axes, "Int64"))[[column for column in table.columns if column not in axes] + axes]


def leaderboard(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each task and method, best first. Methods that did not converge in distribution come after and have no
    rank, nor have the task's baselines, which come last. Where no method beats a guess none has a rank.
    """
    runs = _runs(records)
    rows = [_row(group) for _, group in runs.groupby(["task", "task_id", "method_id"], sort=True)]
    for _, group in runs[runs.status == "finished"].groupby("task_id", sort=True):
        newest = max(group.to_dict("records"), key=lambda run: len(run["object"].chance))  # the first had fewer
        rows += [_baseline_row(newest, summary) for summary in metrics.baselines(newest["object"])]
    table = pd.DataFrame(rows)
    table["better"] = table.score.where(table.metric != "bits_per_byte", -table.score)
    nothing = table.ranked & ~table.task_id.isin(_with_a_score(table))
    table.loc[nothing, "note"] = [f"{NO_RANK}; {note}" if note else NO_RANK for note in table.note[nothing]]
    table["rank"] = (
        table.better.where(table.ranked & ~nothing).groupby(table.task_id).rank(ascending=False, method="min")
    )
    table = table.astype({"rank": "Int64", "seeds": "Int64", "unsealed": "Int64"})
    order = ["task", "task_id", "kind", "ranked", "better", "method"]
    table = table.sort_values(order, ascending=[True, True, False, False, False, True], ignore_index=True)
    columns = [column for column in table.columns if column not in ("task", "rank", "ranked", "better")]
    return table[["task", "rank", *columns]]


def _with_a_score(table: pd.DataFrame) -> set[str]:
    """The tasks on which some converged method scores above a guess, blind or by chance: its mean, and the whole
    interval over seeds where there is one. Methods that all score no better than a guess are not ranked.
    """
    worst = table.score_low.where(table.metric != "bits_per_byte", -table.score_high).fillna(table.better)
    guessed = table.better[table.method.isin(["(blind)", "(chance)"])].groupby(table.task_id).max()
    above = table.ranked & (worst > table.task_id.map(guessed))
    return set(table.task_id[above])


def _finished(records: Sequence[Record]) -> Iterator[tuple[dict[str, Any], Record]]:
    runs = _runs(records)
    for run in runs[runs.status == "finished"].to_dict("records"):
        yield run, run["object"]


def _counted(run: dict[str, Any], record: Record, row: ScoreRow) -> dict[str, Any]:
    given_length = row.exact_given_length
    return {
        **{key: run[key] for key in ("task", "task_id", "metric", "method", "method_id", *AXES, "seed")},
        "length": row.length,
        "train_length": record.train_length,
        "distribution": "in" if row.length <= record.train_length else "out",
        **row.model_dump(include={"examples", "exact", "tokens", "correct", "nats", "bytes"}),
        "exact_match": metrics.exact_match(row),
        "exact_given_length": math.nan if given_length is None else given_length / row.examples,
        "token_accuracy": metrics.token_accuracy(row),
        "bits": metrics.bits(row),
    }


def _mixer(training: dict[str, Any]) -> dict[str, Any]:
    """The mixers of a run's layers as one choice: named after the pattern that the layers repeat."""
    if "mixer" not in training:
        return {"name": ATTENTION.name, "options": {}}
    pattern: list[str] = training["pattern"]
    period = next(
        n for n in range(1, len(pattern) + 1) if all(a == b for a, b in zip(pattern, pattern[n:], strict=False))
    )
    options = {
        f"{name}.{key}": value for name, node in training["mixer"].items() for key, value in node["options"].items()
    }
    return {"name": "+".join(pattern[:period]), "options": options}


def _callbacks(training: dict[str, Any]) -> dict[str, Any]:
    """The callbacks of a run as one choice."""
    called: list[dict[str, Any]] = training.get("callbacks", [])
    options = {f"{node['name']}.{key}": value for node in called for key, value in node["options"].items()}
    return {"name": "+".join(node["name"] for node in called) or "no callbacks", "options": options}


def _origin(training: dict[str, Any], extension: dict[str, Any]) -> dict[str, Any]:
    """Where a run's initial weights come from, whatever the seed, and how they were extended, as a choice with
    options.
    """
    if (said := training.get("weights_from")) is None:
        return {"name": "from scratch", "options": {}}
    how = "" if extension == identity.DEFAULTS["train_extension"] else f" with {extension['name']}"
    facts = {"original_tokens": said["tokens"], "weights": said.get("method", "")}
    return {"name": f"fine-tuned{how}", "options": {**extension["options"], **facts}}


def _runs(records: Sequence[Record]) -> pd.DataFrame:
    """A row for each run and extension: its task and method, and the summary of its counts."""
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
            {summary.name: summary for summary in metrics.summaries(record)} if record.status == "finished" else {}
        )
        for extension, component in science["extension"].items():
            method = {
                group: training[group]
                for group in ("encoding", "positions", "logit", "architecture", "model", "train", "identity")
            } | {"extension": component}
            named = ("mixer", "pattern", "callbacks", *identity.DEFAULTS)
            mixed = {key: training[key] for key in named if key in training}
            others = {key: training.get(key, usual) for key, usual in identity.DEFAULTS.items()}
            origin = _origin(training, others.pop("train_extension"))
            shown = method | {"mixer": _mixer(training), "callbacks": _callbacks(training), "weights_from": origin}
            shown |= others
            mixed |= {"weights_from": origin} if "weights_from" in training else {}
            rows.append(
                {
                    "object": record,
                    "status": record.status,
                    "seed": record.seed,
                    "origin": (training.get("weights_from") or {}).get("training", ""),
                    "metric": record.task.metric,
                    "task_node": {"task": _flat(task)},
                    "task_id": identity.digest(task),
                    "tested": science["tested"],
                    "method_node": shown,
                    "method_id": identity.digest(method | mixed),
                    **{axis: shown[axis]["name"] for axis in AXES},
                    "extension": extension,
                    "summary": summaries.get(extension),
                }
            )
    runs = pd.DataFrame(rows)
    # The same weights may have been tested twice, in runs that list other extensions: a seed counts once.
    runs = runs.sort_values("status", ascending=False, kind="stable", ignore_index=True)  # finished before failed
    runs = runs.drop_duplicates(["task_id", "method_id", "seed", "origin"], ignore_index=True)
    runs["task"] = _named(runs, "task", "task")
    methods = [_named(those, "method", "encoding") for _, those in runs.groupby("task_id")]
    runs["method"] = pd.concat(methods)  # a method's name says how it differs from the others of its task
    return runs


def _flat(task: dict[str, Any]) -> dict[str, Any]:
    """A task with its lengths and evaluation settings merged into its options."""
    options = task["task"]["options"]
    settings = {**task["lengths"], "tested": task["tested"], **task["evaluation"]}
    return task["task"] | {"options": options | {key: settings[key] for key in settings if key not in options}}


def _named(runs: pd.DataFrame, kind: str, first: str) -> pd.Series:
    """The label of each run's task, or method, among these runs."""
    distinct = runs.drop_duplicates(f"{kind}_id")
    names = labels(first, list(distinct[f"{kind}_node"]))
    return runs[f"{kind}_id"].map(dict(zip(distinct[f"{kind}_id"], names, strict=True)))


def _row(runs: pd.DataFrame) -> dict[str, Any]:
    """The leaderboard row of one method on one task, over its seeds."""
    first = runs.iloc[0]
    finished = runs[runs.status == "finished"]
    summaries: list[metrics.Summary] = list(finished.summary)
    costs = [record.cost for record in finished.object]
    text = first.metric == "bits_per_byte"
    values = [summary.score for summary in summaries]
    converged = sum(summary.in_distribution >= metrics.CONVERGED for summary in summaries)
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
        return metrics.mean([getattr(summary, name) for summary in summaries])

    def cost(name: str) -> float:
        return metrics.mean([getattr(c, name) for c in costs])

    return {
        "task": first.task,
        "kind": "method",
        "ranked": ranked,
        "method": first.method,
        **{axis: first[axis] for axis in AXES},
        "metric": first.metric,
        "seeds": len(summaries),
        "converged": math.nan if text else converged,
        "in_distribution": average("in_distribution"),
        "score": metrics.mean(values),
        "score_low": low,
        "score_high": high,
        "score_median": float(pd.Series(values, dtype=float).median()),
        "score_iqm": interquartile_mean(values),
        "score_min": min(values, default=math.nan),
        "score_max": max(values, default=math.nan),
        **{name: average(name) for name in AVERAGED},
        "reach": math.nan if text else float(pd.Series([summary.reach for summary in summaries], dtype=float).median()),
        "reach_multiple": math.nan
        if text
        else float(pd.Series([summary.reach_multiple for summary in summaries], dtype=float).median()),
        "train_length": first.object.train_length,
        "longest_tested": max(first.tested),
        "parameters": cost("parameters"),
        "steps": cost("steps"),
        "examples": cost("examples"),
        "training_seconds": cost("training_seconds"),
        "note": "; ".join(notes),
        "unsealed": sum(not record.seal for record in runs.object),
        "task_version": first.object.task.version,
        "task_id": first.task_id,
        "method_id": first.method_id,
    }


def _baseline_row(run: dict[str, Any], summary: metrics.Summary) -> dict[str, Any]:
    """The trivial baselines of a task. There is one of each: no seeds, no intervals."""
    record: Record = run["object"]
    return {
        "task": run["task"],
        "kind": "baseline",
        "ranked": False,
        "method": f"({summary.name})",
        **dict.fromkeys(AXES, ""),
        "metric": run["metric"],
        "in_distribution": summary.in_distribution,
        "score": summary.score,
        **{name: getattr(summary, name) for name in AVERAGED},
        "reach": math.nan if run["metric"] == "bits_per_byte" else summary.reach,
        "reach_multiple": math.nan if run["metric"] == "bits_per_byte" else summary.reach_multiple,
        "train_length": record.train_length,
        "longest_tested": max(run["tested"]),
        "note": "",
        "task_version": record.task.version,
        "task_id": run["task_id"],
        "method_id": "",
    }
