"""PCFG SET: nested functions that edit strings."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.compositional import ragged, string_functions
from tasks.compositional.string_functions import (
    APPEND,
    BINARY,
    ECHO,
    FUNCTIONS,
    LONGEST_STRING,
    PREPEND,
    REMOVE_FIRST,
    REPEAT,
    REVERSE,
    SHIFT,
    SWAP,
    UNARY,
    Nodes,
    Tables,
)

SEPARATOR = ","


class PCFGSet(Task):
    """Length counts the functions of the expression. The answer is the string that they make, from the inside out.

    Of one string: ``copy``; ``reverse``; ``shift``, the first symbol goes to the end; ``swap_first_last``; ``echo``,
    the last symbol twice; ``repeat``, the string twice. Of two, with a comma between: ``append``, the first and then
    the second; ``prepend``, the second and then the first; ``remove_first`` and ``remove_second`` leave the other.
    Functions precede their arguments, without brackets. Strings have 2 to 5 symbols, equally likely, out of 26
    letters with a number each, uniform and independent.

    Expressions are those of the grammar with which the published data begins, at its default odds: a function is unary
    with odds 0.75, an argument is a function with odds 0.25, and functions of one kind are equally likely. They are
    sampled exactly, from tables, given the number of functions and that no part makes more than ``longest`` symbols:
    without that bound ``repeat`` doubles strings without end.

    Example: ``append swap_first_last F1 G2 H3 , repeat I4 J5 -> H3 G2 F1 I4 J5 I4 J5``.

    ``numbers`` is how many numbers each letter has. The axis ``depth`` is how deep functions are nested.

    Hupkes et al. (2020), "Compositionality decomposed", section 4, and its productivity split: train up to 8 functions,
    test 9 to 35; code in MathijsMul/pcfg-set. It is a sample of our own: the published one was reshaped until its
    lengths and depths were those of English sentences, holds 92,343 fixed examples with far fewer of many functions,
    and has no bound but on the characters of an expression.

    Raises :class:`ValueError` unless there are 1 to 20 numbers and ``longest`` is at least 10.
    """

    version = 2
    together = True
    axes = ("depth",)
    known_results = (
        "Published productivity test, mean of three runs, recomputed from the released predictions: LSTM 0.301, "
        "ConvS2S 0.308, Transformer 0.500 (Hupkes et al., 2020).",
        "Published productivity test, exact match, mean of three seeds, decoders trained with unequal budgets: no "
        "encoding 0.433, T5 bias 0.439, ALiBi 0.428, RoPE on a quarter of each head 0.439, sinusoidal 0.366 (results "
        "published with the code of Kazemnejad et al., 2023).",
    )

    def __init__(self, *, numbers: int = 20, longest: int = 60) -> None:
        if not 1 <= numbers <= 20:
            raise ValueError(f"numbers={numbers}: a letter has between 1 and 20")
        if not 2 * LONGEST_STRING <= longest <= 10_000:
            raise ValueError(
                f"longest={longest}: two strings of {LONGEST_STRING} must fit, so {2 * LONGEST_STRING} to 10000"
            )
        self.symbols = tuple(f"{letter}{number + 1}" for letter in ascii_uppercase for number in range(numbers))
        self.alphabet = (*FUNCTIONS, SEPARATOR, *self.symbols)
        self.longest = longest
        self._made = string_functions.tables(0, longest)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.symbols

    def prompt_length(self, length: int) -> int:
        return 2 * length + LONGEST_STRING * (length + 1)

    def answer_length(self, length: int) -> int:
        return self.longest

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        return self.sample_together(rng, {length: count})[length]

    def sample_together(self, rng: np.random.Generator, counts: Mapping[int, int]) -> dict[int, Batch]:
        lengths = np.repeat(list(counts), list(counts.values()))
        levels = string_functions.drawn(rng, self._tables(max(counts)), lengths)
        prompt, starts = self._written(rng, levels)
        depth = np.zeros(len(lengths), np.int64)
        for number, nodes in enumerate(levels):
            depth[nodes.expression[nodes.function >= 0]] = number + 1
        answer = _carried_out(levels, prompt, starts)
        batches, start = {}, 0
        for length, count in counts.items():
            rows = slice(start, start + count)
            start += count
            answers = _narrowed(answer[rows])
            batches[length] = Batch(_narrowed(prompt[rows]), answers, answers != ABSENT, axes={"depth": depth[rows]})
        return batches

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer, rest = _read(list(prompt))
        if rest:
            raise ValueError(f"{' '.join(rest)} is left over")
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``without functions of one string``: strings are put together and removed, and otherwise left as they are."""
        return {
            "without functions of one string": lambda prompt: self.solve([word for word in prompt if word not in UNARY])
        }

    def _written(self, rng: np.random.Generator, levels: list[Nodes]) -> tuple[np.ndarray, list[np.ndarray]]:
        """The tokens of the expressions, and where each node begins."""
        sizes: list[np.ndarray] = []
        for nodes in reversed(levels):
            size = np.where(nodes.function >= 0, 1, nodes.symbols)
            if sizes:
                size += np.where(nodes.first >= 0, sizes[-1][nodes.first], 0)
                size += np.where(nodes.second >= 0, sizes[-1][nodes.second] + 1, 0)
            sizes.append(size)
        sizes.reverse()
        prompt = np.full((len(sizes[0]), int(sizes[0].max(initial=0))), ABSENT)
        starts = [np.zeros(len(sizes[0]), np.int64)]
        for depth, nodes in enumerate(levels):
            start = starts[depth]
            calls, pairs = np.flatnonzero(nodes.first >= 0), np.flatnonzero(nodes.second >= 0)
            prompt[nodes.expression[calls], start[calls]] = nodes.function[calls]
            strings = np.flatnonzero(nodes.function < 0)
            row, place = ragged.within(nodes.symbols[strings])
            drawn = len(FUNCTIONS) + 1 + rng.integers(len(self.symbols), size=len(row))
            prompt[nodes.expression[strings][row], start[strings][row] + place] = drawn
            if len(calls):
                below = np.empty(len(levels[depth + 1].function), np.int64)
                below[nodes.first[calls]] = start[calls] + 1
                comma = start[pairs] + 1 + sizes[depth + 1][nodes.first[pairs]]
                prompt[nodes.expression[pairs], comma] = len(FUNCTIONS)
                below[nodes.second[pairs]] = comma + 1
                starts.append(below)
        return prompt, starts

    def _tables(self, length: int) -> Tables:
        """Tables of this length at least: those of a longer one begin with the same numbers."""
        if length >= len(self._made.argument):
            self._made = string_functions.tables(-(-length // 64) * 64, self.longest)
        return self._made


def _narrowed(tokens: np.ndarray) -> np.ndarray:
    """Rows that end where the longest of them ends."""
    return tokens[:, : int((tokens != ABSENT).sum(axis=1).max(initial=0))]


def _carried_out(levels: list[Nodes], prompt: np.ndarray, starts: list[np.ndarray]) -> np.ndarray:
    """The answers, by following each of their places from the outermost function in to a symbol of the prompt."""
    outermost = levels[0]
    answer = np.full((len(prompt), int(outermost.symbols.max(initial=0))), ABSENT)
    row, column = ragged.within(outermost.symbols)
    node, place, cell = row.copy(), column.copy(), np.arange(len(row))
    for depth, nodes in enumerate(levels):
        function = nodes.function[node]
        string = function < 0
        found = cell[string]
        answer[row[found], column[found]] = prompt[row[found], starts[depth][node[string]] + place[string]]
        node, place, cell, function = node[~string], place[~string], cell[~string], function[~string]
        if not len(node):
            break
        first, second, symbols = nodes.first[node], nodes.second[node], levels[depth + 1].symbols
        width = symbols[first]
        ahead = np.where(function == PREPEND, symbols[second], width)  # symbols of what stands first in the result
        in_second = (function == REMOVE_FIRST) | (function == APPEND) & (place >= ahead)
        in_second |= (function == PREPEND) & (place < ahead)
        moved = [
            (function == REVERSE, width - 1 - place),
            (function == SHIFT, (place + 1) % width),
            ((function == SWAP) & (place == 0), width - 1),
            ((function == SWAP) & (place == width - 1), 0),
            (function == ECHO, np.minimum(place, width - 1)),
            (function == REPEAT, place % width),
            (((function == APPEND) | (function == PREPEND)) & (place >= ahead), place - ahead),
        ]
        place = np.select([which for which, _ in moved], [to for _, to in moved], place)
        node = np.where(in_second, second, first)
    return answer


def _read(tokens: list[str]) -> tuple[list[str], list[str]]:
    """The string that the expression at the beginning makes, and what follows it."""
    head, rest = tokens[0], tokens[1:]
    if head in UNARY:
        string, rest = _read(rest)
        return _unary(head, string), rest
    if head in BINARY:
        first, rest = _read(rest)
        second, rest = _read(rest[1:])
        both = {"append": first + second, "prepend": second + first, "remove_first": second, "remove_second": first}
        return both[head], rest
    if SEPARATOR in tokens:
        end = tokens.index(SEPARATOR)
        return tokens[:end], tokens[end:]
    return tokens, []


def _unary(function: str, string: list[str]) -> list[str]:
    if function == "reverse":
        return string[::-1]
    if function == "shift":
        return string[1:] + string[:1]
    if function == "swap_first_last":
        return [string[-1], *string[1:-1], string[0]]
    if function == "echo":
        return [*string, string[-1]]
    if function == "repeat":
        return string + string
    return string
