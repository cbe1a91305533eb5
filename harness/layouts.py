"""How prompt and answer become the one sequence of tokens that a kind of model reads. NumPy only.

A vocabulary is the special tokens below and then the task's alphabet.
"""

from collections.abc import Iterable
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

    ``[BOS] prompt [SEP] answer [EOS]``, scored on the answer and on ``[EOS]``. Running text is ``[BOS] window``, scored
    where the task says.
    """

    def __init__(self, task: Task) -> None:
        self.stream = task.stream
        self.vocabulary = (*SPECIAL, *task.alphabet)

    def width(self, task: Task, length: int) -> int:
        """The most tokens that the model reads for an example of this length: the last is predicted and not read."""
        if self.stream:
            return task.answer_length(length)
        return task.prompt_length(length) + task.answer_length(length) + 2

    def arrange(self, batch: Batch) -> Arranged:
        """Lay out a batch of one length."""
        count = len(batch.answer)
        special = np.zeros((count, 1), np.int64)
        prompt = np.where(batch.prompt == ABSENT, ABSENT, batch.prompt + len(SPECIAL))
        answer = np.where(batch.answer == ABSENT, ABSENT, batch.answer + len(SPECIAL))
        unscored = np.zeros((count, batch.prompt.shape[1] + 2), bool)
        if self.stream:
            rows, scored = [special + BOS, answer], [unscored[:, :1], batch.scored]
        else:
            rows = [special + BOS, prompt, special + SEP, answer, special + EOS]
            scored = [unscored, batch.scored, ~unscored[:, :1]]
        tokens, counts = np.concatenate(rows, axis=1), np.concatenate(scored, axis=1)
        present = tokens != ABSENT
        closed_up = np.argsort(~present, axis=1, kind="stable")
        tokens = np.take_along_axis(np.where(present, tokens, PAD), closed_up, axis=1)
        counts = np.take_along_axis(counts & present, closed_up, axis=1)
        lengths = present.sum(axis=1) - 1
        width = int(lengths.max(initial=0))
        read = np.where(np.arange(width) < lengths[:, None], tokens[:, :width], PAD)
        return Arranged(read, tokens[:, 1 : width + 1], counts[:, 1 : width + 1], lengths)

    def written(self, tokens: Iterable[int]) -> list[str]:
        """Tokens as a person can read them."""
        return [self.vocabulary[token] for token in tokens]
