"""How prompt and answer become the one sequence of tokens that a kind of model reads. NumPy only.

A vocabulary is the special tokens below and then the task's alphabet.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from tasks.base import ABSENT, Batch, Task

SPECIAL = ("[PAD]", "[BOS]", "[SEP]", "[EOS]")
PAD, BOS, SEP, EOS = range(len(SPECIAL))


class Arranged(NamedTuple):
    """Sequences as a model reads them: ``tokens`` [N, T] with ``PAD`` at the end, the token that each place should
    predict ``targets`` [N, T], whether that prediction counts ``scored`` [N, T], and how many tokens each row has
    ``lengths`` [N].
    """

    tokens: np.ndarray
    targets: np.ndarray
    scored: np.ndarray
    lengths: np.ndarray


class Causal:
    """For models that read from left to right and predict the next token.

    ``[BOS] prompt [SEP] answer [EOS]``, scored on the answer and on ``[EOS]``. Where the answer labels the prompt's
    tokens, ``[BOS] prompt``, and on each token its label is predicted. Running text is ``[BOS] window``, scored where
    the task says.
    """

    def __init__(self, task: Task) -> None:
        self.form = task.form
        self.vocabulary = (*SPECIAL, *task.alphabet)

    def width(self, task: Task, length: int) -> int:
        """The most tokens that the model reads for an example of this length: the last is predicted and not read."""
        if self.form == "stream":
            return task.answer_length(length)
        if self.form == "labels":
            return task.prompt_length(length) + 1
        return task.prompt_length(length) + task.answer_length(length) + 2

    def arrange(self, batch: Batch) -> Arranged:
        """Lay out a batch of one length."""
        if self.form == "labels":
            return self._labelled(batch)
        count = len(batch.answer)
        tokens, closed_up = self._joined(batch)
        unscored = np.zeros((count, batch.prompt.shape[1] + 2), bool)
        scored = (
            [unscored[:, :1], batch.scored]
            if self.form == "stream"
            else [unscored, batch.scored, np.ones((count, 1), bool)]
        )
        counts = np.concatenate(scored, axis=1)
        present = tokens != ABSENT
        tokens = np.take_along_axis(np.where(present, tokens, PAD), closed_up, axis=1)
        counts = np.take_along_axis(counts & present, closed_up, axis=1)
        lengths = present.sum(axis=1) - 1
        width = int(lengths.max(initial=0))
        read = np.where(np.arange(width) < lengths[:, None], tokens[:, :width], PAD)
        return Arranged(read, tokens[:, 1 : width + 1], counts[:, 1 : width + 1], lengths)

    def channels(self, batch: Batch, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The numbers that the task's channels of these names have for the tokens of :meth:`arrange`, [N, T] each.
        Tokens that the layout adds have none (``ABSENT``), but for a separator to which the task gives one.
        """
        if not names:
            return {}
        if self.form == "labels":
            return {name: np.pad(batch.channels[name], ((0, 0), (1, 0)), constant_values=ABSENT) for name in names}
        tokens, closed_up = self._joined(batch)
        present = tokens != ABSENT
        width = int(present.sum(axis=1).max(initial=1)) - 1
        return {
            name: np.take_along_axis(
                np.where(present, self._beside(batch, batch.channels[name]), ABSENT), closed_up, axis=1
            )[:, :width]
            for name in names
        }

    def _labelled(self, batch: Batch) -> Arranged:
        before = ((0, 0), (1, 0))
        tokens = np.pad(np.where(batch.prompt == ABSENT, PAD, batch.prompt + len(SPECIAL)), before, constant_values=BOS)
        targets = np.where(batch.answer == ABSENT, PAD, batch.answer + len(SPECIAL))
        lengths = (batch.prompt != ABSENT).sum(axis=1) + 1
        return Arranged(tokens, np.pad(targets, before, constant_values=PAD), np.pad(batch.scored, before), lengths)

    def _joined(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """All tokens of each row, ``ABSENT`` where one is missing, and the order of places that closes them up."""
        special = np.zeros((len(batch.answer), 1), np.int64)
        prompt = np.where(batch.prompt == ABSENT, ABSENT, batch.prompt + len(SPECIAL))
        answer = np.where(batch.answer == ABSENT, ABSENT, batch.answer + len(SPECIAL))
        rows = (
            [special + BOS, answer]
            if self.form == "stream"
            else [special + BOS, prompt, special + SEP, answer, special + EOS]
        )
        tokens = np.concatenate(rows, axis=1)
        return tokens, np.argsort(tokens == ABSENT, axis=1, kind="stable")

    def _beside(self, batch: Batch, numbers: np.ndarray) -> np.ndarray:
        """The numbers of a channel beside the tokens of :meth:`_joined`."""
        none = np.full((len(batch.answer), 1), ABSENT)
        if self.form == "stream":
            return np.concatenate([none, numbers], axis=1)
        asked = batch.prompt.shape[1]
        if numbers.shape[1] == asked + batch.answer.shape[1]:
            numbers = np.concatenate([numbers[:, :asked], none, numbers[:, asked:]], axis=1)
        return np.concatenate([none, numbers, none], axis=1)

    def written(self, tokens: Iterable[int]) -> list[str]:
        """Tokens as a person can read them."""
        return [self.vocabulary[token] for token in tokens]
