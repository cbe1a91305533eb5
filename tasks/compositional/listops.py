"""ListOps: nested operators on lists of digits."""

from collections.abc import Mapping, Sequence
from math import comb
from typing import NamedTuple

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.compositional import ragged

OPERATORS = ("[MIN", "[MAX", "[MED", "[SM")
END = "]"
DIGITS = tuple("0123456789")
OPERATOR_ODDS = 0.25


class Level(NamedTuple):
    """The lists at one depth of a batch of trees: which tree each belongs to, where it starts and how many tokens it
    has [lists], and the same two of its arguments [lists, most arguments], size 0 where there is none.
    """

    tree: np.ndarray
    start: np.ndarray
    size: np.ndarray
    argument_start: np.ndarray
    argument_size: np.ndarray


class Odds(NamedTuple):
    """How likely arguments have n tokens together, by the number of levels of lists that an argument may have.

    ``arguments`` [levels, n, k - 2]: there are at most k of them. ``nested`` [levels, n, k, v]: there are k, at most v
    of them lists. ``lists`` [levels, v, n]: there are v, all of them lists.
    """

    arguments: np.ndarray
    nested: np.ndarray
    lists: np.ndarray


class ListOps(Task):
    """Length counts the tokens of the expression: digits, operators with their opening bracket, closing brackets.

    The trees are those of Long Range Arena's generator, given that they have this many tokens. There, an argument is a
    list with odds 0.25 and else a digit, but at depth 10 always a digit, so that lists are nested at most 9 deep. A
    list has 2 to 10 arguments, equally likely; operators and digits are independent and uniform. ``[MIN``, ``[MAX``,
    ``[MED`` (the median, rounded down) and ``[SM`` (the sum modulo 10) make a digit of their arguments. A digit alone
    is no example.

    The generator draws trees until one is long enough, which drops most of them. Here the number of arguments,
    how many of them are lists, and the tokens of each are sampled from tables of their probabilities: exact,
    and without rejection.

    ``arguments`` is the most that a list has, and ``depth`` the depth at which all are digits; they bound the length.
    The axis ``depth`` is how deep lists are nested.

    Example: ``[MAX 2 9 [MIN 4 7 ] 0 ] -> 9``.

    Nangia & Bowman (2018), arXiv 1804.06028; the generator is lra_benchmarks/data/listops.py of Tay et al. (2021),
    arXiv 2011.04006. Differences: that data set mixes lengths of 501 to 1,999 as they come, and has no tree twice.

    Raises :class:`ValueError` unless there are 4 to 10 arguments (with fewer some lengths do not occur) and
    a depth of at least 2.
    """

    version = 1
    shortest = 4
    axes = ("depth",)
    alphabet = (*OPERATORS, END, *DIGITS)
    known_results = (
        "Long Range Arena, 500 to 2,000 tokens without a split by length: Transformer 0.3637 (its repository's table).",
    )

    def __init__(self, *, arguments: int = 10, depth: int = 10) -> None:
        if not 4 <= arguments <= 10:
            raise ValueError(f"arguments={arguments}: the most that a list has is between 4 and 10")
        if not 2 <= depth <= 1000:
            raise ValueError(f"depth={depth}: at 1 there are only digits; between 2 and 1000")
        self.arguments = arguments
        self.depth = depth
        self.longest = 1
        for _ in range(depth - 1):
            self.longest = 2 + arguments * self.longest
        self._tables: Odds | None = None

    @property
    def outputs(self) -> tuple[str, ...]:
        return DIGITS

    def produces(self, length: int) -> bool:
        return self.shortest <= length <= self.longest

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = np.empty((count, length), np.int64)
        depth = np.zeros(count, np.int64)
        levels: list[Level] = []
        operators: list[np.ndarray] = []
        digits: list[np.ndarray] = []
        level = self._root(length, count)
        while len(level.tree):
            level = self._split(rng, level, self.depth - 1 - len(levels), length)
            operator = rng.integers(len(OPERATORS), size=len(level.tree))
            digit = rng.integers(10, size=level.argument_size.shape)
            prompt[level.tree, level.start] = operator
            prompt[level.tree, level.start + level.size - 1] = self.alphabet.index(END)
            lists, places = np.nonzero(level.argument_size == 1)
            ahead = self.alphabet.index("0")
            prompt[level.tree[lists], level.argument_start[lists, places]] = digit[lists, places] + ahead
            levels.append(level)
            operators.append(operator)
            digits.append(digit)
            depth[level.tree] = len(levels)
            level = _below(level)
        results = np.empty(0, np.int64)
        for level, operator, digit in zip(reversed(levels), reversed(operators), reversed(digits), strict=True):
            digit[level.argument_size > 1] = results
            results = _evaluate(operator, digit, level.argument_size > 0)
        answer = results[:, None] + self.alphabet.index("0")
        return Batch(prompt, answer, np.ones((count, 1), bool), axes={"depth": depth})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        lists: list[list[str]] = [[]]
        for token in prompt:
            if token in OPERATORS:
                lists.append([token])
            elif token == END:
                operator, *values = lists.pop()
                lists[-1].append(_value(operator, [int(value) for value in values]))
            else:
                lists[-1].append(token)
        return lists[0]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        favourite = {"[MIN": "0", "[MAX": "9", "[MED": "4", "[SM": "0"}
        return {"root operator": lambda prompt: [favourite[prompt[0]]], "root operator and its own digits": _surface}

    def _root(self, length: int, count: int) -> Level:
        nothing = np.empty((count, 0), np.int64)
        return Level(np.arange(count), np.zeros(count, np.int64), np.full(count, length), nothing, nothing)

    def _split(self, rng: np.random.Generator, level: Level, deeper: int, length: int) -> Level:
        """Give lists their arguments; ``deeper`` is how many levels of lists the tree may have from here on."""
        odds = self._odds(length)
        lists = odds.lists[deeper - 1]
        left = level.size - 2
        arguments = 2 + _drawn(rng, odds.arguments[deeper - 1, left])
        nested = _drawn(rng, odds.nested[deeper - 1, left, arguments])
        left = left - (arguments - nested)
        sizes = (np.arange(self.arguments) < arguments[:, None]).astype(np.int64)
        for place in range(int(nested.max(initial=0)) - 1):  # the last list takes what is left
            many = np.flatnonzero(nested - place > 1)
            after, total = nested[many] - place - 1, left[many]
            row, tokens = ragged.within(total)
            weights = lists[1, tokens] * lists[after[row], total[row] - tokens]
            weights /= lists[after + 1, total][row]
            sizes[many, place] = ragged.draw(rng, weights, total)
            left[many] -= sizes[many, place]
        some = np.flatnonzero(nested)
        sizes[some, nested[some] - 1] = left[some]
        order = np.argsort(np.where(sizes > 0, rng.random(sizes.shape), 1), axis=1)
        sizes = sizes[np.arange(len(sizes))[:, None], order]
        starts = level.start[:, None] + 1 + np.cumsum(sizes, axis=1) - sizes
        return level._replace(argument_start=starts, argument_size=sizes)

    def _odds(self, length: int) -> Odds:
        """Tables of this length at least: those of a longer one begin with the same numbers."""
        if self._tables is None or length >= self._tables.arguments.shape[1]:
            length = -(-length // 256) * 256
            most = self.arguments
            mixed = np.zeros((self.depth, length + 1, most + 1, most + 1))  # k arguments with n tokens, v of them lists
            lists = np.zeros((self.depth, most + 1, length + 1))
            for levels in range(self.depth):
                lists[levels, 0, 0] = 1
                if levels:
                    of_any_number = mixed[levels - 1, :-2, 2:].sum(axis=2).mean(axis=1)
                    lists[levels, 1, 2:] = OPERATOR_ODDS * of_any_number
                for nested in range(2, most + 1):
                    lists[levels, nested] = np.convolve(lists[levels, nested - 1], lists[levels, 1])[: length + 1]
                digit = 1 - OPERATOR_ODDS if levels else 1.0
                for arguments in range(2, most + 1):
                    for nested in range(arguments + 1):
                        plain = arguments - nested
                        odds = comb(arguments, nested) * digit**plain
                        if plain <= length:
                            mixed[levels, plain:, arguments, nested] = (
                                odds * lists[levels, nested, : length + 1 - plain]
                            )
            of_arguments = mixed[:, :, 2:].sum(axis=3)
            self._tables = Odds(of_arguments.cumsum(axis=2), mixed.cumsum(axis=3), lists)
        return self._tables


def _drawn(rng: np.random.Generator, total: np.ndarray) -> np.ndarray:
    """One number for each row of cumulative weights [rows, numbers], in proportion to them."""
    aim = np.minimum(rng.random(len(total)) * total[:, -1], np.nextafter(total[:, -1], 0))
    return (total <= aim[:, None]).sum(axis=1)


def _below(level: Level) -> Level:
    """The lists among the arguments."""
    lists, places = np.nonzero(level.argument_size > 1)
    nothing = np.empty((len(lists), 0), np.int64)
    return Level(
        level.tree[lists], level.argument_start[lists, places], level.argument_size[lists, places], nothing, nothing
    )


def _evaluate(operator: np.ndarray, digits: np.ndarray, present: np.ndarray) -> np.ndarray:
    """What each operator [lists] makes of its arguments [lists, places]."""
    count = present.sum(axis=1)
    ascending = np.sort(np.where(present, digits, 10), axis=1)
    each = np.arange(len(count))
    low, high = ascending[each, (count - 1) // 2], ascending[each, count // 2]
    summed = np.where(present, digits, 0).sum(axis=1) % 10
    return np.choose(operator, [ascending[:, 0], ascending[each, count - 1], (low + high) // 2, summed])


def _value(operator: str, values: list[int]) -> str:
    if operator == "[MIN":
        return str(min(values))
    if operator == "[MAX":
        return str(max(values))
    if operator == "[SM":
        return str(sum(values) % 10)
    while len(values) > 2:
        values.remove(min(values))
        values.remove(max(values))
    return str(sum(values) // len(values))


def _surface(prompt: Sequence[str]) -> list[str]:
    """The root operator applied to the digits that are its own arguments, nested lists left out."""
    depth, own = 0, []
    for token in prompt:
        depth += (token in OPERATORS) - (token == END)
        if depth == 1 and token in DIGITS:
            own.append(int(token))
    return [_value(prompt[0], own) if own else "4"]
