"""How often a trained model is right at each length: plain PyTorch, one process, whole counts.

Exact match under greedy decoding needs no decoding: generation equals the answer just when every argmax is right with
the answer fed in, by induction over its tokens. That holds where a token's output does not depend on later tokens or on
the total length (``Encoding.prefix_consistent``); where it does, answers are decoded token by token, and without a
key-value cache: every token that is added changes all keys and values, so there is nothing to keep.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from harness import layouts, progress
from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.data import test_examples
from harness.data.training_examples import make_positions
from harness.encodings.base import Encoding
from harness.evaluation import blind, truncation
from harness.evaluation.decoding import greedy
from harness.extensions.base import Extension
from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import EOS
from harness.models.base import Model
from harness.positions.base import PositionRule, Sequences
from harness.results.consistency import WORST_LOSS
from harness.rng import generator
from tasks.base import Task

TILE_TOKENS = {"cpu": 4096, "cuda": 131072}
"""Tokens processed at once. More is slower on a CPU, whose caches overflow."""


class Score(NamedTuple):
    """What one extension gets right at one length, of ``examples`` answers and of ``tokens`` scored tokens; ``nats`` is
    the sum of their negative log likelihoods. Token counts and nats are teacher-forced: each token is predicted from
    the true ones before it. ``exact_given_length`` counts the answers that are right when the end token is allowed
    only where the answer ends: the difference to ``exact`` is due to ends in the wrong place. ``bytes`` is how many
    bytes of text the tokens stand for, ``None`` where each is one. ``ends`` is how many of the scored tokens end an
    answer, ``ends_correct`` how many of those are right.

    ``at`` is empty for all examples of the length. Otherwise these are the scores of the examples, or tokens, that have
    these values on the task's axes; of tokens, ``exact`` counts the examples all of whose tokens of that kind are
    right.
    """

    extension: str
    length: int
    examples: int
    exact: int
    exact_given_length: int
    tokens: int
    correct: int
    nats: float
    bytes: int | None = None
    ends: int = 0
    ends_correct: int = 0
    at: Mapping[str, int] = MappingProxyType({})


class Questions(NamedTuple):
    """The test examples of one length as a model reads them, and the most tokens that attention spans in one.
    ``example_axes`` has a number for each example [N], ``token_axes`` one for each scored token of all answers in
    order, without end tokens.
    """

    length: int
    span: int
    arranged: TokenBatch
    positions: np.ndarray
    example_axes: Mapping[str, np.ndarray]
    token_axes: Mapping[str, np.ndarray]
    sizes: np.ndarray | None
    """The bytes that each of those tokens stands for, where it is not one each."""


class Judgements(NamedTuple):
    """For some answers, whether each is right, with its end and given its length [N]; for their scored tokens in order,
    whether each is right, and its loss [S].
    """

    exact: np.ndarray
    exact_given_length: np.ndarray
    right: np.ndarray
    nats: np.ndarray


def evaluate(
    model: Model,
    task: Task,
    layout: Layout,
    rule: PositionRule,
    extensions: Mapping[str, Extension],
    lengths: Sequence[int],
    *,
    train_length: int,
    examples: int,
    device: torch.device,
) -> list[Score]:
    """Score the model at each length under each extension, all on the same examples and the same weights. Each length
    is followed by its scores along the task's axes.
    """
    model = model.to(device).eval()
    train_tokens = layout.span(task, train_length)
    scores: list[Score] = []
    done = 0
    with torch.inference_mode(), progress.shown("evaluating", len(lengths) * len(extensions)) as shown:
        for length in lengths:
            questions = make_questions(task, layout, rule, length, examples)
            for name, extension in extensions.items():
                with extended(model, extension, train_tokens, questions.span) as reader:
                    scores += _scores(judgements(reader, questions, rule, layout, device), questions, name)
                done += 1
                shown(done, f"length {length}")
            del questions  # before those of the next length are made
    return sorted(scores, key=lambda score: (list(extensions).index(score.extension), score.length))


def make_questions(task: Task, layout: Layout, rule: PositionRule, length: int, examples: int) -> Questions:
    """The test examples of one length with the positions of their tokens, the same for every run."""
    batch = blind.test_examples(task, length, examples)
    arranged = test_examples.arrange(layout, batch, length)
    channels = test_examples.channels(layout, batch, length, rule.needs)
    rng = generator("test positions", type(task).__name__, task.version, length)
    positions = rule.sample(
        rng, Sequences(arranged.lengths, arranged.tokens.shape[1], training=False, channels=channels)
    )
    per_example = {name: values for name, values in batch.axes.items() if values.ndim == 1}
    per_token = {name: values[batch.scored] for name, values in batch.axes.items() if values.ndim == 2}
    sizes = None if batch.sizes is None else batch.sizes[batch.scored]
    return Questions(length, layout.span(task, length), arranged, positions, per_example, per_token, sizes)


@contextmanager
def extended(model: Model, extension: Extension, train_tokens: int, test_tokens: int) -> Iterator[Model]:
    """The model with its encodings replaced by frozen copies, which ``extension`` fits to ``test_tokens`` tokens."""
    if test_tokens <= train_tokens:
        yield model
        return
    layers = [module for module in model.modules() if isinstance(module, Attending)]
    own = [layer.encoding for layer in layers]
    frozen = copy.deepcopy(own)  # all at once: what they share, their copies share
    copies: dict[int, Encoding] = {}
    for encoding, copied in zip(own, frozen, strict=True):
        if id(encoding) not in copies:
            copies[id(encoding)] = extension.extend(copied.requires_grad_(False), train_tokens, test_tokens)
    try:
        for layer in layers:
            layer.encoding = copies[id(layer.encoding)]
        yield _truncated(model, train_tokens) if extension.truncates else model
    finally:
        for layer, encoding in zip(layers, own, strict=True):
            layer.encoding = encoding


def _truncated(model: Model, window: int) -> Model:
    return getattr(truncation, getattr(layouts, model.layout).truncation)(model, window)


def judgements(
    model: Model, questions: Questions, rule: PositionRule, layout: Layout, device: torch.device
) -> Judgements:
    arranged = questions.arranged
    rows = max(1, TILE_TOKENS[device.type] // arranged.tokens.shape[1])
    decode = layout.generates and not all(encoding.prefix_consistent for encoding in model.encodings())
    judged: list[Judgements] = []
    for start in range(0, len(arranged.tokens), rows):
        part = slice(start, start + rows)
        tile = TokenBatch(*(array[part] for array in arranged))
        where = questions.positions[part] if len(questions.positions) > 1 else questions.positions
        positions = make_positions(where, tile.lengths, tile.tokens.shape[1], rule, layout).to(device)
        judged += _tile(model, tile, positions, device, decode)
    return Judgements(*(np.concatenate(arrays) for arrays in zip(*judged, strict=True)))


def _tile(
    model: Model, tile: TokenBatch, positions: Positions, device: torch.device, decode: bool
) -> Iterator[Judgements]:
    """Judge some answers at once, or in halves if memory does not suffice."""
    try:
        yield _judge(model, tile, positions, device, decode)
        return
    except torch.OutOfMemoryError:
        if len(tile.tokens) == 1:
            raise
    torch.cuda.empty_cache()
    half = len(tile.tokens) // 2
    for part in (slice(half), slice(half, None)):
        rows = TokenBatch(*(array[part] for array in tile))
        yield from _tile(model, rows, positions.of(part), device, decode)


def _judge(model: Model, tile: TokenBatch, positions: Positions, device: torch.device, decode: bool) -> Judgements:
    scored = torch.from_numpy(tile.scored).to(device)
    targets = torch.from_numpy(tile.targets).to(device)[scored].long()
    tokens = torch.from_numpy(tile.tokens).to(device).long()
    logits = model.readout(model.hidden_at(tokens, positions, scored)).float()
    right = logits.argmax(dim=-1) == targets
    nats = F.cross_entropy(logits, targets, reduction="none").double()
    nats = nats.nan_to_num(nan=WORST_LOSS).clamp(max=WORST_LOSS)  # a state that grows with every token may overflow
    if decode:
        exact, given_length = greedy(model, tile, positions, device)
    else:
        exact = _rows_right(right, scored)
        logits[:, EOS] = -torch.inf
        given_length = _rows_right((logits.argmax(dim=-1) == targets) | (targets == EOS), scored)
    return Judgements(*(values.cpu().numpy() for values in (exact, given_length, right, nats)))


def _rows_right(right: Tensor, scored: Tensor) -> Tensor:
    """Which rows have no wrong token: ``right`` lists the tokens of ``scored`` [N, T] in order."""
    wrong = torch.zeros_like(scored)
    wrong[scored] = ~right
    return ~wrong.any(dim=1)


def _scores(judged: Judgements, questions: Questions, extension: str) -> Iterator[Score]:
    """The score of one length, then those along its axes."""
    arranged = questions.arranged
    count = len(arranged.tokens)
    row = np.repeat(np.arange(count, dtype=np.int32), arranged.scored.sum(axis=1))  # of each scored token
    ends = arranged.targets[arranged.scored] == EOS
    sizes, inner = None, np.empty(0, np.int64)
    if questions.token_axes or questions.sizes is not None:
        inner = np.flatnonzero(~ends)
    if questions.sizes is not None:
        sizes = np.zeros(len(row), np.int64)
        sizes[inner] = questions.sizes
    counts = partial(_counts, judged, row, sizes, ends)
    everything = np.ones(count, bool)
    yield Score(extension, questions.length, **counts(everything[row], everything))
    for at, examples in _groups(questions.example_axes):
        yield Score(extension, questions.length, **counts(examples[row], examples), at=at)
    for at, chosen in _groups(questions.token_axes):
        tokens = np.zeros(len(row), bool)
        tokens[inner[chosen]] = True
        yield Score(extension, questions.length, **counts(tokens, None), at=at)


def _groups(axes: Mapping[str, np.ndarray]) -> Iterator[tuple[dict[str, int], np.ndarray]]:
    """The combinations of values that occur, and where."""
    if axes:
        values = np.stack(list(axes.values()))
        for combination in np.unique(values, axis=1).T:
            yield dict(zip(axes, combination.tolist(), strict=True)), (values == combination[:, None]).all(axis=0)


def _counts(
    judged: Judgements,
    row: np.ndarray,
    sizes: np.ndarray | None,
    ends: np.ndarray,
    tokens: np.ndarray,
    examples: np.ndarray | None,
) -> dict[str, Any]:
    """Counts over these scored tokens [S]: all tokens of these examples [N] or, without ``examples``, some of them."""
    if examples is None:
        number = len(np.unique(row[tokens]))
        exact = given_length = number - len(np.unique(row[tokens & ~judged.right]))
    else:
        number = int(examples.sum())
        exact, given_length = int(judged.exact[examples].sum()), int(judged.exact_given_length[examples].sum())
    return {
        "examples": number,
        "exact": exact,
        "exact_given_length": given_length,
        "tokens": int(tokens.sum()),
        "correct": int(judged.right[tokens].sum()),
        "nats": float(judged.nats[tokens].sum()),
        "bytes": None if sizes is None else int(sizes[tokens].sum()),
        "ends": int((tokens & ends).sum()),
        "ends_correct": int(judged.right[tokens & ends].sum()),
    }
