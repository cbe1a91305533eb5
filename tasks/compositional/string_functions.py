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


def tables(length: int, longest: int) -> Tables:
    """The tables of up to ``length`` functions, of which no part makes more than ``longest`` symbols."""
    width = longest + 1
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
    return Tables(argument, any_argument, rules, joined)


def drawn(rng: np.random.Generator, tables: Tables, length: int, count: int) -> list[Nodes]:
    """Draw expressions of ``length`` functions from the outside in: the nodes of each depth."""
    symbols = rng.choice(tables.argument.shape[1], count, p=tables.argument[length] / tables.any_argument[length])
    expression, functions = np.arange(count), np.full(count, length)
    levels: list[Nodes] = []
    while len(expression):
        nodes, arguments = _opened(rng, tables, expression, functions, symbols)
        levels.append(nodes)
        expression, functions, symbols = arguments
    return levels


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

    row, given = ragged.within(np.where(joins, made + 1, width))
    rest = np.where(joins[row], tables.argument[(inner - one)[row], np.maximum(made[row] - given, 0)], 1.0)
    weights = tables.argument[one[row], given] * rest
    weights /= np.bincount(row, weights, len(pairs))[row]
    part = ragged.draw(rng, weights, np.where(joins, made + 1, width))
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
