"""The columns of the page's heat map: one name for a method on all tasks."""

import pandas as pd

from harness.results.descriptions import AXES
from harness.results.frames import Frames
from harness.results.labels import labels


def named(found: Frames, runs: pd.DataFrame) -> dict[tuple[str, str], str]:
    """The name on the page for each task id and method id of ``runs``.

    Over tasks a method is what was chosen on the axes, since budgets may differ from task to task. Where one task has
    several methods with the same choices, such as two budgets, each has a column of its own, whose name says in what
    they differ.
    """
    pairs = runs[["task_id", "method_id", *AXES]].astype(object).drop_duplicates(["task_id", "method_id"])
    choices = [tuple(row) for row in pairs[list(AXES)].itertuples(index=False)]
    distinct = sorted(set(choices))
    nodes = [{axis: {"name": name, "options": {}} for axis, name in zip(AXES, own, strict=True)} for own in distinct]
    short = dict(zip(distinct, labels("encoding", nodes), strict=True))
    pairs = pairs.assign(choice=[short[own] for own in choices])
    per_task = pairs.groupby(["task_id", "choice"]).size()
    several = set(per_task[per_task > 1].index.get_level_values("choice"))
    names = dict(zip(zip(pairs.task_id, pairs.method_id, strict=True), pairs.choice, strict=True))
    for choice in several:
        own = pairs[pairs.choice == choice]
        ids = sorted(set(own.method_id))
        full = dict(zip(ids, labels("encoding", [found.methods[key] for key in ids]), strict=True))
        for task, method in zip(own.task_id, own.method_id, strict=True):
            further = full[method].partition(" · ")[2] if " · " in full[method] else method
            names[task, method] = f"{choice} · {further}"
    return names
