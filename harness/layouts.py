"""How prompt and answer become the one sequence of tokens that a kind of model reads. NumPy only.

A vocabulary is the special tokens (:mod:`harness.special`) and then the task's alphabet.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from harness.special import BOS as BOS
from harness.special import EOS as EOS
from harness.special import PAD as PAD
from harness.special import SEP as SEP
from harness.special import SPECIAL as SPECIAL
from tasks.base import ABSENT, Batch, Form, Task


class Arranged(NamedTuple):
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

    special: ClassVar[tuple[str, ...]] = SPECIAL
    """The special tokens. The first four are those of every layout."""

    forms: ClassVar[tuple[Form, ...]]
    """The forms of task that it can arrange. A literal, because it is read without importing."""

    both_ways: ClassVar[bool] = False
    """Whether tokens look at later ones too, from which padding must then be hidden."""

    truncation: ClassVar[str] = ""
    """The class of :mod:`harness.truncation` that reads no more tokens than training had; empty where question and
    answer are read in one piece, of which nothing can be spared.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.vocabulary = (*self.special, *task.alphabet)

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
    def arrange(self, batch: Batch, length: int) -> Arranged:
        """Lay out a batch of one length."""

    @abstractmethod
    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        """The numbers that the task's channels of these names have for the tokens of :meth:`arrange`, [N, T] each.
        Tokens that the layout adds have none (``ABSENT``), but for a separator to which the task gives one.
        """

    @abstractmethod
    def ends(self, batch: Batch, length: int) -> np.ndarray:
        """Whether the end of each answer is predicted and scored, [N]."""

    def written(self, tokens: Iterable[int]) -> list[str]:
        """Tokens as a person can read them."""
        return [self.vocabulary[token] for token in tokens]


class Causal(Layout):
    """For models that read from left to right and predict the next token.

    ``[BOS] prompt [SEP] answer [EOS]``, scored on the answer and on ``[EOS]``. Where the answer labels the prompt's
    tokens, ``[BOS] prompt``, and on each token its label is predicted. Running text is ``[BOS] window``, scored where
    the task says.
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

    def arrange(self, batch: Batch, length: int) -> Arranged:
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

    def ends(self, batch: Batch, length: int) -> np.ndarray:
        return np.full(len(batch.answer), self.form == "answer")

    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
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


class Translation(Causal):
    """For models that read a prompt and write an answer: ``[BOS] prompt [SEP] answer``, as :class:`Causal` has it, in
    which the model finds the two by the separator. Attention spans one of them.
    """

    forms = ("answer",)
    truncation = ""

    def span(self, task: Task, length: int) -> int:
        """The longer of prompt and answer, with the token before it."""
        return 1 + max(task.prompt_length(length), task.answer_length(length))


class Blanks(Layout):
    """For models that look at everything at once: the prompt, and then a blank for each token that the answer can have
    at this length, at which it is read out. The convention of Deletang et al. (2023) and Ruoss et al. (2023).

    There is no ``[BOS]``. The blank behind a shorter answer says ``[EOS]``; further ones are not scored.
    Labels are read out at the tokens they belong to, without blanks.
    """

    special = (*SPECIAL, "[BLANK]")
    forms = ("answer", "labels")
    both_ways = True

    def width(self, task: Task, length: int) -> int:
        return task.prompt_length(length) + self._blanks(length)

    def arrange(self, batch: Batch, length: int) -> Arranged:
        first = len(self.special)
        prompt = np.where(batch.prompt == ABSENT, PAD, batch.prompt + first)
        asked = (batch.prompt != ABSENT).sum(axis=1)
        said = np.where(batch.answer == ABSENT, PAD, batch.answer + first)
        if self.task.form == "labels":
            return Arranged(prompt, said, batch.scored, asked)
        count, blanks = len(prompt), self._blanks(length)
        behind = ((0, 0), (0, blanks + 1 - said.shape[1]))
        said, scored = np.pad(said, behind, constant_values=PAD), np.pad(batch.scored, behind)
        end = (batch.answer != ABSENT).sum(axis=1)
        said[np.arange(count), end], scored[np.arange(count), end] = EOS, True
        blank = np.full((count, blanks), len(SPECIAL))
        return Arranged(
            self._closed_up(batch, prompt, blank),
            self._closed_up(batch, np.full_like(prompt, PAD), said[:, :blanks]),
            self._closed_up(batch, np.zeros_like(prompt, bool), scored[:, :blanks]),
            asked + blanks,
        )

    def ends(self, batch: Batch, length: int) -> np.ndarray:
        return (batch.answer != ABSENT).sum(axis=1) < self._blanks(length)

    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        asked, blanks = batch.prompt.shape[1], self._blanks(length)
        found = {}
        for name in names:
            numbers = batch.channels[name]
            answer = numbers[:, numbers.shape[1] - batch.answer.shape[1] :] if blanks else numbers[:, :0]
            answer = np.pad(answer, ((0, 0), (0, blanks - answer.shape[1])), constant_values=ABSENT)
            found[name] = self._closed_up(batch, numbers[:, :asked], answer)
        return found

    def _blanks(self, length: int) -> int:
        return 0 if self.task.form == "labels" else self.task.answer_length(length)

    def _closed_up(self, batch: Batch, prompt: np.ndarray, blanks: np.ndarray) -> np.ndarray:
        """What belongs to prompts and to blanks in one row each, padding of shorter prompts behind."""
        last = np.zeros(blanks.shape, bool)
        order = np.argsort(np.concatenate([batch.prompt == ABSENT, last], axis=1), axis=1, kind="stable")
        return np.take_along_axis(np.concatenate([prompt, blanks], axis=1), order, axis=1)


class Sentences(Layout):
    """For models like BERT: ``[CLS] A [SEP] B [SEP]``. An answer of one token is read out at ``[CLS]``; labels at the
    tokens they belong to (Devlin et al., 2019, arXiv 1810.04805, section 3).

    ``[CLS]`` is the token that other layouts call ``[BOS]``. The task's token ``[NEXT]``, where it has one, is
    ``[SEP]``.
    """

    special = ("[PAD]", "[CLS]", "[SEP]", "[EOS]")
    forms = ("answer", "labels")
    both_ways = True
    truncation = "TruncatedSentences"

    @classmethod
    def objection(cls, task: Task) -> str:
        some = [length for length in range(task.shortest, task.shortest + 8) if task.produces(length)]
        if task.form == "answer" and any(task.answer_length(length) != 1 for length in some):
            return "its answers have several tokens, and this architecture reads one out at [CLS]"
        return super().objection(task)

    def width(self, task: Task, length: int) -> int:
        return task.prompt_length(length) + 2

    def arrange(self, batch: Batch, length: int) -> Arranged:
        count = len(batch.prompt)
        if self.task.form == "answer" and (batch.answer.shape[1] != 1 or (batch.answer == ABSENT).any()):
            raise ValueError("an answer that is read out at [CLS] has one token")
        first = len(self.special)
        asked = (batch.prompt != ABSENT).sum(axis=1)
        tokens = np.full((count, batch.prompt.shape[1] + 2), PAD)
        tokens[:, 0] = BOS
        tokens[:, 1:-1] = np.where(batch.prompt == ABSENT, PAD, batch.prompt + first)
        if "[NEXT]" in self.task.alphabet:
            tokens[tokens == first + self.task.alphabet.index("[NEXT]")] = SEP
        tokens[np.arange(count), asked + 1] = SEP
        targets, scored = np.full_like(tokens, PAD), np.zeros(tokens.shape, bool)
        at = slice(0, 1) if self.task.form == "answer" else slice(1, 1 + batch.answer.shape[1])
        targets[:, at] = np.where(batch.answer == ABSENT, PAD, batch.answer + first)
        scored[:, at] = batch.scored
        return Arranged(tokens, targets, scored, asked + 2)

    def ends(self, batch: Batch, length: int) -> np.ndarray:
        return np.zeros(len(batch.answer), bool)

    def channels(self, batch: Batch, length: int, names: Sequence[str]) -> dict[str, np.ndarray]:
        asked = batch.prompt.shape[1]
        around = ((0, 0), (1, 1))
        return {name: np.pad(batch.channels[name][:, :asked], around, constant_values=ABSENT) for name in names}
