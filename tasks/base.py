"""What every task is: an alphabet, a vectorised sampler, and an oracle that is slow and obviously right."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np

ABSENT = -1
"""Fills the end of a row whose prompt or answer is shorter than the longest of its batch. It is no token and is never
shown to a model.
"""

Split = Literal["train", "test"]

Form = Literal["answer", "labels", "stream"]
"""How prompt and answer belong together. ``answer``: the answer follows the prompt and ends where it wants to.
``labels``: answer and prompt have the same places; token i of the answer is what should be said on reading token i of
the prompt, ``ABSENT`` where nothing should. ``stream``: running text without a prompt, predicted token by token; the
answer is a window that neither begins nor ends where the text does.
"""

Shortcut = Callable[[Sequence[str]], list[str]]
"""Guesses the answer to a prompt from a part of what the prompt says, in the same shape as :meth:`Task.solve`."""


class Batch(NamedTuple):
    """Examples of one length.

    ``prompt`` [N, P] and ``answer`` [N, A] hold indices into the task's alphabet, ``ABSENT`` at the end of shorter
    rows. ``scored`` [N, A] is true where an answer token counts. ``channels`` holds the arrays that
    :attr:`Task.channels` names, one number per token of prompt and answer ([N, P + A], ``ABSENT`` where there is none;
    [N, P] for labels), for position rules that need to know more than the order of the tokens (the significance of a
    digit, a grid coordinate). Where the sign that separates the answer from the prompt, the "=" of a sum, has a number
    too, it stands between the two: [N, P + 1 + A]. Beside an absent token a number is arbitrary.

    ``axes`` holds the arrays that :attr:`Task.axes` names: whole numbers from 0 up by which scores are also told apart,
    one per example [N] or one per answer token [N, A] (arbitrary where nothing is scored).

    ``sizes`` [N, A] says how many bytes of text each answer token stands for, where that is not one each: bits per byte
    divide by their sum over the scored tokens.
    """

    prompt: np.ndarray
    answer: np.ndarray
    scored: np.ndarray
    channels: Mapping[str, np.ndarray] = MappingProxyType({})
    axes: Mapping[str, np.ndarray] = MappingProxyType({})
    sizes: np.ndarray | None = None

    def rows(self, part: slice) -> "Batch":
        """Some of the examples."""
        return Batch(
            self.prompt[part],
            self.answer[part],
            self.scored[part],
            {name: values[part] for name, values in self.channels.items()},
            {name: values[part] for name, values in self.axes.items()},
            None if self.sizes is None else self.sizes[part],
        )


class Task(ABC):
    """A family of questions with one parameter, the length.

    What the length counts is the first thing a task's docstring says. Data is a function of the generator that is
    passed in and of nothing else.
    """

    version: ClassVar[int]
    """Rises whenever the data would change: results of different versions are never put side by side."""

    shortest: int = 1
    """The shortest length that makes sense."""

    form: ClassVar[Form] = "answer"
    """How prompt and answer belong together."""

    metric: ClassVar[Literal["exact_match", "token_accuracy", "bits_per_byte"]] = "exact_match"
    """What a leaderboard ranks by."""

    data_options: ClassVar[tuple[str, ...]] = ()
    """Options that say where data lies. A run's identity takes the :meth:`fingerprint` of what they hold instead of
    them.
    """

    channels: ClassVar[tuple[str, ...]] = ()
    """The channels that its batches have, for position rules that need them. ``place``: tokens that belong together
    have the same number, from 0 up. ``digit``: counts the digits of each number from 1 in the order in which they are
    written, 0 for other tokens. ``row`` and ``column``: where a token stands on a grid, from 0. ``segment``: which of
    the parts of a prompt a token belongs to, from 0. A literal, because it is read without importing.
    """

    axes: ClassVar[tuple[str, ...]] = ()
    """What scores are told apart by besides the length: the depth of a nesting, the digits of each operand, the place
    of a needle. The combinations that occur at one length should be few (some tens): wide axes are given in bins.
    ``distance`` and ``gap`` are how far apart what depends on each other lies, in bins that grow with it: leaderboards
    score what is farther apart than anything at the trained lengths by itself.
    """

    together: ClassVar[bool] = False
    """Whether training data comes from :meth:`sample_together`: worth it where a call of :meth:`sample` costs as much
    for one example as for a hundred, because training on many lengths draws few examples of each at a time.
    """

    known_results: ClassVar[tuple[str, ...]] = ()
    """Published scores, a sentence each with its source."""

    alphabet: tuple[str, ...]
    """Printable tokens; prompts and answers are indices into it."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "sample" in vars(cls):
            cls.sample = _of_its_lengths(vars(cls)["sample"])  # type: ignore[method-assign]

    @property
    def outputs(self) -> tuple[str, ...]:
        """The tokens that a scored place can hold: a guess by chance draws each from these."""
        return self.alphabet

    @abstractmethod
    def prompt_length(self, length: int) -> int:
        """The most tokens that a prompt of this length has."""

    @abstractmethod
    def answer_length(self, length: int) -> int:
        """The most tokens that an answer of this length has."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        """Draw ``count`` examples of one length; a finite task may give its whole test set of that length instead.

        Raises :class:`ValueError` for a length of which there are no examples, in every task: what a class defines is
        reached only where :meth:`produces` says so.
        """

    def sample_together(self, rng: np.random.Generator, counts: Mapping[int, int]) -> Mapping[int, Batch]:
        """Draw training examples of several lengths in one call, so many of each, where :attr:`together` says so."""
        raise LookupError(f"{type(self).__name__} draws each length by itself")

    @abstractmethod
    def solve(self, prompt: Sequence[str]) -> list[str]:
        """The answer to one prompt, in plain Python from the definition, sharing no code with :meth:`sample`.

        Where the answer is labels, ``""`` stands where nothing should be said.
        """

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """Known ways to guess well without doing the task, by name: ``{"root operator": ...}``. Plain Python."""
        return {}

    def produces(self, length: int) -> bool:
        """Whether there are examples of this length."""
        return length >= self.shortest

    def length_weights(self, lengths: Sequence[int]) -> np.ndarray:
        """How often each training length is drawn, up to a factor: equally often, unless the task's own data says
        otherwise.
        """
        return np.ones(len(lengths))

    def channel_maximum(self, channel: str, length: int) -> int:
        """The largest number that a channel can have at this length."""
        raise LookupError(f"{type(self).__name__} has no channel {channel}")

    def fingerprint(self) -> str | None:
        """Identifies data that the sampler reads and does not make itself, ``None`` if there is none."""
        return None

    def write(self, prompt: Sequence[str], answer: Sequence[str]) -> str:
        """An example as a person would write it."""
        joint = "" if all(len(token) == 1 for token in self.alphabet) else " "
        shown = [token or "." for token in answer] if self.form == "labels" else answer
        return f"{joint.join(prompt)} -> {joint.join(shown)}"


def _of_its_lengths(sample: Callable[..., Batch]) -> Callable[..., Batch]:
    """A sampler that is not asked for a length of which there are no examples, at which it might never end."""

    @wraps(sample)
    def checked(task: Task, rng: np.random.Generator, length: int, *arguments: Any, **options: Any) -> Batch:
        if not task.produces(length):
            raise ValueError(
                f"{type(task).__name__} has no examples of length {length}; the shortest is {task.shortest}"
            )
        return sample(task, rng, length, *arguments, **options)

    return checked
