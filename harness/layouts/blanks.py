"""The prompt, then a blank for every token of the answer, all predicted at once."""

from collections.abc import Sequence

import numpy as np

from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import EOS, PAD, SPECIAL
from tasks.base import ABSENT, Batch, Task


class Blanks(Layout):
    """For bidirectional models: the prompt, then a blank for each token that the answer can have at this length, at
    which that token is predicted. The convention of Deletang et al. (2023) and Ruoss et al. (2023).

    There is no ``[BOS]``. The target of the blank after a shorter answer is ``[EOS]``; further ones are not scored.
    Labels are predicted at the tokens they belong to, without blanks.
    """

    special_tokens = (*SPECIAL, "[BLANK]")
    forms = ("answer", "labels")
    bidirectional = True

    def width(self, task: Task, length: int) -> int:
        return task.prompt_length(length) + self._blanks(length)

    def arrange(self, batch: Batch, length: int) -> TokenBatch:
        first = len(self.special_tokens)
        prompt = np.where(batch.prompt == ABSENT, PAD, batch.prompt + first)
        prompt_size = (batch.prompt != ABSENT).sum(axis=1)
        answer_row = np.where(batch.answer == ABSENT, PAD, batch.answer + first)
        if self.task.form == "labels":
            return TokenBatch(prompt, answer_row, batch.scored, prompt_size)
        count, blanks = len(prompt), self._blanks(length)
        behind = ((0, 0), (0, blanks + 1 - answer_row.shape[1]))
        answer_row, scored = np.pad(answer_row, behind, constant_values=PAD), np.pad(batch.scored, behind)
        end = (batch.answer != ABSENT).sum(axis=1)
        answer_row[np.arange(count), end], scored[np.arange(count), end] = EOS, True
        blank = np.full((count, blanks), len(SPECIAL))
        return TokenBatch(
            self._left_aligned(batch, prompt, blank),
            self._left_aligned(batch, np.full_like(prompt, PAD), answer_row[:, :blanks]),
            self._left_aligned(batch, np.zeros_like(prompt, bool), scored[:, :blanks]),
            prompt_size + blanks,
        )

    def end_is_scored(self, batch: Batch, length: int) -> np.ndarray:
        return (batch.answer != ABSENT).sum(axis=1) < self._blanks(length)

    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        prompt_size, blanks = batch.prompt.shape[1], self._blanks(length)
        found = {}
        for name in names:
            numbers = batch.channels[name]
            answer = numbers[:, numbers.shape[1] - batch.answer.shape[1] :] if blanks else numbers[:, :0]
            answer = np.pad(answer, ((0, 0), (0, blanks - answer.shape[1])), constant_values=ABSENT)
            found[name] = self._left_aligned(batch, numbers[:, :prompt_size], answer)
        return found

    def _blanks(self, length: int) -> int:
        return 0 if self.task.form == "labels" else self.task.answer_length(length)

    def _left_aligned(self, batch: Batch, prompt: np.ndarray, blanks: np.ndarray) -> np.ndarray:
        """Prompts and blanks joined in one row each, with the padding of shorter prompts moved to the end."""
        last = np.zeros(blanks.shape, bool)
        order = np.argsort(np.concatenate([batch.prompt == ABSENT, last], axis=1), axis=1, kind="stable")
        return np.take_along_axis(np.concatenate([prompt, blanks], axis=1), order, axis=1)
