"""The columns of records that are alike, made of their numbers all at once."""

from collections.abc import Hashable, Sequence

import numpy as np

from harness.results.columns import COSTS, COUNTS, Columns, Own, behind
from harness.results.number_checks import Sections
from harness.results.records import Record
from harness.results.seedless import Method


def add(
    columns: Columns,
    example: Record,
    baselines: Hashable,
    records: Sequence[tuple[tuple[str, str], int, float, Method]],
    numbers: Sections,
) -> None:
    """Add records that are like the example in all but their two names, seed, final loss, method and numbers."""
    costs = np.column_stack([numbers.of("cost", name) for name in COSTS]).tolist()
    owned = [
        Own(names, seed, (loss, *cost), method.methods, *behind(*method.values))
        for (names, seed, loss, method), cost in zip(records, costs, strict=True)
    ]
    places = {extension: place for place, extension in enumerate(owned[0].methods)}
    first = columns.add_runs(example, owned, records[0][3].task, baselines) + len(places) * np.arange(len(owned))
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
