"""How prompt and answer become the one sequence of tokens that a kind of model reads. NumPy only.

A vocabulary is the special tokens (:mod:`harness.layouts.special_tokens`) and then the task's alphabet.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from harness.layouts.special_tokens import SPECIAL
from tasks.base import Batch, Form, Task


class TokenBatch(NamedTuple):
    """Sequences as a model reads them: ``tokens`` [N, T] with ``PAD`` at the end, the token that each place should
    predict ``targets`` [N, T], whether that prediction counts ``scored`` [N, T], and how many tokens each row has
    ``lengths`` [N].
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
    """Whether tokens look at later ones too, from which padding must then be hidden."""

    truncation: ClassVar[str] = ""
    """The class of :mod:`harness.evaluation.truncation` that reads no more tokens than training had; empty where
    question and answer are read in one piece, of which nothing can be spared.
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
        """Why this task cannot be laid out so; empty if it can."""
        if task.form in cls.forms:
            return ""
        return {
            "stream": "running text is predicted from left to right, and this architecture sees all of it at once",
            "labels": "its answer is a label beside each token, which this architecture has no place for",
            "answer": "its answer follows the question",
        }[task.form]

    @abstractmethod
    def width(self, task: Task, length: int) -> int:
        """The most tokens that the model reads for an example of this length."""

    def span(self, task: Task, length: int) -> int:
        """The most tokens that attention looks at in an example of this length: all, unless a model splits them."""
        return self.width(task, length)

    @abstractmethod
    def arrange(self, batch: Batch, length: int) -> TokenBatch:
        """Lay out a batch of one length."""

    @abstractmethod
    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The numbers that the task's channels of these names have for the tokens of :meth:`arrange`, [N, T] each.
        Tokens that the layout adds have none (``ABSENT``), but for a separator to which the task gives one.
        """

    @abstractmethod
    def end_is_scored(self, batch: Batch, length: int) -> np.ndarray:
        """Whether the end of each answer is predicted and scored, [N]."""

    def symbols(self, tokens: Iterable[int]) -> list[str]:
        """Tokens as a person can read them."""
        return [self.vocabulary[token] for token in tokens]
