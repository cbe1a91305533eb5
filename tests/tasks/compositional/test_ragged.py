"""Draws from rows of unequal length."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tasks.compositional import ragged


def test_cells_are_drawn_in_proportion_to_their_weights() -> None:
    rows = [[0.2, 0.8], [1.0], [0.5, 0.0, 0.25, 0.25]]
    widths = np.array([len(row) for row in rows] * 20_000)
    cells = ragged.draw(np.random.default_rng(0), np.tile(np.concatenate(rows), 20_000), widths).reshape(-1, 3)
    for drawn, row in zip(cells.T, rows, strict=True):
        np.testing.assert_allclose(np.bincount(drawn, minlength=len(row)) / 20_000, row, atol=0.01)


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=5).filter(any), min_size=1, max_size=30))
def test_a_cell_without_weight_is_never_drawn(rows: list[list[int]]) -> None:
    weights = np.concatenate([np.array(row) / sum(row) for row in rows])

    class Extreme(np.random.Generator):
        def random(self, size: int) -> np.ndarray:  # type: ignore[override]
            return np.resize([0.0, np.nextafter(1, 0)], size)

    cells = ragged.draw(Extreme(np.random.PCG64(0)), weights, np.array([len(row) for row in rows]))
    assert all(row[cell] > 0 for row, cell in zip(rows, cells, strict=True))


def test_rows_and_cells_are_counted() -> None:
    rows, cells = ragged.within(np.array([2, 0, 3]))
    assert rows.tolist() == [0, 0, 2, 2, 2]
    assert cells.tolist() == [0, 1, 0, 1, 2]
