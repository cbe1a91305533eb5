"""Coverage: what the longest test needs from a position encoding but training does not cover, such as positions,
distances, table rows, rotary angles.

Most failures beyond the training length begin here: a table row is untrained, or a rotary frequency reaches angles that
never occurred. This is known before the first training step, so every run reports it.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from harness.attention.module import Attending
from harness.encodings.base import Encoding
from harness.encodings.extent import Extent
from harness.evaluation import scoring
from harness.extensions.base import Extension
from harness.extensions.wrapper import Wrapper
from harness.layouts.base import Layout
from harness.models.base import Model
from harness.positions.base import PositionRule
from tasks.base import Task


def uncovered(
    model: Model,
    task: Task,
    layout: Layout,
    rule: PositionRule,
    extensions: Mapping[str, Extension],
    *,
    train_length: int,
    test_length: int,
) -> dict[str, list[str]]:
    """For each extension, a line per property that a test of ``test_length`` needs but training does not cover."""
    trained = _extent(task, layout, rule, train_length, training=True)
    tested = _extent(task, layout, rule, test_length, training=False)
    layers = [module for module in model.modules() if isinstance(module, Attending)]
    own = [layer.encoding for layer in layers]
    found: dict[str, list[str]] = {}
    for name, extension in extensions.items():
        if extension.truncates:
            found[name] = []
            continue
        with scoring.extended(model, extension, trained.tokens, tested.tokens):
            lines = [
                line
                for before, layer in zip(own, layers, strict=True)
                for line in _lines(before, layer.encoding, _seen_by(layer, trained), _seen_by(layer, tested))
            ]
        found[name] = list(dict.fromkeys(lines))
    return found


def _seen_by(layer: Attending, extent: Extent) -> Extent:
    """How far sequences reach as one layer sees them."""
    return extent._replace(causal=layer.causal, window=layer.window)


def _extent(task: Task, layout: Layout, rule: PositionRule, length: int, *, training: bool) -> Extent:
    tokens = layout.span(task, length)
    each = rule.maximum_positions(task, length, tokens, training=training)
    return Extent(tokens, max(each), rule.consecutive, each, rule.two_sided)


def _lines(before: Encoding, now: Encoding, trained: Extent, tested: Extent) -> list[str]:
    inner = now
    while isinstance(inner, Wrapper):
        inner = inner.inner
    horizon = inner.horizon(causal=tested.causal)
    within = math.inf if horizon is None else horizon
    if inner.depends_on == "positions":
        lines = _positions(trained.each, tested.each) if trained.position < within else []
        turned = trained.position, min(tested.position, within)
    else:
        farthest = _farthest(now, tested)
        tested = tested._replace(
            tokens=min(tested.tokens, farthest + 1), position=-(-farthest // 2) if tested.two_sided else farthest
        )
        turned = trained.distance, min(farthest, within)
        lines = _range("distances", trained.distance, farthest) if trained.distance < within else []
    if inner.depends_on == "order":
        return inner.untrained(trained, tested)
    angles = _angles(inner.kind, before.angular_frequencies(), inner.angular_frequencies(), *turned)
    return [*lines, *inner.untrained(trained, tested), *angles]


def _angles(kind: str, before: Tensor, now: Tensor, trained: int, tested: float) -> list[str]:
    """Frequencies that never complete a period in training and whose angles reach further in the test."""
    # A period as long as all positions together is complete; the margins are for rounding, of numbers and of lengths.
    slow = (before * (trained + 1) < math.tau * (1 - 1e-5)) & (before > 0)
    further = now * tested / (before * trained).clamp(min=1e-12)
    new = slow & (further > 1.05)
    if not new.any():
        return []
    least, most = (f"{float(factor):.2g}" for factor in further[new].aminmax())
    return [
        f"{int(new.sum())} of {len(now)} {'rotary ' if kind == 'rotary' else ''}frequencies never complete a period in "
        f"training; in the test their angles reach {most if least == most else f'{least} to {most}'} times further"
    ]


@torch.no_grad()
def _farthest(encoding: Encoding, tested: Extent) -> int:
    """The largest distance at which the last query attends to a key: a window hides keys, and some extensions replace
    distances by others.
    """
    if not tested.consecutive or not (encoding.uses("visible") or encoding.uses("remapped")):
        return tested.distance
    keys = torch.arange(tested.tokens)[None]
    query = keys[:, -1:]
    distances = (query - keys).float()
    if encoding.uses("remapped"):
        other = encoding.remapped(query, keys)
        distances = torch.where(other.where[:, 0], (other.q_positions - other.k_positions).float(), distances)
    seen = encoding.visible(query, keys)[:, 0] & (query - keys <= tested.distance)
    return math.ceil(float(distances[seen].max()))


def _positions(trained: tuple[int, ...], tested: tuple[int, ...]) -> list[str]:
    lines = []
    for level, (before, now) in enumerate(zip(trained, tested, strict=True), start=1):
        lines += _range("positions" if len(tested) == 1 else f"positions on level {level}", before, now)
    return lines


def _range(what: str, trained: int, tested: int) -> list[str]:
    if tested <= trained:
        return []
    return [f"{what} {trained + 1} to {tested} ({(tested - trained) / (tested + 1):.0%} of all)"]
