"""Reading from left to right and predicting the next token."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import BOS, EOS, PAD, SEP, SPECIAL
from tasks.base import ABSENT, Batch, Form, Task


class Causal(Layout):
    """For models that read from left to right and predict the next token.

    ``[BOS] prompt [SEP] answer [EOS]``, scored on the answer and on ``[EOS]``. Where the answer labels the prompt's
    tokens, ``[BOS] prompt``, and each token's label is predicted at the token. Running text is ``[BOS] window``, scored
    where the task says.
    """

    forms: ClassVar[tuple[Form, ...]] = ("answer", "labels", "stream")
    truncation = "Truncated"

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.form = task.form

    def width(self, task: Task, length: int) -> int:
        """The last token is predicted and not read."""
        if self.form == "stream":
            return task.answer_length(length)
        if self.form == "labels":
            return task.prompt_length(length) + 1
        return task.prompt_length(length) + task.answer_length(length) + 2

    def arrange(self, batch: Batch, length: int) -> TokenBatch:
        if self.form == "labels":
            return self._labelled(batch)
        count = len(batch.answer)
        tokens, order = self._joined(batch)
        unscored = np.zeros((count, batch.prompt.shape[1] + 2), bool)
        scored = (
            [unscored[:, :1], batch.scored]
            if self.form == "stream"
            else [unscored, batch.scored, np.ones((count, 1), bool)]
        )
        counts = np.concatenate(scored, axis=1)
        present = tokens != ABSENT
        tokens = np.take_along_axis(np.where(present, tokens, PAD), order, axis=1)
        counts = np.take_along_axis(counts & present, order, axis=1)
        lengths = present.sum(axis=1) - 1
        width = int(lengths.max(initial=0))
        read = np.where(np.arange(width) < lengths[:, None], tokens[:, :width], PAD)
        return TokenBatch(read, tokens[:, 1 : width + 1], counts[:, 1 : width + 1], lengths)

    def end_is_scored(self, batch: Batch, length: int) -> np.ndarray:
        return np.full(len(batch.answer), self.form == "answer")

    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        if not names:
            return {}
        if self.form == "labels":
            return {name: np.pad(batch.channels[name], ((0, 0), (1, 0)), constant_values=ABSENT) for name in names}
        tokens, order = self._joined(batch)
        present = tokens != ABSENT
        width = int(present.sum(axis=1).max(initial=1)) - 1
        return {
            name: np.take_along_axis(
                np.where(present, self._beside(batch, batch.channels[name]), ABSENT), order, axis=1
            )[:, :width]
            for name in names
        }

    def _labelled(self, batch: Batch) -> TokenBatch:
        before = ((0, 0), (1, 0))
        tokens = np.pad(np.where(batch.prompt == ABSENT, PAD, batch.prompt + len(SPECIAL)), before, constant_values=BOS)
        targets = np.where(batch.answer == ABSENT, PAD, batch.answer + len(SPECIAL))
        lengths = (batch.prompt != ABSENT).sum(axis=1) + 1
        return TokenBatch(tokens, np.pad(targets, before, constant_values=PAD), np.pad(batch.scored, before), lengths)

    def _joined(self, batch: Batch) -> tuple[np.ndarray, np.ndarray]:
        """All tokens of each row, ``ABSENT`` where one is missing, and the order that moves those to the end."""
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
        """The numbers of a channel aligned with the tokens of :meth:`_joined`."""
        none = np.full((len(batch.answer), 1), ABSENT)
        if self.form == "stream":
            return np.concatenate([none, numbers], axis=1)
        prompt_size = batch.prompt.shape[1]
        if numbers.shape[1] == prompt_size + batch.answer.shape[1]:
            numbers = np.concatenate([numbers[:, :prompt_size], none, numbers[:, prompt_size:]], axis=1)
        return np.concatenate([none, numbers, none], axis=1)
