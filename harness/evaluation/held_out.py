"""Held-out examples that a model is looked at with while it trains, and by which searches choose.

They come from generators of their own and are the same for every seed. Those of training lengths are drawn like
training data: where a task has few examples of a length, some of them occur in training too, as some test examples do.
Longer ones are drawn like test data; a finite task has no others than those that it is tested on.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.data import test_examples
from harness.evaluation import scoring
from harness.evaluation.scoring import Questions
from harness.layouts.base import Layout
from harness.layouts.special_tokens import EOS
from harness.models.base import Model
from harness.positions.base import PositionRule, Sequences
from harness.results.records import Counts
from harness.rng import generator
from tasks.base import Split, Task

EXAMPLES = 256
"""Held-out examples of the training lengths in a look, at least, in equal numbers of each."""

LENGTHS = 64
"""Training lengths that are looked at; of more, these many are taken, the shortest and the longest among them."""

STREAM = "held out"
"""The generator of the examples that every look takes."""

BEYOND_EXAMPLES = 32
BEYOND_LENGTHS = 4
"""Examples of each length beyond training, and the most such lengths: of those tested, up to twice the longest training
length, or the first where none is so short.
"""


class HeldOut:
    """The share of held-out examples that a model has right, by the task's metric and as a mean over lengths: of the
    training lengths, and of longer ones if ``evaluation.every`` asks for a learning curve, but not in the trials of a
    search, which look at no longer length. Running text, which is ranked by bits, is judged by its tokens.

    Where a look finds ``train.until`` reached, it takes further examples, up to ``train.until_examples`` in all, and
    the share is that of all: of many looks at few examples, one shows sooner or later that all are right by luck.
    Longer ones are read with the first extension of the run. The examples are made when they are first needed.
    """

    def __init__(self, run: Run, task: Task, layout: Layout, device: torch.device) -> None:
        self.run, self.task, self.layout, self.device = run, task, layout, device
        self.rule = instantiation.rule(run)
        self._near: list[Questions] = []
        self._further: list[Questions] = []
        self._beyond: list[Questions] = []

    def __call__(self, model: Model) -> tuple[float, float | None]:
        self._draw()
        modes = [(module, module.training) for module in model.modules()]
        cuda = [self.device] if self.device.type == "cuda" else []
        try:
            with torch.no_grad(), torch.random.fork_rng(devices=cuda):
                model.eval()
                near = self._share_near(model)
                beyond = float(np.mean([self._share_beyond(model, q) for q in self._beyond])) if self._beyond else None
        finally:
            for module, training in modes:
                module.training = training
        return near, beyond

    def _draw(self) -> None:
        if self._near:
            return
        self._near = list(near(self.run, self.task, self.layout, self.rule))
        trial = self.run.selection is not None and not self.run.selection.trials
        if self.run.evaluation.every and not trial:
            trained = self.run.lengths.train
            far = [length for length in identity.tested_lengths(self.run, self.task) if length > trained]
            far = spread([length for length in far if length <= 2 * trained] or far[:1], BEYOND_LENGTHS)
            self._beyond = [questions(self.task, self.layout, self.rule, n, BEYOND_EXAMPLES, "test") for n in far]

    def _share_near(self, model: Model) -> float:
        share = self._mean(model, self._near)
        if not self.run.train.until or share < self.run.train.until:
            return share
        taken = len(self._near) * _each(EXAMPLES, len(self._near))
        missing = self.run.train.until_examples - taken
        if missing <= 0:
            return share
        if not self._further:
            self._further = list(near(self.run, self.task, self.layout, self.rule, missing, "held out further"))
        further = len(self._near) * _each(missing, len(self._near))
        return (taken * share + further * self._mean(model, self._further)) / (taken + further)

    def _mean(self, model: Model, asked: Sequence[Questions]) -> float:
        return float(np.mean([self._share(model, questions) for questions in asked]))

    def _share(self, model: Model, questions: Questions) -> float:
        judged = scoring.judgements(model, questions, self.rule, self.layout, self.device)
        return float((judged.exact if self.task.metric == "exact_match" else judged.right).mean())

    def _share_beyond(self, model: Model, questions: Questions) -> float:
        extension = next(iter(instantiation.extensions(self.run).values()))
        trained = self.layout.span(self.task, self.run.lengths.train)
        with scoring.extended(model, extension, trained, questions.span) as reader:
            return self._share(reader, questions)


def counts(run: Run, task: Task, layout: Layout, model: Model, device: torch.device) -> list[Counts]:
    """What a trained model has right of the held-out examples of training lengths, and the loss there: what searches
    choose by. No longer length is drawn.
    """
    rule, rows = instantiation.rule(run), []
    model = model.to(device).eval()
    with torch.inference_mode():
        for asked in near(run, task, layout, rule):
            judged = scoring.judgements(model, asked, rule, layout, device)
            ends = asked.arranged.targets[asked.arranged.scored] == EOS
            rows.append(
                Counts(
                    length=asked.length,
                    examples=len(judged.exact),
                    exact=int(judged.exact.sum()),
                    tokens=len(judged.right),
                    correct=int(judged.right.sum()),
                    ends=int(ends.sum()),
                    ends_correct=int(judged.right[ends].sum()),
                    nats=float(judged.nats.sum()),
                )
            )
    return rows


def near(
    run: Run, task: Task, layout: Layout, rule: PositionRule, examples: int = EXAMPLES, stream: str = STREAM
) -> Iterator[Questions]:
    """Held-out examples of training lengths, at least so many in all."""
    lengths = spread(identity.training_lengths(run, task), LENGTHS)
    for length in lengths:
        yield questions(task, layout, rule, length, _each(examples, len(lengths)), "train", stream)


def questions(
    task: Task, layout: Layout, rule: PositionRule, length: int, examples: int, split: Split, stream: str = STREAM
) -> Questions:
    """Held-out examples of one length with the positions of their tokens, the same for every run."""
    purpose = (stream, type(task).__name__, task.version, length)
    batch = task.sample(generator(*purpose), length, examples, split).rows(slice(examples))
    arranged = test_examples.arrange(layout, batch, length)
    channels = test_examples.channels(layout, batch, length, rule.needs)
    positions = rule.sample(
        generator(*purpose, "positions"),
        Sequences(arranged.lengths, arranged.tokens.shape[1], training=False, channels=channels),
    )
    return Questions(length, layout.span(task, length), arranged, positions, {}, {}, None)


def _each(examples: int, lengths: int) -> int:
    """Examples of each length, so that there are at least so many in all."""
    return -(-examples // lengths)


def spread(lengths: Sequence[int], most: int) -> list[int]:
    """Of these lengths ``most`` in equal distances, the first and the last among them; all if there are no more."""
    if len(lengths) <= most:
        return list(lengths)
    return [lengths[round(index)] for index in np.linspace(0, len(lengths) - 1, most)]
