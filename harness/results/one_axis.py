"""Methods that differ in one axis alone, with all else the same."""

import json
from typing import Any, NamedTuple

import pandas as pd

from harness.config import identity
from harness.errors import Refused
from harness.results import overall, run_facts
from harness.results.descriptions import AXES
from harness.results.frames import Frames
from harness.results.labels import labels

VARIED = {**{axis: axis for axis in AXES}, "size": "model"}
"""The axes that can be varied, and the group of a method that each is."""


class Block(NamedTuple):
    """Runs that differ on their task in one axis alone, ``method`` being what they have there."""

    runs: pd.DataFrame
    fixed: list[str]
    """What all of them have, and what is the same within each task."""


class Found(NamedTuple):
    """What can be compared."""

    blocks: list[Block]
    alone: int
    """How many methods on a task there are that no other one differs from in this axis alone."""


def blocks(found: Frames, axis: str) -> Found:
    """The runs by what they have on the other axes. Raises :class:`Refused` where nothing differs in this axis alone,
    and where a task has several budgets of the same methods.
    """
    runs = overall.measured(found).rename(columns={"method": "name"})
    group = VARIED[axis]
    rests = {key: {g: own for g, own in node.items() if g != group} for key, node in found.methods.items()}
    digests = {key: identity.digest(rest) for key, rest in rests.items()}
    others = [other for other in AXES if other != axis]
    runs = runs.assign(
        rest=runs.method_id.map(digests),
        place=runs[others].astype(object).agg(" · ".join, axis=1),
        choice=runs.method_id.map(lambda key: _plain(found.methods[key][group])),
    )
    ways = runs.groupby(["task_id", "rest"]).choice.transform("nunique")
    kept = runs[ways > 1]
    alone = len(runs[ways == 1].drop_duplicates(["task_id", "method_id"]))
    if kept.empty:
        raise Refused(
            f"--axis {axis}: on no task do methods differ in that alone{_also(found, runs, group)}: "
            "compare without --axis, or run what is missing"
        )
    made = []
    for _, part in kept.groupby("place", sort=True):
        several = part.groupby("task_id").rest.unique()
        if (several.map(len) > 1).any():
            _refuse(found, part, several, rests)
        ids = list(dict.fromkeys(part.method_id))
        nodes = [{"choice": found.methods[key][group]} for key in ids]
        texts = labels("choice", nodes) if "name" in found.methods[ids[0]][group] else _sizes(nodes)
        part = part.assign(method=part.method_id.map(dict(zip(ids, texts, strict=True))))
        made.append(Block(part.drop(columns=["rest", "place", "choice"]), _fixed(part, others, rests)))
    return Found(made, alone)


def _refuse(found: Frames, part: pd.DataFrame, several: pd.Series, rests: dict[str, dict[str, Any]]) -> None:
    task_id = several.index[several.map(len) > 1][0]
    here = part[part.task_id == task_id].drop_duplicates("rest")
    ways = run_facts.telling(found._replace(methods=rests), here.method_id)
    way = " or ".join(f"'{text}'" for text in ways[:2]) or "as in 'train.steps == 5000'"
    task = here.task.iloc[0]
    raise Refused(f"{task}: what is held fixed there is {len(here)} different things: choose one with a filter: {way}")


def _also(found: Frames, runs: pd.DataFrame, group: str) -> str:
    """What else differs between two methods of a task that differ in the axis."""
    for _, part in runs.groupby("task_id"):
        ids = list(dict.fromkeys(part.method_id))
        for other in ids[1:]:
            first, second = found.methods[ids[0]], found.methods[other]
            if _plain(first[group]) != _plain(second[group]):
                differing = [g for g in first if g != group and _plain(first[g]) != _plain(second.get(g))]
                return f" ({part.task.iloc[0]}: {', '.join(differing)} differ too)" if differing else ""
    return ""


def _fixed(part: pd.DataFrame, others: list[str], rests: dict[str, dict[str, Any]]) -> list[str]:
    """What is the same of all, as ``group name`` or ``key=value``, and the keys that are the same within each task."""
    known = [run_facts.method_keys(rests[key]) for key in dict.fromkeys(part.method_id)]
    names = [f"{other} {part[other].iloc[0]}" for other in others]
    budget = [
        key for key in dict.fromkeys(k for keys in known for k in keys) if key.split(".")[0] in ("model", "train")
    ]
    same: list[str] = []
    within: list[str] = []
    for key in budget:
        values = {json.dumps(keys.get(key)) for keys in known}
        if len(values) == 1:
            same.append(f"{key}={values.pop()}")
        else:
            within.append(key)
    return names + same + ([f"within each task {', '.join(within)}"] if within else [])


def _sizes(nodes: list[dict[str, Any]]) -> list[str]:
    sizes = [node["choice"] for node in nodes]
    differing = [key for key in sizes[0] if len({str(size.get(key)) for size in sizes}) > 1]
    return [" · ".join(f"{key}={size.get(key)}" for key in differing) for size in sizes]


def _plain(node: Any) -> str:
    return json.dumps(node, sort_keys=True)
