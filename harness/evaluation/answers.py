"""What a trained model answers to sample questions, written by itself."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.evaluation.trained_models import built_model
from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import EOS
from harness.positions.base import Sequences
from harness.progress import columns
from harness.rng import generator
from tasks.base import Batch, Task

WIDE = 100
"""Characters of the longest line."""


def print_answers(run: Run, task: Task, layout: Layout, batch: Batch, length: int, weights: Path) -> None:
    """Each question, its answer, and what the model answers with each of the run's test-time extensions. Extensions act
    beyond the training length only. Raises :class:`Refused` where the model has no positions for the length.
    """
    questions = layout.arrange(batch, length)
    try:
        answered = dict(_answered(run, task, layout, batch, questions, length, weights))
    except IndexError as error:
        raise Refused(f"--length {length}: {error}") from error
    how = "token by token, no further than the answer goes" if layout.generates else "all at once"
    print(f"\nwhat the trained model answers, {how}")
    for row, scored in enumerate(questions.scored):
        last = int(scored.argmax()) + 1 if layout.generates else int(questions.lengths[row])
        _print("reads", layout.symbols(questions.tokens[row, :last]))
        right = questions.targets[row, scored]
        _print("answer", layout.symbols(right))
        for extension, rows in answered.items():
            written = rows[row, scored]
            verdict = "right" if np.array_equal(written, right) else "wrong"
            _print(extension, [*layout.symbols(_ended(written)), f"({verdict})"])
        print()


def _answered(
    run: Run, task: Task, layout: Layout, batch: Batch, questions: TokenBatch, length: int, weights: Path
) -> Iterator[tuple[str, np.ndarray]]:
    """The name of each extension, and what stands in the place of the targets with it [N, T]."""
    import torch

    from harness.data.training_examples import make_positions
    from harness.evaluation.decoding import answer
    from harness.evaluation.scoring import extended

    model, rule = built_model(run, task, layout, weights), instantiation.rule(run)
    width = questions.tokens.shape[1]
    channels = layout.channels(batch, length, rule.needs)
    sequences = Sequences(questions.lengths, width, training=False, channels=channels)
    where = rule.sample(generator("show", length), sequences)
    positions = make_positions(where, questions.lengths, width, rule, layout)
    spans = (layout.span(task, size) for size in (identity.training_lengths(run, task)[-1], length))
    train_tokens, test_tokens = spans
    for name, extension in instantiation.extensions(run).items():
        with torch.inference_mode(), extended(model, extension, train_tokens, test_tokens) as reader:
            yield name, answer(reader, layout, questions, positions, torch.device("cpu")).numpy()


def _ended(tokens: np.ndarray) -> np.ndarray:
    """The tokens up to the first end token."""
    ends = np.flatnonzero(tokens == EOS)
    return tokens[: ends[0] + 1] if len(ends) else tokens


def _print(name: str, words: Sequence[str]) -> None:
    print(textwrap.fill(" ".join(words), columns(WIDE), initial_indent=f"  {name:<11} ", subsequent_indent=" " * 14))
