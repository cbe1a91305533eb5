"""Random nested calls of functions that edit strings, of an exact number of functions and a bounded result.

The probabilistic grammar with which Hupkes et al. (2020), "Compositionality decomposed", begin, at its default odds
(:class:`tasks.compositional.pcfg_set.PCFGSet`), drawn exactly: tables say how likely the expressions of so many
functions are that give so many symbols.
"""

from typing import NamedTuple

import numpy as np

from tasks.compositional import ragged

UNARY = ("copy", "reverse", "shift", "swap_first_last", "echo", "repeat")
BINARY = ("append", "prepend", "remove_first", "remove_second")
FUNCTIONS = UNARY + BINARY
COPY, REVERSE, SHIFT, SWAP, ECHO, REPEAT, APPEND, PREPEND, REMOVE_FIRST, REMOVE_SECOND = range(len(FUNCTIONS))
SHORTEST_STRING, LONGEST_STRING = 2, 5
UNARY_ODDS, FUNCTION_ODDS = 0.75, 0.25


class Tables(NamedTuple):
    """How likely expressions are, by their functions f and the symbols s that they give, and running sums of that, from
    which parts are drawn: cell n of a row holds the odds of all cells up to n.

    ``argument`` [f, s] are odds, up to a factor per f, and ``symbols`` [f, s] their share among all s. ``rules``
    [f, s, functions] are odds by the outermost function. ``joined`` and ``removed`` [f, s, g] are shares in float32:
    whether one argument of a function of two has g functions, the first where they are joined, else the one that is
    removed. Cells of less than some 1e-8 are lost in them.
    """

    argument: np.ndarray
    symbols: np.ndarray
    rules: np.ndarray
    joined: np.ndarray
    removed: np.ndarray


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


def tables(length: int, longest: int) -> Tables:
    """The tables of up to ``length`` functions, of which no part makes more than ``longest`` symbols."""
    width = longest + 1
    argument = np.zeros((length + 1, width))
    argument[0, SHORTEST_STRING : LONGEST_STRING + 1] = 1 / (LONGEST_STRING - SHORTEST_STRING + 1)
    argument[0] *= 1 - FUNCTION_ODDS
    rules = np.zeros((length + 1, width, len(FUNCTIONS)))
    joined, removed = (np.ones((length + 1, width, length + 1), np.float32) for _ in range(2))
    one, two = UNARY_ODDS / len(UNARY), (1 - UNARY_ODDS) / len(BINARY)
    for functions in range(1, length + 1):
        inner, rule = argument[functions - 1], rules[functions]
        rule[:, COPY : SWAP + 1] = one * inner[:, None]
        rule[1:, ECHO] = one * inner[:-1]
        rule[::2, REPEAT] = one * inner[: len(rule[::2])]
        first = argument[:functions]
        second = first[::-1]
        both = np.zeros_like(first)
        for symbols in range(SHORTEST_STRING, width):
            both[:, symbols:] += first[:, symbols, None] * second[:, : width - symbols]
        kept = first.sum(axis=1, keepdims=True) * second
        rule[:, APPEND] = rule[:, PREPEND] = two * both.sum(axis=0)
        rule[:, REMOVE_FIRST] = rule[:, REMOVE_SECOND] = two * kept.sum(axis=0)
        joined[functions, :, :functions] = _shares(both.T)
        removed[functions, :, :functions] = _shares(kept.T)
        argument[functions] = FUNCTION_ODDS * rule.sum(axis=1)
    return Tables(argument, _shares(argument), np.cumsum(rules, axis=2), joined, removed)


def _shares(odds: np.ndarray) -> np.ndarray:
    """Running sums of each row over its sum; 1 where that is 0."""
    below = np.cumsum(odds, axis=-1)
    total = below[..., -1:]
    return np.divide(below, total, out=np.ones_like(below), where=total > 0)


def drawn(rng: np.random.Generator, tables: Tables, lengths: np.ndarray) -> list[Nodes]:
    """Draw expressions of so many functions each, [N], from the outside in: the nodes of each depth."""
    expression, functions = np.arange(len(lengths)), lengths
    symbols = _drawn(rng, tables.symbols, lengths)
    levels: list[Nodes] = []
    while len(expression):
        nodes, arguments = _opened(rng, tables, expression, functions, symbols)
        levels.append(nodes)
        expression, functions, symbols = arguments
    return levels


def _drawn(rng: np.random.Generator, shares: np.ndarray, rows: np.ndarray, cells: int = 0) -> np.ndarray:
    """A cell of each of these rows of running shares [.., cells], found by halving. It is among the first ``cells``."""
    width = shares.shape[-1]
    flat, start = shares.ravel(), rows * width
    aim = rng.random(len(rows), shares.dtype)
    cell = np.zeros(len(rows), np.int64)
    for bit in reversed(range(((cells or width) - 1).bit_length())):
        tried = cell + (1 << bit)
        cell = np.where(flat[start + np.minimum(tried, width) - 1] <= aim, tried, cell)
    return cell


def _opened(
    rng: np.random.Generator,
    tables: Tables,
    expression: np.ndarray,
    functions: np.ndarray,
    symbols: np.ndarray,
) -> tuple[Nodes, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Give nodes a function, and say of its arguments which expression, functions and symbols they have."""
    function, width = np.full(len(expression), -1), tables.argument.shape[1]
    calls = np.flatnonzero(functions > 0)
    odds = tables.rules[functions[calls], symbols[calls]]
    aim = np.minimum(rng.random(len(calls)) * odds[:, -1], np.nextafter(odds[:, -1], 0))
    function[calls] = (odds <= aim[:, None]).sum(axis=1)

    first_functions, first_symbols = functions - 1, symbols.copy()
    first_symbols[function == ECHO] -= 1
    first_symbols[function == REPEAT] //= 2
    second_functions, second_symbols = np.zeros_like(functions), np.zeros_like(symbols)

    pairs = np.flatnonzero((function == APPEND) | (function == PREPEND))
    inner, made = functions[pairs] - 1, symbols[pairs]
    one = _drawn(rng, tables.joined, functions[pairs] * width + made, int(inner.max(initial=0)) + 1)
    row, given = ragged.within(made + 1)
    weights = tables.argument[one[row], given] * tables.argument[(inner - one)[row], made[row] - given]
    weights /= np.bincount(row, weights, len(pairs))[row]
    part = ragged.draw(rng, weights, made + 1)
    first_functions[pairs], first_symbols[pairs] = one, part
    second_functions[pairs], second_symbols[pairs] = inner - one, made - part

    pairs = np.flatnonzero(function >= REMOVE_FIRST)
    inner, made = functions[pairs] - 1, symbols[pairs]
    one = _drawn(rng, tables.removed, functions[pairs] * width + made, int(inner.max(initial=0)) + 1)
    part = _drawn(rng, tables.symbols, one)
    swapped = function[pairs] == REMOVE_SECOND
    first_functions[pairs] = np.where(swapped, inner - one, one)
    first_symbols[pairs] = np.where(swapped, made, part)
    second_functions[pairs] = np.where(swapped, one, inner - one)
    second_symbols[pairs] = np.where(swapped, part, made)

    has = np.stack([function >= 0, function >= APPEND], axis=1)
    place = np.where(has, np.cumsum(has.ravel()).reshape(has.shape) - 1, -1)
    nodes = Nodes(expression, functions, symbols, function, place[:, 0], place[:, 1])
    below = (
        np.repeat(expression, 2).reshape(has.shape)[has],
        np.stack([first_functions, second_functions], axis=1)[has],
        np.stack([first_symbols, second_symbols], axis=1)[has],
    )
    return nodes, below
