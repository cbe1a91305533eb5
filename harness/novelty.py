"""What the longest test asks of a position encoding that training never showed it.

Most failures beyond the training length begin here: a table row that was never trained, a pair of channels at angles
that never occurred. It is known before a step is taken, so every run says it.
"""

from collections.abc import Mapping

from harness import evaluation
from harness.encodings.base import Encoding, Extent
from harness.extensions.base import Extension
from harness.layouts import Causal
from harness.models.base import Model
from harness.positions.base import PositionRule
from tasks.base import Task


def novelty(
    model: Model,
    task: Task,
    layout: Causal,
    rule: PositionRule,
    extensions: Mapping[str, Extension],
    *,
    train_length: int,
    test_length: int,
) -> dict[str, list[str]]:
    """A line for each kind of thing that a test of ``test_length`` needs and training never met, by extension."""
    trained = _extent(task, layout, rule, train_length, training=True)
    tested = _extent(task, layout, rule, test_length, training=False)
    found = {}
    for name, extension in extensions.items():
        with evaluation.extended(model, extension, trained.tokens, tested.tokens):
            lines = [line for encoding in model.encodings() for line in _lines(encoding, trained, tested)]
        found[name] = list(dict.fromkeys(lines))
    return found


def _extent(task: Task, layout: Causal, rule: PositionRule, length: int, *, training: bool) -> Extent:
    tokens = layout.width(task, length)
    return Extent(tokens, rule.reaches(task, length, tokens, training=training), rule.consecutive)


def _lines(encoding: Encoding, trained: Extent, tested: Extent) -> list[str]:
    lines = []
    if encoding.kind == "absolute":
        lines += _range("positions", trained.position, tested.position)
    elif encoding.kind in ("relative", "bias", "rotary"):
        lines += _range("distances", trained.distance, tested.distance)
    return [*lines, *encoding.untrained(trained, tested)]


def _range(what: str, trained: int, tested: int) -> list[str]:
    if tested <= trained:
        return []
    return [f"{what} {trained + 1} to {tested} ({(tested - trained) / (tested + 1):.0%} of all)"]
