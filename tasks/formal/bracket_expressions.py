"""Random arithmetic expressions with brackets, of an exact length.

The grammar of the released code of Deletang et al. (2023): E(1) is a digit d, E(2) is ``-d``, E(3) is ``(d)``, E(4) is
``(-d)``, and a longer E(n) is ``(E(l) op E(n - l - 3))`` with l uniform from 1 to n - 4; digits and operators are
uniform.
"""

from typing import NamedTuple

import numpy as np

PLUS, MINUS, TIMES, OPEN, CLOSE = range(5)
"""Signs, counted from the first token after the digits."""


class Expressions(NamedTuple):
    """``tokens`` [N, L], digits below the modulus and signs from there on, ``value`` [N], and what each row's value
    changes by for a step of one of its digits, ``slope`` [N, L], 0 beside what is no digit; all modulo the modulus.
    """

    tokens: np.ndarray
    value: np.ndarray
    slope: np.ndarray


class _Level(NamedTuple):
    """The subexpressions of one depth: where each begins, how long it is, and, of those that are split, the operator.
    The left parts of the split ones are the first half of the next level, the right parts the second.
    """

    rows: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    split: np.ndarray
    operators: np.ndarray


def sample(rng: np.random.Generator, modulus: int, length: int, count: int, *, multiplication: bool) -> Expressions:
    """Draw ``count`` expressions, all at once and level by level."""
    tokens = np.zeros((count, length), np.int64)
    levels: list[_Level] = []
    rows, starts, lengths = np.arange(count), np.zeros(count, np.int64), np.full(count, length)
    while len(rows):
        split = lengths >= 5
        operators = rng.integers(PLUS, TIMES + multiplication, size=int(split.sum()))
        levels.append(_Level(rows, starts, lengths, split, operators))
        _write_digits(rng, modulus, tokens, rows[~split], starts[~split], lengths[~split])
        rows, starts, lengths = rows[split], starts[split], lengths[split]
        left = rng.integers(1, lengths - 3)
        tokens[rows, starts] = modulus + OPEN
        tokens[rows, starts + 1 + left] = modulus + operators
        tokens[rows, starts + lengths - 1] = modulus + CLOSE
        rows = np.concatenate([rows, rows])
        starts, lengths = np.concatenate([starts + 1, starts + 2 + left]), np.concatenate([left, lengths - left - 3])
    return _evaluated(modulus, tokens, levels)


def _write_digits(
    rng: np.random.Generator,
    modulus: int,
    tokens: np.ndarray,
    rows: np.ndarray,
    starts: np.ndarray,
    lengths: np.ndarray,
) -> None:
    """Fill in the subexpressions of up to four tokens."""
    tokens[rows, starts + lengths // 2] = rng.integers(modulus, size=len(rows))
    bracketed = lengths >= 3
    negative = lengths % 2 == 0
    tokens[rows[bracketed], starts[bracketed]] = modulus + OPEN
    tokens[rows[bracketed], (starts + lengths - 1)[bracketed]] = modulus + CLOSE
    tokens[rows[negative], (starts + lengths // 2 - 1)[negative]] = modulus + MINUS


def _evaluated(modulus: int, tokens: np.ndarray, levels: list[_Level]) -> Expressions:
    """Values from the leaves up, then slopes from the root down."""
    values: list[np.ndarray] = [np.zeros(0, np.int64)]
    for level in reversed(levels):
        digits = tokens[level.rows, level.starts + level.lengths // 2]
        value = np.where(level.lengths % 2 == 0, -digits, digits)
        left, right = np.split(values[-1], 2)
        by_operator = np.stack([left + right, left - right, left * right])
        value[level.split] = np.take_along_axis(by_operator, level.operators[None], axis=0)[0]
        values.append(value % modulus)
    value = values.pop()

    slopes = np.zeros_like(tokens)
    slope = np.ones_like(value)
    for level in levels:
        leaf = ~level.split
        places = level.rows[leaf], (level.starts + level.lengths // 2)[leaf]
        slopes[places] = np.where(level.lengths[leaf] % 2 == 0, -slope[leaf], slope[leaf]) % modulus
        outer = slope[level.split]
        left, right = np.split(values.pop(), 2)
        times = level.operators == TIMES
        to_left = np.where(times, outer * right, outer)
        to_right = np.where(times, outer * left, np.where(level.operators == MINUS, -outer, outer))
        slope = np.concatenate([to_left, to_right]) % modulus
    return Expressions(tokens, value, slopes)
