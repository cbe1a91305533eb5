"""The columns of records that are alike, made of their numbers all at once."""

from collections.abc import Hashable, Sequence

import numpy as np

from harness.results.columns import COSTS, COUNTS, Columns, behind
from harness.results.number_checks import Sections
from harness.results.records import Record
from harness.results.seedless import Method

Own = tuple[str, str, int, float, Method]
"""The two names, the seed, the final loss and the method of a record."""


def add(columns: Columns, example: Record, baselines: Hashable, records: Sequence[Own], numbers: Sections) -> None:
    """Add records that are like the example in all but these things and their numbers."""
    costs = np.column_stack([numbers.of("cost", name) for name in COSTS]).tolist()
    firsts = []
    for (name, training_name, seed, loss, method), cost in zip(records, costs, strict=True):
        own = (name, training_name, seed, loss, *cost)
        runs = columns.add_runs(
            example, own, method.task, method.methods, baselines, *behind(method.values[0], method.values[1])
        )
        firsts.append(min(runs.values()))
    first, places = np.array(firsts), {extension: place for place, extension in enumerate(runs)}
    tested = {row.length: place for place, row in enumerate(example.blind)}
    compared = {row.length: row.in_training for row in example.tests}
    for table in ("scores", "slices"):
        rows = getattr(example, table)
        if not rows:
            continue
        order = sorted(range(len(rows)), key=[places[row.extension] for row in rows].__getitem__)
        rows = [rows[place] for place in order]

        def every(values: Sequence[float | None], rows: Sequence[object] = rows) -> np.ndarray:
            return np.tile(np.array(values, float), len(records))

        made = {name: numbers.of(table, name)[:, order].ravel() for name in ("length", *COUNTS)}
        made["run"] = (first[:, None] + [places[row.extension] for row in rows]).ravel()
        if table == "scores":
            made["place"] = every([tested[row.length] for row in rows])
            made["in_training"] = every([compared.get(row.length) for row in rows])
            columns.add_rows(table, made)
        else:
            axes = {axis for row in rows for axis in row.at}
            columns.add_rows(
                table, made, {axis: every([row.at.get(axis, -1) for row in rows]).astype(np.int64) for axis in axes}
            )
    if example.looks:
        names = ("step", "in_distribution", "out_of_distribution")
        looks = {name: numbers.of("looks", name).ravel() for name in names}
        columns.add_rows("looks", {"run": np.repeat(first, len(example.looks)), **looks})
