"""Sentences as BERT reads them."""

from collections.abc import Sequence

import numpy as np

from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import BOS, PAD, SEP
from tasks.base import ABSENT, Batch, Task


class Sentences(Layout):
    """For models like BERT: ``[CLS] A [SEP] B [SEP]``. An answer of one token is predicted at ``[CLS]``, labels at the
    tokens they belong to (Devlin et al., 2019, arXiv 1810.04805, section 3).

    ``[CLS]`` is the token that other layouts call ``[BOS]``. The task's token ``[NEXT]``, where it has one, is
    ``[SEP]``.
    """

    special_tokens = ("[PAD]", "[CLS]", "[SEP]", "[EOS]")
    forms = ("answer", "labels")
    bidirectional = True
    truncation = "TruncatedSentences"

    @classmethod
    def objection(cls, task: Task) -> str:
        some = [length for length in range(task.shortest, task.shortest + 8) if task.produces(length)]
        if task.form == "answer" and any(task.answer_length(length) != 1 for length in some):
            return "its answers have several tokens, and this architecture reads one out at [CLS]"
        return super().objection(task)

    def width(self, task: Task, length: int) -> int:
        return task.prompt_length(length) + 2

    def arrange(self, batch: Batch, length: int) -> TokenBatch:
        count = len(batch.prompt)
        if self.task.form == "answer" and (batch.answer.shape[1] != 1 or (batch.answer == ABSENT).any()):
            raise ValueError("an answer that is read out at [CLS] has one token")
        first = len(self.special_tokens)
        prompt_size = (batch.prompt != ABSENT).sum(axis=1)
        tokens = np.full((count, batch.prompt.shape[1] + 2), PAD)
        tokens[:, 0] = BOS
        tokens[:, 1:-1] = np.where(batch.prompt == ABSENT, PAD, batch.prompt + first)
        if "[NEXT]" in self.task.alphabet:
            tokens[tokens == first + self.task.alphabet.index("[NEXT]")] = SEP
        tokens[np.arange(count), prompt_size + 1] = SEP
        targets, scored = np.full_like(tokens, PAD), np.zeros(tokens.shape, bool)
        at = slice(0, 1) if self.task.form == "answer" else slice(1, 1 + batch.answer.shape[1])
        targets[:, at] = np.where(batch.answer == ABSENT, PAD, batch.answer + first)
        scored[:, at] = batch.scored
        return TokenBatch(tokens, targets, scored, prompt_size + 2)

    def end_is_scored(self, batch: Batch, length: int) -> np.ndarray:
        return np.zeros(len(batch.answer), bool)

    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        prompt_size = batch.prompt.shape[1]
        around = ((0, 0), (1, 1))
        return {name: np.pad(batch.channels[name][:, :prompt_size], around, constant_values=ABSENT) for name in names}
