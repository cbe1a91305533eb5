"""A trained network from Python, to poke at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.config import instantiation
from harness.config.schema import Run
from harness.data.training_examples import make_positions
from harness.errors import Refused, echoed, unknown
from harness.evaluation import decoding, scoring
from harness.evaluation.trained_models import built_model, of_record
from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import EOS, PAD
from harness.models.base import Model
from harness.notebook.runs import Result
from harness.positions.base import PositionRule, Sequences
from harness.rng import generator
from tasks.base import ABSENT, Batch, Task

LONGEST = 10_000
"""The greatest length that is looked for when a question does not say how long it is."""


class Inputs(NamedTuple):
    """Questions as a network reads them. ``tokens`` and ``targets`` are [N, T]; ``scored`` [N, T] is true where a
    prediction counts, which is where the answer stands; what is written there is the true answer.
    """

    tokens: Tensor
    positions: Positions
    """What the network takes as its second argument: the position index of each token."""
    targets: Tensor
    """The token to be predicted at each place."""
    scored: Tensor
    length: int
    """The length of the questions, as their task counts it."""


class Tokenizer:
    """The words of a task, special tokens included, and the numbers that a network reads for them."""

    def __init__(self, task: Task, layout: Layout) -> None:
        self.vocabulary = layout.vocabulary
        """The words, each in the place of its number."""
        self._numbers = {word: number for number, word in enumerate(self.vocabulary)}
        self._letters = all(len(word) == 1 for word in task.alphabet)

    def words(self, text: str | Sequence[str]) -> list[str]:
        """The words of a text: its letters where all words of the task are one letter each, otherwise what stands
        between blanks. A list of words is taken as it is.
        """
        return list(text) if not isinstance(text, str) or self._letters else text.split()

    def encode(self, text: str | Sequence[str]) -> list[int]:
        """The numbers of the words. Raises ``harness.errors.Refused`` for a word that the vocabulary does not have."""
        words = self.words(text)
        for word in words:
            if word not in self._numbers:
                raise unknown("word", str(word), self.vocabulary, "words")
        return [self._numbers[word] for word in words]

    def decode(self, tokens: Iterable[int] | Tensor) -> list[str]:
        """The words of these numbers, without padding."""
        numbers = tokens.tolist() if isinstance(tokens, Tensor) else [int(token) for token in tokens]
        for number in numbers:
            if not 0 <= number < len(self.vocabulary):
                raise Refused(f"{number} is the number of no word; they go from 0 to {len(self.vocabulary) - 1}")
        return [self.vocabulary[number] for number in numbers if number != PAD]


class Trained(NamedTuple):
    """A trained network and what belongs to it.

    ``module`` is a ``torch.nn.Module`` in evaluation mode: ``hidden = module(tokens, positions)`` is [N, T, D] and
    ``module.readout(hidden)`` [N, T, V]. ``tokenizer`` turns words into numbers and back, ``layout`` arranges prompt
    and answer as one sequence, ``task`` samples and solves questions, ``rule`` says which position index each token
    receives, and ``run`` is the config.
    """

    module: Model
    tokenizer: Tokenizer
    layout: Layout
    task: Task
    rule: PositionRule
    run: Run

    def __repr__(self) -> str:
        parameters = sum(parameter.numel() for parameter in self.module.parameters())
        named = f"{self.run.encoding.name} on {self.run.task.name}, seed {self.run.seed}"
        return f"Trained({named}, {parameters:,} parameters, extensions {', '.join(self.extensions)})"

    @property
    def extensions(self) -> list[str]:
        """The test-time extensions of the run; the first is the one that is used where none is named."""
        return list(self.run.extension)

    def question(self, prompt: str | Sequence[str], *, length: int | None = None) -> Inputs:
        """A prompt of one's own [1, T], with the answer that the task's definition gives.

        ``length`` is how long the question is, as the task counts it; without it, the shortest length whose prompts can
        be as long as this one. Raises ``harness.errors.Refused`` for what is no prompt of the task, and where positions
        are read off channels that only sampled :meth:`examples` have.
        """
        if self.task.form == "stream":
            raise Refused("running text has no prompts of one's own: take examples(length)")
        if self.rule.needs:
            raise Refused(
                f"positions={self.run.positions.name} are read off {', '.join(self.rule.needs)} of sampled examples: "
                "take examples(length)"
            )
        words = self.tokenizer.words(prompt)
        asked = " ".join(map(str, words))
        for word in words:
            if word not in self.task.alphabet:
                raise unknown("word", str(word), self.task.alphabet, "words of the task")
        if length is None:
            fitting = (n for n in range(self.task.shortest, LONGEST) if self.task.produces(n))
            length = next((n for n in fitting if self.task.prompt_length(n) >= len(words)), LONGEST)
        if not self.task.produces(length) or self.task.prompt_length(length) < len(words):
            raise Refused(f"{echoed(asked)}: {len(words)} words are no prompt of length {length}")
        try:
            answer = self.task.solve(words)
        except Exception as error:  # a task may raise anything for what its sampler does not make
            raise Refused(
                f"{echoed(asked)}: no prompt of task={self.run.task.name}; examples({length}) shows some"
            ) from error
        places = {word: place for place, word in enumerate(self.task.alphabet)}
        prompts = np.array([[places[word] for word in words]])
        answers = np.array([[places[word] if word else ABSENT for word in answer]]).reshape(1, -1)
        return self._inputs(Batch(prompts, answers, answers != ABSENT), length)

    def examples(self, length: int, count: int = 4, *, seed: int = 0) -> Inputs:
        """Examples [count, T] of one length, drawn as test examples are; other seeds draw others."""
        if not self.task.produces(length):
            raise Refused(f"task={self.run.task.name} cannot produce length {length}")
        if count < 1:
            raise Refused(f"count={count}: at least one example is needed")
        batch = self.task.sample(generator("examples", length, seed), length, count, "test").rows(slice(count))
        return self._inputs(batch, length)

    def logits(self, inputs: Inputs, *, extension: str | None = None) -> Tensor:
        """The logits [N, T, V] at every token, each predicted from the true ones before it (teacher-forced)."""
        with torch.inference_mode(), self._extended(inputs, extension) as reader:
            return reader.readout(reader(inputs.tokens, inputs.positions))

    def answers(self, inputs: Inputs, *, extension: str | None = None) -> list[list[str]]:
        """What the network answers by itself, in words: token by token up to the end of the answer, or all at once
        where its architecture does so.
        """
        questions = TokenBatch(
            inputs.tokens.numpy(), inputs.targets.numpy(), inputs.scored.numpy(), (inputs.tokens != PAD).sum(1).numpy()
        )
        with torch.inference_mode(), self._extended(inputs, extension) as reader:
            rows = decoding.answer(reader, self.layout, questions, inputs.positions, torch.device("cpu"))
        return [self._words(row[scored]) for row, scored in zip(rows, inputs.scored, strict=True)]

    def right_answers(self, inputs: Inputs) -> list[list[str]]:
        """The true answers, in words."""
        return [self._words(row[scored]) for row, scored in zip(inputs.targets, inputs.scored, strict=True)]

    def _words(self, tokens: Tensor) -> list[str]:
        """The words up to the end of an answer."""
        ends = (tokens == EOS).nonzero()
        return self.tokenizer.decode(tokens[: int(ends[0])] if len(ends) else tokens)

    @contextmanager
    def _extended(self, inputs: Inputs, extension: str | None) -> Iterator[Model]:
        """The network with an extension for questions of this length."""
        known = instantiation.extensions(self.run)
        name = next(iter(known)) if extension is None else extension
        if name not in known:
            raise unknown("extension", name, known, "extensions of this run")
        trained = self.layout.span(self.task, self.run.lengths.train)
        span = self.layout.span(self.task, inputs.length)
        with scoring.extended(self.module, known[name], trained, span) as reader:
            yield reader

    def _inputs(self, batch: Batch, length: int) -> Inputs:
        arranged = self.layout.arrange(batch, length)
        width = arranged.tokens.shape[1]
        channels = self.layout.channels(batch, length, self.rule.needs)
        sequences = Sequences(arranged.lengths, width, training=False, channels=channels)
        where = self.rule.sample(generator("positions", length), sequences)
        tokens, targets = (torch.from_numpy(rows).long() for rows in (arranged.tokens, arranged.targets))
        positions = make_positions(where, arranged.lengths, width, self.rule, self.layout)
        return Inputs(tokens, positions, targets, torch.from_numpy(arranged.scored), length)


def model(record: str | Path | Result, *, packages: Sequence[str] = ()) -> Trained:
    """The trained network of a run, on the CPU, with its tokenizer, its layout and its task::

        trained = harness.model(harness.run(encoding="rope", task="copy"))
        asked = trained.question("badcab")
        trained.answers(asked)  # what it answers: [["b", "a", "d", ...]]
        logits = trained.logits(asked)  # [1, T, V]
        trained.tokenizer.decode(logits.argmax(-1)[0])
        hidden = trained.module(asked.tokens, asked.positions)

    ``record`` is the file of a record, whose weights lie beside it under ``runs/``, or what :func:`run` has given.
    ``packages`` are your own that have classes of the run. Raises ``harness.errors.Refused`` where there is no record,
    or where its weights are not there.
    """
    path = record.path if isinstance(record, Result) else Path(record)
    run, weights = of_record("harness.model", path, [f"packages=[{','.join(packages)}]"] if packages else [])
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    with torch.random.fork_rng(devices=[]):  # a notebook's own random numbers stay as they were
        network = built_model(run, task, layout, weights)
    return Trained(network, Tokenizer(task, layout), layout, task, instantiation.rule(run), run)
