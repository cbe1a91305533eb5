"""PCFG SET: nested functions that edit strings."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import NamedTuple

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task
from tasks.compositional import ragged

UNARY = ("copy", "reverse", "shift", "swap_first_last", "echo", "repeat")
BINARY = ("append", "prepend", "remove_first", "remove_second")
FUNCTIONS = UNARY + BINARY
COPY, REVERSE, SHIFT, SWAP, ECHO, REPEAT, APPEND, PREPEND, REMOVE_FIRST, REMOVE_SECOND = range(len(FUNCTIONS))
SEPARATOR = ","
SHORTEST_STRING, LONGEST_STRING = 2, 5
UNARY_ODDS, FUNCTION_ODDS = 0.75, 0.25


class Tables(NamedTuple):
    """How likely expressions are, by their functions f and the symbols s that they give, up to a factor per f.

    ``argument`` [f, s], ``any_argument`` [f] (of whatever s), ``rules`` [f, s, functions] by the outermost function,
    ``joined`` [f, g, s]: a pair of f and g functions that give s symbols together.
    """

    argument: np.ndarray
    any_argument: np.ndarray
    rules: np.ndarray
    joined: np.ndarray


class Nodes(NamedTuple):
    """The nodes of a batch of expressions at one depth: which expression each belongs to, how many functions and
    symbols it has, its function (-1 for a string), and where its arguments are among the nodes one deeper (-1 where
    there is none), [nodes] each.
    """

    expression: np.ndarray
    functions: np.ndarray
    symbols: np.ndarray
    function: np.ndarray
    first: np.ndarray
    second: np.ndarray


class PCFGSet(Task):
    """Length counts the functions of the expression. The answer is the string that they make, from the inside out.

    Of one string: ``copy``; ``reverse``; ``shift``, the first symbol goes to the end; ``swap_first_last``; ``echo``,
    the last symbol twice; ``repeat``, the string twice. Of two, with a comma between: ``append``, the first and then
    the second; ``prepend``, the second and then the first; ``remove_first`` and ``remove_second`` leave the other.
    Functions stand before their arguments, without brackets. Strings have 2 to 5 symbols, equally likely, out of 26
    letters with a number each, uniform and independent.

    Expressions are those of the grammar with which the published data begins, at its default odds: a function is unary
    with odds 0.75, an argument is a function with odds 0.25, and functions of one kind are equally likely. They are
    drawn exactly, from tables, given the number of functions and that no part makes more than ``longest`` symbols:
    without that bound ``repeat`` doubles strings without end.

    Example: ``append swap_first_last F1 G2 H3 , repeat I4 J5 -> H3 G2 F1 I4 J5 I4 J5``.

    ``numbers`` is how many numbers each letter has. The axis ``depth`` is how deep functions are nested.

    Hupkes et al. (2020), "Compositionality decomposed", section 4, and its productivity split: train up to 8 functions,
    test 9 to 35; code in MathijsMul/pcfg-set. It is a sample of our own: the published one was reshaped until its
    lengths and depths were those of English sentences, holds 92,343 fixed examples with far fewer of many functions,
    and has no bound but on the characters of an expression.

    Raises :class:`ValueError` unless there are 1 to 20 numbers and ``longest`` is at least 10.
    """

    version = 1
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
        if longest < 2 * LONGEST_STRING:
            raise ValueError(
                f"longest={longest}: two strings of {LONGEST_STRING} must fit, so {2 * LONGEST_STRING} or more"
            )
        self.symbols = tuple(f"{letter}{number + 1}" for letter in ascii_uppercase for number in range(numbers))
        self.alphabet = (*FUNCTIONS, SEPARATOR, *self.symbols)
        self.longest = longest
        self._made: dict[int, Tables] = {}

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.symbols

    def prompt_length(self, length: int) -> int:
        return 2 * length + LONGEST_STRING * (length + 1)

    def answer_length(self, length: int) -> int:
        return self.longest

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        levels = self._expressions(rng, length, count)
        prompt, starts = self._written(rng, levels)
        depth = np.zeros(count, np.int64)
        for number, nodes in enumerate(levels):
            depth[nodes.expression[nodes.function >= 0]] = number + 1
        answer = _carried_out(levels, prompt, starts)
        return Batch(prompt, answer, answer != ABSENT, axes={"depth": depth})

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

    def _expressions(self, rng: np.random.Generator, length: int, count: int) -> list[Nodes]:
        """Draw expressions from the outside in: the nodes of each depth."""
        tables = self._tables(length)
        symbols = rng.choice(self.longest + 1, count, p=tables.argument[length] / tables.any_argument[length])
        expression, functions = np.arange(count), np.full(count, length)
        levels: list[Nodes] = []
        while len(expression):
            nodes, arguments = self._opened(rng, tables, expression, functions, symbols)
            levels.append(nodes)
            expression, functions, symbols = arguments
        return levels

    def _opened(
        self,
        rng: np.random.Generator,
        tables: Tables,
        expression: np.ndarray,
        functions: np.ndarray,
        symbols: np.ndarray,
    ) -> tuple[Nodes, tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Give nodes a function, and say of its arguments which expression, functions and symbols they have."""
        function = np.full(len(expression), -1)
        calls = np.flatnonzero(functions > 0)
        odds = np.cumsum(tables.rules[functions[calls], symbols[calls]], axis=1)
        aim = np.minimum(rng.random(len(calls)) * odds[:, -1], np.nextafter(odds[:, -1], 0))
        function[calls] = (odds <= aim[:, None]).sum(axis=1)

        first_functions, first_symbols = functions - 1, symbols.copy()
        first_symbols[function == ECHO] -= 1
        first_symbols[function == REPEAT] //= 2
        second_functions, second_symbols = np.zeros_like(functions), np.zeros_like(symbols)

        pairs = np.flatnonzero(function >= APPEND)
        inner, made = functions[pairs] - 1, symbols[pairs]
        joins = function[pairs] <= PREPEND
        row, given = ragged.within(inner + 1)
        other = inner[row] - given
        weights = np.where(
            joins[row],
            tables.joined[given, other, made[row]],
            tables.any_argument[given] * tables.argument[other, made[row]],
        )
        weights /= np.bincount(row, weights, len(pairs))[row]
        one = ragged.draw(rng, weights, inner + 1)

        row, given = ragged.within(np.where(joins, made + 1, self.longest + 1))
        rest = np.where(joins[row], tables.argument[(inner - one)[row], np.maximum(made[row] - given, 0)], 1.0)
        weights = tables.argument[one[row], given] * rest
        weights /= np.bincount(row, weights, len(pairs))[row]
        part = ragged.draw(rng, weights, np.where(joins, made + 1, self.longest + 1))
        # of a joined pair "one" is the first argument; of the others it is what is removed
        swapped = function[pairs] == REMOVE_SECOND
        kept = np.where(joins, made - part, made)
        first_functions[pairs] = np.where(swapped, inner - one, one)
        first_symbols[pairs] = np.where(swapped, kept, part)
        second_functions[pairs] = np.where(swapped, one, inner - one)
        second_symbols[pairs] = np.where(swapped, part, kept)

        has = np.stack([function >= 0, function >= APPEND], axis=1)
        place = np.where(has, np.cumsum(has.ravel()).reshape(has.shape) - 1, -1)
        nodes = Nodes(expression, functions, symbols, function, place[:, 0], place[:, 1])
        below = (
            np.repeat(expression, 2).reshape(has.shape)[has],
            np.stack([first_functions, second_functions], axis=1)[has],
            np.stack([first_symbols, second_symbols], axis=1)[has],
        )
        return nodes, below

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
        if length not in self._made:
            width = self.longest + 1
            argument = np.zeros((length + 1, width))
            argument[0, SHORTEST_STRING : LONGEST_STRING + 1] = 1 / (LONGEST_STRING - SHORTEST_STRING + 1)
            argument[0] *= 1 - FUNCTION_ODDS
            any_argument = argument.sum(axis=1)
            rules = np.zeros((length + 1, width, len(FUNCTIONS)))
            joined = np.zeros((length + 1, length + 1, width))
            joined[0, 0] = np.convolve(argument[0], argument[0])[:width]
            one, two = UNARY_ODDS / len(UNARY), (1 - UNARY_ODDS) / len(BINARY)
            for functions in range(1, length + 1):
                inner, rule = argument[functions - 1], rules[functions]
                rule[:, COPY : SWAP + 1] = one * inner[:, None]
                rule[1:, ECHO] = one * inner[:-1]
                rule[::2, REPEAT] = one * inner[: len(rule[::2])]
                pairs = [(first, functions - 1 - first) for first in range(functions)]
                rule[:, APPEND] = rule[:, PREPEND] = two * sum(joined[pair] for pair in pairs)
                kept = sum(any_argument[first] * argument[second] for first, second in pairs)
                rule[:, REMOVE_FIRST] = rule[:, REMOVE_SECOND] = two * kept
                argument[functions] = FUNCTION_ODDS * rule.sum(axis=1)
                any_argument[functions] = argument[functions].sum()
                for other in range(functions + 1):
                    both = np.convolve(argument[functions], argument[other])[:width]
                    joined[functions, other] = joined[other, functions] = both
            self._made[length] = Tables(argument, any_argument, rules, joined)
        return self._made[length]


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
