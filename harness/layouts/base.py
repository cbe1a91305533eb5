"""The base of layouts: how prompt and answer become the token sequence that a kind of model reads. NumPy only.

A vocabulary is the special tokens (:mod:`harness.layouts.special_tokens`) and then the task's alphabet.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from harness.layouts.special_tokens import SPECIAL
from tasks.base import Batch, Form, Task


class TokenBatch(NamedTuple):
    """Sequences as a model reads them: ``tokens`` [N, T], padded with ``PAD`` at the end; ``targets`` [N, T], the token
    to predict at each index; ``scored`` [N, T], whether that prediction counts; ``lengths`` [N], the number of tokens
    of each row.
    """

    tokens: np.ndarray
    targets: np.ndarray
    scored: np.ndarray
    lengths: np.ndarray


class Layout(ABC):
    """Arranges the examples of a task. Its vocabulary is its special tokens and then the task's alphabet."""

    special_tokens: ClassVar[tuple[str, ...]] = SPECIAL
    """The special tokens. The first four are those of every layout."""

    forms: ClassVar[tuple[Form, ...]]
    """The forms of task that it can arrange. A literal, because it is read without importing."""

    bidirectional: ClassVar[bool] = False
    """Whether tokens attend to later ones too, so that padding must be masked."""

    truncation: ClassVar[str] = ""
    """The class of :mod:`harness.evaluation.truncation` that reads no more tokens than training had; empty where
    question and answer cannot be truncated.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.vocabulary = (*self.special_tokens, *task.alphabet)

    @property
    def generates(self) -> bool:
        """Whether a model writes an answer token by token and reads each before the next: not where it predicts all of
        them at once, nor where they label tokens that it is given.
        """
        return not self.bidirectional and self.task.form != "labels"

    @classmethod
    def objection(cls, task: Task) -> str:
        """Why this layout cannot arrange the task; empty if it can."""
        if task.form in cls.forms:
            return ""
        return {
            "stream": "running text is predicted from left to right, and this architecture sees all of it at once",
            "labels": "its answer is a label for each token, which this architecture does not predict",
            "answer": "its answer follows the question",
        }[task.form]

    @abstractmethod
    def width(self, task: Task, length: int) -> int:
        """The most tokens that the model reads for an example of this length."""

    def span(self, task: Task, length: int) -> int:
        """The most tokens that attention spans in an example of this length: all, unless a model splits them."""
        return self.width(task, length)

    @abstractmethod
    def arrange(self, batch: Batch, length: int) -> TokenBatch:
        """Lay out a batch of one length."""

    @abstractmethod
    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The numbers of the task's channels of these names for the tokens of :meth:`arrange`, [N, T] each. Tokens that
        the layout adds have none (``ABSENT``), except for a separator to which the task gives one.
        """

    @abstractmethod
    def end_is_scored(self, batch: Batch, length: int) -> np.ndarray:
        """Whether the end of each answer is predicted and scored, [N]."""

    def symbols(self, tokens: Iterable[int]) -> list[str]:
        """The tokens' names in the vocabulary."""
        return [self.vocabulary[token] for token in tokens]
