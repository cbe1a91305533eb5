"""Position rules: what they make of the draws of an independent implementation."""

import numpy as np
import pytest
import torch
from golden_cases import FOLDER, Golden, golden

from harness.dimensions import Dimensions
from harness.encodings.learned import Learned
from harness.encodings.sinusoidal import Sinusoidal
from harness.positions.abacus import numbered
from harness.positions.base import Sequences
from harness.positions.cape import CAPE, augmented
from harness.positions.coupled import Coupled
from harness.positions.coupled_levels import CoupledLevels
from harness.positions.grid import Grid
from harness.positions.offsets import from_starts
from harness.positions.pose import skipping
from harness.positions.random_offset import counted
from tasks.arithmetic import multiple_addition_scratchpad, multiplication, sums
from tasks.arithmetic.addition import Addition
from tasks.arithmetic.addition_hints import hinted
from tasks.arithmetic.multiplication import Multiplication
from tasks.base import Task
from tasks.copying.copy import Copy
from tasks.copying.reverse import Reverse
from tasks.formal.parity import Parity
from tasks.formal.parity_scratchpad import ParityScratchpad
from tasks.runs import index_in_runs
from tasks.tracking import boards


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
        ("coupling_parity_scratchpad", ParityScratchpad(), lambda n: n),
        ("coupling_parity_scratchpad_reverse", ParityScratchpad(order="reversed"), lambda n: n),
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
            evaluated = Coupled().sample(rng, Sequences(np.array([0]), 0, training=False, channels={"place": numbers}))
            assert np.array_equal(evaluated[0], rows[-1])
    matched(known, rows)


def test_positions_of_cells_on_boards() -> None:
    """Their columns come first, and their cells are one farther from the start, which belongs to the separator."""
    known, rng = golden("coupling_minesweeper_2ch"), np.random.default_rng(0)
    mine = np.full(tuple(known["positions"].shape), -1)
    theirs = known["positions"].long()
    for row, (cells, starts) in enumerate(zip(known["n_input"].tolist(), known["start"].tolist(), strict=True)):
        columns = int(theirs[row, 0, :cells].max()) - starts[0]
        numbers = boards.places(cells // columns, columns, 1)
        told = Grid().sample(rng, Sequences(np.array([0]), 0, training=False, channels=numbers))[0]  # from (1, 1)
        for channel, axis in enumerate((1, 0)):
            cell = told[:, axis] - 1 + starts[channel] + 1
            mine[row, channel, : 2 * cells + 1] = np.concatenate([cell[:cells], [starts[channel]], cell[cells:]])
    known.match("positions", torch.from_numpy(mine))


def sequences(case: str) -> list[tuple[str, str]]:
    """Questions and answers of a case, without spaces."""
    with np.load(FOLDER / f"{case}.npz") as file:
        lines = [line.replace(" ", "") for line in file["sequences"].tolist()]
    return [(line.partition("=")[0], line.partition("=")[2]) for line in lines]


def units_first(number: str, width: int) -> np.ndarray:
    return np.array([[int(digit) for digit in number[::-1].ljust(width, "0")]])


def test_coupled_positions_of_sums_without_leading_zeros() -> None:
    known = golden("coupling_addition_plain")
    rows = []
    for (question, answer), start in zip(
        sequences("coupling_addition_plain"), known["start"].ravel().tolist(), strict=True
    ):
        parts = question.split("+")
        width = max(map(len, parts))
        first, second = (units_first(part, width) for part in parts)
        digits = np.array([[len(part)] for part in parts])
        batch = sums.laid_out(first, second, digits, plus=10, operands="plain", answer="plain")
        shown = "".join(
            "0123456789+"[token] for row in (batch.prompt[0], batch.answer[0]) for token in row if token >= 0
        )
        assert shown == question + answer
        separator = batch.prompt.shape[1]
        place = batch.channels["place"][:, np.r_[: len(question), separator : separator + 1 + len(answer)]]
        rows.append(from_starts(place, start)[0])
    matched(known, rows)


def coupled_product(question: str, answer: str, *, operands: str, order: str, from_units: bool) -> np.ndarray:
    """The places of a product that is written so."""
    parts = [part if operands == "plain" else part[::-1] for part in question.split("*")]
    first, second = (units_first(part, len(part)) for part in parts)
    prompt, said, channels = multiplication.laid_out(
        (first, second),
        multiplication.product(first, second),
        np.array([len(answer)]),
        times=10,
        operands=operands,
        answer=order,
        from_units=from_units,
    )
    assert "".join("0123456789*"[token] for token in prompt.tokens[0]) == question
    assert "".join("0123456789"[token] for token in said.tokens[0] if token >= 0) == answer
    return channels["place"][:, : len(question) + 1 + len(answer)]


@pytest.mark.parametrize(
    ("case", "operands", "order"),
    [
        ("coupling_multiplication_NxM_inP_outP", "plain", "plain"),
        ("coupling_multiplication_NxM_inP_outR", "plain", "reversed"),
        ("coupling_multiplication_NxM_inR_outR", "reversed", "reversed"),
    ],
)
def test_coupled_positions_of_products(case: str, operands: str, order: str) -> None:
    known, rows = golden(case), []
    for (question, answer), start in zip(sequences(case), known["start"].ravel().tolist(), strict=True):
        place = coupled_product(question, answer, operands=operands, order=order, from_units=True)
        rows.append(from_starts(place, start)[0])
    matched(known, rows)


@pytest.mark.parametrize("case", ["coupling_multiplication_Nx1", "coupling_multiplication_Nx2"])
def test_coupled_positions_of_products_with_so_many_digits(case: str) -> None:
    known, rows = golden(case), []
    for (question, answer), start in zip(sequences(case), known["start"].ravel().tolist(), strict=True):
        place = coupled_product(question, answer, operands="plain", order="reversed", from_units=False)
        rows.append(from_starts(place, start)[0])
    matched(known, rows)


@pytest.mark.parametrize("second", [1, 2, 3])
def test_in_evaluation_products_begin_where_the_published_ones_do(second: int) -> None:
    """With N digits and M their end is 1 + N + M: the sign there, digits before it, the answer from there back to 1."""
    task, length, rng = Multiplication(second=second, leading_zeros=True), 4, np.random.default_rng(0)
    end = 1 + length + second
    published = [*range(end - length, end + 1), *range(end - second, end + 1), *range(end - 1, 0, -1)]
    channels = task.sample(rng, length, 3).channels
    told = Coupled().sample(rng, Sequences(np.array([0]), 0, training=False, channels=channels))
    assert told.tolist() == [published] * 3
    assert task.channel_maximum("place", length) == channels["place"].max()


def test_coupled_positions_of_sums_of_many_have_two_levels() -> None:
    """What the rule tells in evaluation, moved by their starts; theirs begin with the first operand. Their largest
    positions, 20 and 8, are those of the rule in training.
    """
    known = golden("coupling_multiple_addition_scratchpad_2ch")
    mine = np.full(tuple(known["positions"].shape), -1)
    place, segment = (known.meta["hyper"][f"max_position_{level}"] + 1 for level in ("digits", "operands"))
    rule = CoupledLevels(maximum_place=place, maximum_segment=segment)
    for row, ((question, answer), starts) in enumerate(
        zip(sequences("coupling_multiple_addition_scratchpad_2ch"), known["start"].tolist(), strict=True)
    ):
        parts = question.split("+")
        numbers = np.stack([units_first(part, len(part)) for part in parts], axis=1)
        batch = multiple_addition_scratchpad.laid_out(
            numbers,
            np.array([len(parts)]),
            np.array([len(parts[0])]),
            signs=(10, 11),
            operands="plain",
            answer="reversed",
        )
        assert "".join("0123456789+"[token] for token in batch.prompt[0]) == question
        assert "".join("0123456789+>"[token] for token in batch.answer[0]) == answer
        tokens = len(question) + 1 + len(answer)
        rng, lengths = np.random.default_rng(0), np.array([tokens])
        told = rule.sample(rng, Sequences(lengths, tokens, training=False, channels=batch.channels))[0]
        mine[row, :, :tokens] = told.T + np.array(starts)[:, None] - 1
        maxima = {channel: int(batch.channels[channel].max()) for channel in rule.needs}
        assert (mine[row].max(axis=1) <= rule.largest_each(tokens, training=True, maxima=maxima)).all()
    known.match("positions", torch.from_numpy(mine))


def test_index_hints() -> None:
    """Their operands have a leading zero already; theirs are written with numbers from 10 for hints."""
    known = golden("index_hints_addition")
    with np.load(FOLDER / "index_hints_addition.npz") as file:
        lines = file["sequences"].tolist()
    for line, (first_hint, _) in zip(lines, known["start"].tolist(), strict=True):
        shown = []
        for part in line.replace("=", "+").split("+"):
            digits = "".join(part.split()[1::2])
            hints = first_hint + np.arange(len(digits))[None, ::-1]
            shown.append(" ".join(map(str, hinted(units_first(digits, len(digits)), hints, "plain")[0])))
        assert "{} + {} = {}".format(*shown) == line
    rows = [
        counted(np.array([start]), len(line.split()))[0]
        for line, (_, start) in zip(lines, known["start"].tolist(), strict=True)
    ]
    matched(known, rows)


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
    encoding = Learned(Dimensions(8, 1, 1, 64), rows=70)
    encoding.table.weight.data = known["table"]
    for output, positions in (("embedding_eval", evaluated), ("embedding_train", trained)):
        at = torch.from_numpy(positions)
        known.match(output, encoding.embed(torch.zeros(*at.shape, 8), at, at))


def test_cape_can_count_from_the_middle() -> None:
    """As ``normalize`` of their code does: the mean of a sequence's own positions is taken off, then they move."""
    rule, lengths = CAPE(global_shift=0.0, local_shift=0.0, global_scale=1.0, centred=True), np.array([4, 7])
    for training in (True, False):
        told = rule.sample(np.random.default_rng(0), Sequences(lengths, 9, training=training))
        assert told.dtype == np.float32
        assert told[0, :4].tolist() == [-1.5, -0.5, 0.5, 1.5]
        assert told[1, :7].tolist() == [-3, -2, -1, 0, 1, 2, 3]
        assert told.max() <= rule.largest(7, training=training)
    known = golden("cape")
    draws = [known[f"draw_{name}"].numpy() for name in ("global_shift", "local_shift", "log_scale")]
    centred = augmented(*draws, middle=9.5)
    np.testing.assert_allclose(centred, augmented(*draws) - 9.5 * np.exp(draws[2]), atol=1e-5)


def test_cape() -> None:
    known = golden("cape")
    draws = (known[f"draw_{name}"].numpy() for name in ("global_shift", "local_shift", "log_scale"))
    trained = torch.from_numpy(augmented(*draws))
    evaluated = torch.from_numpy(
        CAPE().sample(np.random.default_rng(0), Sequences(np.array([20, 20]), 20, training=False))
    )
    known.match("positions_train", trained)
    encoding = Sinusoidal(Dimensions(64, 4, 1, 64), base=known.meta["hyper"]["base"])
    x = known["x"] * known.meta["hyper"]["content_scale"]
    for output, positions in (("output_eval", evaluated), ("output_train", trained)):
        known.match(output, encoding.embed(x, positions.long(), positions))
