"""The word problem of a finite group: multiply its elements."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.tracking import groups


class WordProblem(Task):
    """Length counts the elements of the prompt. They are independent and uniform over the group; the label of each is
    the product of all up to and including it, or, where ``labels`` is ``"last"``, only the last has a label.

    ``group``: Z2 and Z60 are numbers under addition, S3 and S5 all permutations of 3 and 5 points, A5 the even ones,
    and A4xZ5 pairs of an even permutation of 4 points and a number below 5. A permutation is written as the points that
    1, 2, 3, ... go to. A product applies the left permutation first. Z60, A4xZ5 and A5 have 60 elements each; A5 and S5
    are not solvable, so that their word problem is complete for NC1 (Barrington, 1989).

    Example, of S3: ``231 213 132 -> 231 132 123``.

    The task of Merrill et al. (2024), arXiv 2404.08819, with a label at every prefix as in their code; Liu et al.
    (2023), arXiv 2210.10749, draw from a few generators instead of the whole group. ``labels=last`` leaves a model
    without the steps in between.

    Raises :class:`ValueError` for another group and for other labels.
    """

    version = 1
    form = "labels"
    metric = "token_accuracy"
    shortest = 2

    def __init__(
        self,
        *,
        group: Literal["Z2", "Z60", "S3", "A4xZ5", "A5", "S5"] = "A5",
        labels: Literal["prefixes", "last"] = "prefixes",
    ) -> None:
        if group not in groups.FACTORS:
            raise ValueError(f"group={group}: there are {', '.join(groups.FACTORS)}")
        if labels not in ("prefixes", "last"):
            raise ValueError(f"labels={labels}: it is prefixes or last")
        self.group = group
        self.labels = labels
        self.alphabet = groups.names(group)
        self._table = groups.table(group)

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = rng.integers(len(self.alphabet), size=(count, length))
        answer = prompt.copy()
        for place in range(1, length):
            answer[:, place] = self._table[answer[:, place - 1], prompt[:, place]]
        if self.labels == "last":
            answer[:, :-1] = ABSENT
        return Batch(prompt, answer, answer != ABSENT)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for element in prompt:
            answer.append(self._multiply(answer[-1], element) if answer else element)
        return answer if self.labels == "prefixes" else [""] * (len(answer) - 1) + answer[-1:]

    def _multiply(self, left: str, right: str) -> str:
        """The product of two elements, read from their names."""
        parts = []
        for factor, first, second in zip(self.group.split("x"), left.split("/"), right.split("/"), strict=True):
            if factor[0] == "Z":
                parts.append(str((int(first) + int(second)) % int(factor[1:])))
            else:
                parts.append("".join(second[int(place) - 1] for place in first))
        return "/".join(parts)

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def last_two(prompt: Sequence[str]) -> list[str]:
            answer = [prompt[0], *(self._multiply(left, right) for left, right in pairwise(prompt))]
            return answer if self.labels == "prefixes" else [""] * (len(answer) - 1) + answer[-1:]

        if "x" in self.group or self.group[0] == "Z":
            return {"product of the last two": last_two}

        def one_point(prompt: Sequence[str]) -> list[str]:
            """Follows where 1 goes and takes the first element that takes it there: an automaton with a state for each
            point does this, which of three points is right half of the time.
            """
            place, answer = "1", []
            for element in prompt:
                place = element[int(place) - 1]
                answer.append(next(name for name in self.alphabet if name[0] == place))
            return answer if self.labels == "prefixes" else [""] * (len(answer) - 1) + answer[-1:]

        return {"product of the last two": last_two, "where 1 goes": one_point}
