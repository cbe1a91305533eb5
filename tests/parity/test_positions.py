"""Position rules: what they make of the draws of an independent implementation."""

import numpy as np
import pytest
import torch
from golden_cases import Golden, golden

from harness.encodings.learned import Learned
from harness.encodings.sinusoidal import Sinusoidal
from harness.positions.abacus import numbered
from harness.positions.cape import CAPE, augmented
from harness.positions.coupled import Coupled
from harness.positions.pose import skipping
from harness.positions.random_offset import counted
from harness.positions.starts import from_starts
from harness.shape import Shape
from tasks.arithmetic.addition import Addition, places
from tasks.base import Task
from tasks.copying.copy import Copy
from tasks.copying.reverse import Reverse
from tasks.formal.parity import Parity
from tasks.runs import index_in_runs


def matched(case: Golden, rows: list[np.ndarray]) -> None:
    """Compare rows of different lengths with those of a case with one channel, exactly."""
    assert case.meta["tolerance"]["positions"] == {"atol": 0, "rtol": 0}
    mine = np.full((len(rows), case["positions"].shape[-1]), -1)
    for row, positions in enumerate(rows):
        mine[row, : len(positions)] = positions
    case.match("positions", torch.from_numpy(mine).view_as(case["positions"]))


@pytest.mark.parametrize(
    ("case", "task", "length"),
    [
        ("coupling_addition_all_reversed", Addition(operands="reversed", answer="reversed"), lambda n: (n - 1) // 2),
        (
            "coupling_addition_plain_operands_reversed_answer",
            Addition(operands="plain", answer="reversed"),
            lambda n: (n - 1) // 2,
        ),
        ("coupling_copy", Copy(), lambda n: n),
        ("coupling_copy_reverse", Reverse(), lambda n: n),
        ("coupling_parity", Parity(), lambda n: n),
    ],
)
def test_coupled_positions_of_a_task(case: str, task: Task, length) -> None:
    """The numbers of the cases are others, but places depend on how many tokens there are alone."""
    known, rng = golden(case), np.random.default_rng(0)
    rows = []
    for asked, start in zip(known["n_input"].tolist(), known["start"].ravel().tolist(), strict=True):
        numbers = task.sample(rng, length(asked), 1).channels["place"]
        rows.append(from_starts(numbers, start)[0])
        if start == 1:
            evaluated = Coupled().sample(rng, np.array([0]), 0, training=False, channels={"place": numbers})
            assert np.array_equal(evaluated[0], rows[-1])
    matched(known, rows)


def test_coupled_positions_of_sums_without_leading_zeros() -> None:
    known = golden("coupling_addition_plain")
    rows = []
    with np.load(known_path("coupling_addition_plain")) as file:
        sequences = file["sequences"].tolist()
    for sequence, start in zip(sequences, known["start"].ravel().tolist(), strict=True):
        question, answer = sequence.replace(" ", "").split("=")
        first, second = map(len, question.split("+"))
        digits = len(answer)
        numbers = places(first, second, np.array([[digits]]), digits, operands="plain", answer="plain")
        rows.append(from_starts(numbers, start)[0])
    matched(known, rows)


def known_path(case: str) -> str:
    from golden_cases import FOLDER

    return str(FOLDER / f"{case}.npz")


def test_random_starts() -> None:
    """Theirs count from 1 after a [BOS] at 0; here [BOS] is counted, so that it stands just before the start."""
    known = golden("random_start_positions")
    positions = [
        counted(np.array([start - 1]), length + 1)[0]
        for start, length in zip(known["start"].ravel().tolist(), known["length"].tolist(), strict=True)
    ]
    matched(known, [row[1:] for row in positions])


def test_pose() -> None:
    """Positions alone: their second chunk takes its content from elsewhere, ours goes on where the first ends."""
    known = golden("pose")
    matched(
        known,
        [
            skipping(np.array([split]), np.array([skip]), length)[0]
            for length, split, _, _, skip in known["draws"].tolist()
        ],
    )


def test_abacus() -> None:
    known = golden("abacus")
    tokens = known["tokens"].numpy()
    digit = index_in_runs((tokens >= 4) & (tokens <= 13))
    evaluated, trained = numbered(digit, 0), numbered(digit, known.meta["hyper"]["k"])
    known.match("positions", torch.from_numpy(evaluated))
    known.match("positions_train", torch.from_numpy(trained))
    encoding = Learned(Shape(8, 1, 1, 64), rows=70)
    encoding.table.weight.data = known["table"]
    for output, positions in (("embedding_eval", evaluated), ("embedding_train", trained)):
        at = torch.from_numpy(positions)
        known.match(output, encoding.embed(torch.zeros(*at.shape, 8), at, at))


def test_cape() -> None:
    known = golden("cape")
    draws = (known[f"draw_{name}"].numpy() for name in ("global_shift", "local_shift", "log_scale"))
    trained = torch.from_numpy(augmented(*draws))
    evaluated = torch.from_numpy(CAPE().sample(np.random.default_rng(0), np.array([20, 20]), 20, training=False))
    known.match("positions_train", trained)
    encoding = Sinusoidal(Shape(64, 4, 1, 64), base=known.meta["hyper"]["base"])
    x = known["x"] * known.meta["hyper"]["content_scale"]
    for output, positions in (("output_eval", evaluated), ("output_train", trained)):
        known.match(output, encoding.embed(x, positions.long(), positions))
