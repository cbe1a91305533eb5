"""How often a trained model is right at each length: plain PyTorch, one process, whole counts.

Exact match under greedy decoding needs no decoding: generation equals the answer just when every argmax is right with
the answer fed in, by induction over its tokens. That holds where a token's output does not depend on later tokens or on
the total length (``Encoding.prefix_consistent``); where it does not, answers are decoded token by token.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from harness import blind, progress, streams
from harness.attention import Attention, Positions
from harness.decoding import greedy
from harness.encodings.base import Encoding
from harness.extensions.base import Extension
from harness.layouts import Arranged, Causal
from harness.models.base import Model
from harness.positions.base import PositionRule
from harness.truncation import Truncated
from tasks.base import Task

TILE_TOKENS = {"cpu": 4096, "cuda": 131072}
"""Tokens handled at once. More is slower on a CPU, whose caches overflow."""


class Score(NamedTuple):
    """What one extension gets right at one length, of ``examples`` answers and of ``tokens`` scored tokens; ``nats`` is
    the sum of their negative log likelihoods. Token counts and nats are teacher-forced: each token is predicted from
    the true ones before it.
    """

    extension: str
    length: int
    examples: int
    exact: int
    tokens: int
    correct: int
    nats: float


class Questions(NamedTuple):
    """The test examples of one length as a model reads them, and the most tokens that an example of it can have."""

    length: int
    width: int
    arranged: Arranged
    positions: np.ndarray


def evaluate(
    model: Model,
    task: Task,
    layout: Causal,
    rule: PositionRule,
    extensions: Mapping[str, Extension],
    lengths: Sequence[int],
    *,
    train_length: int,
    examples: int,
    device: torch.device,
) -> list[Score]:
    """Score the model at each length under each extension, all on the same examples and the same weights."""
    model = model.to(device).eval()
    train_tokens = layout.width(task, train_length)
    scores = []
    with torch.inference_mode(), progress.shown("evaluating", len(lengths) * len(extensions)) as shown:
        for length in lengths:
            questions = ask(task, layout, rule, length, examples)
            for name, extension in extensions.items():
                with extended(model, extension, train_tokens, questions.width) as reader:
                    scores.append(_score(reader, questions, rule, name, device))
                shown(len(scores), f"length {length}")
    return sorted(scores, key=lambda score: (list(extensions).index(score.extension), score.length))


def ask(task: Task, layout: Causal, rule: PositionRule, length: int, examples: int) -> Questions:
    """The test examples of one length and the positions they are told, the same for every run."""
    batch = blind.test_examples(task, length, examples)
    arranged = layout.arrange(batch)
    channels = layout.channels(batch, rule.needs)
    rng = streams.generator("test positions", type(task).__name__, task.version, length)
    positions = rule.sample(rng, arranged.lengths, arranged.tokens.shape[1], training=False, channels=channels)
    return Questions(length, layout.width(task, length), arranged, positions)


@contextmanager
def extended(model: Model, extension: Extension, train_tokens: int, test_tokens: int) -> Iterator[Model]:
    """The model with frozen copies of its encodings, fitted by ``extension`` to ``test_tokens`` tokens, in the place of
    its own.
    """
    if test_tokens <= train_tokens:
        yield model
        return
    layers = [module for module in model.modules() if isinstance(module, Attention)]
    own = [layer.encoding for layer in layers]
    copies: dict[int, Encoding] = {}
    for encoding in own:
        if id(encoding) not in copies:
            frozen = copy.deepcopy(encoding).requires_grad_(False)
            copies[id(encoding)] = extension.extend(frozen, train_tokens, test_tokens)
    try:
        for layer in layers:
            layer.encoding = copies[id(layer.encoding)]
        yield Truncated(model, train_tokens) if extension.truncates else model
    finally:
        for layer, encoding in zip(layers, own, strict=True):
            layer.encoding = encoding


def _score(model: Model, questions: Questions, rule: PositionRule, extension: str, device: torch.device) -> Score:
    arranged = questions.arranged
    rows = max(1, TILE_TOKENS[device.type] // arranged.tokens.shape[1])
    exact = tokens = correct = 0
    nats = 0.0
    decode = not all(encoding.prefix_consistent for encoding in model.encodings())
    for start in range(0, len(arranged.tokens), rows):
        part = slice(start, start + rows)
        tile = Arranged(*(array[part] for array in arranged))
        where = questions.positions[part] if len(questions.positions) > 1 else questions.positions
        for right, loss, whole in _tile(
            model, tile, Positions(torch.from_numpy(where).to(device), rule.consecutive), device, decode
        ):
            tokens += right.numel()
            correct += int(right.sum())
            nats += float(loss)
            exact += int(whole.sum())
    return Score(extension, questions.length, len(arranged.tokens), exact, tokens, correct, nats)


def _tile(
    model: Model, tile: Arranged, positions: Positions, device: torch.device, decode: bool
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Which scored tokens are right, their summed loss, and which rows are wholly right; in halves where memory does
    not suffice.
    """
    try:
        scored = torch.from_numpy(tile.scored).to(device)
        targets = torch.from_numpy(tile.targets).to(device)[scored]
        logits = model.readout(model(torch.from_numpy(tile.tokens).to(device), positions)[scored]).float()
        right = logits.argmax(dim=-1) == targets
        loss = F.cross_entropy(logits, targets, reduction="none").double().sum()
        whole = greedy(model, tile, positions, device) if decode else _rows_right(right, scored)
    except torch.OutOfMemoryError:
        if len(tile.tokens) == 1:
            raise
    else:
        yield right, loss, whole
        return
    torch.cuda.empty_cache()
    half = len(tile.tokens) // 2
    for part in (slice(half), slice(half, None)):
        values = positions.values[part] if len(positions.values) > 1 else positions.values
        yield from _tile(
            model, Arranged(*(array[part] for array in tile)), positions._replace(values=values), device, decode
        )


def _rows_right(right: Tensor, scored: Tensor) -> Tensor:
    """Which rows have no wrong token: ``right`` lists the tokens of ``scored`` [N, T] in order."""
    wrong = torch.zeros_like(scored)
    wrong[scored] = ~right
    return ~wrong.any(dim=1)
