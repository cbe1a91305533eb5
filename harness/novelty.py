"""What the longest test asks of a position encoding that training never showed it.

Most failures beyond the training length begin here: a table row that was never trained, a pair of channels at angles
that never occurred. It is known before a step is taken, so every run says it.
"""

from collections.abc import Mapping

from harness import evaluation
from harness.encodings.base import Encoding, Extent
from harness.extensions.base import Extension
from harness.models.base import Model
from harness.positions.base import PositionRule


def novelty(
    model: Model, rule: PositionRule, extensions: Mapping[str, Extension], train_tokens: int, test_tokens: int
) -> dict[str, list[str]]:
    """A line for each kind of thing that was never trained, under each extension, at ``test_tokens`` tokens."""
    trained = extent(rule, train_tokens, training=True)
    tested = extent(rule, test_tokens, training=False)
    found = {}
    for name, extension in extensions.items():
        with evaluation.extended(model, extension, train_tokens, test_tokens):
            lines = [line for encoding in model.encodings() for line in _lines(encoding, trained, tested)]
        found[name] = list(dict.fromkeys(lines))
    return found


def extent(rule: PositionRule, tokens: int, *, training: bool) -> Extent:
    """How far sequences of this many tokens reach under a rule."""
    return Extent(tokens, int(rule.largest(tokens, training=training)), rule.consecutive)


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
