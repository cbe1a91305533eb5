"""Random arithmetic expressions with brackets, of an exact length.

The grammar of the released code of Deletang et al. (2023): E(1) is a digit d, E(2) is ``-d``, E(3) is ``(d)``, E(4) is
``(-d)``, and a longer E(n) is ``(E(l) op E(n - l - 3))`` with l uniform from 1 to n - 4; digits and operators are
uniform.
"""

from typing import NamedTuple

import numpy as np

PLUS, MINUS, TIMES, OPEN, CLOSE = range(5)
"""Signs, counted from the first token after the digits."""


class _Level(NamedTuple):
    """The subexpressions of one depth: which expression each belongs to, where it begins, how long it is, whether it is
    split, [subexpressions] each; the operators of those that are, and where these stand; the digits of the others, and
    whether there is a minus sign before it. The left parts of the split ones are the first half of the next level, the
    right parts the second.
    """

    rows: np.ndarray
    starts: np.ndarray
    lengths: np.ndarray
    split: np.ndarray
    operators: np.ndarray
    operator_places: np.ndarray
    digits: np.ndarray
    negative: np.ndarray


class Expressions(NamedTuple):
    """``tokens`` [N, L], digits below the modulus and signs from there on, and ``value`` [N] modulo the modulus; the
    subexpressions of each depth, and their values as a pair, of the left and of the right parts.
    """

    modulus: int
    tokens: np.ndarray
    value: np.ndarray
    levels: list[_Level]
    parts: list[tuple[np.ndarray, np.ndarray]]

    def slope(self) -> np.ndarray:
        """What each row's value changes by for a step of one of its digits modulo the modulus, 0 beside what is no
        digit, [N, L].
        """
        slopes = np.zeros_like(self.tokens)
        slope = np.ones_like(self.value)
        for level, (left, right) in zip(self.levels, self.parts, strict=True):
            leaf = ~level.split
            places = level.rows[leaf], (level.starts + level.lengths // 2)[leaf]
            slopes[places] = np.where(level.negative, -slope[leaf], slope[leaf]) % self.modulus
            outer = slope[level.split]
            to_left = np.choose(level.operators, (outer, outer, outer * right))
            to_right = np.choose(level.operators, (outer, -outer, outer * left))
            slope = np.concatenate([to_left, to_right]) % self.modulus
        return slopes


def sample(rng: np.random.Generator, modulus: int, length: int, count: int, *, multiplication: bool) -> Expressions:
    """Draw ``count`` expressions, all at once and level by level."""
    levels: list[_Level] = []
    rows, starts, lengths = np.arange(count), np.zeros(count, np.int64), np.full(count, length)
    while len(rows):
        split = lengths >= 5
        operators = rng.integers(PLUS, TIMES + multiplication, size=np.count_nonzero(split))
        digits = rng.integers(modulus, size=len(rows) - len(operators))
        begin, whole = starts[split], lengths[split]
        left = rng.integers(1, whole - 3)
        sign = begin + 1 + left
        levels.append(_Level(rows, starts, lengths, split, operators, sign, digits, lengths[~split] % 2 == 0))
        rows = np.concatenate([rows[split], rows[split]])
        starts, lengths = np.concatenate([begin + 1, sign + 1]), np.concatenate([left, whole - left - 3])
    value, parts = _evaluated(modulus, levels)
    return Expressions(modulus, _written(modulus, levels, length, count), value, levels, parts)


def _written(modulus: int, levels: list[_Level], length: int, count: int) -> np.ndarray:
    """The tokens [N, L]."""
    rows, starts, lengths, split, operators, operator_places, digits, negative = (
        np.concatenate(arrays) for arrays in zip(*levels, strict=True)
    )
    bracketed, leaf = lengths >= 3, ~split
    digit_places = (starts + lengths // 2)[leaf]
    tokens = np.empty((count, length), np.int64)
    tokens[rows[bracketed], starts[bracketed]] = modulus + OPEN
    tokens[rows[bracketed], (starts + lengths - 1)[bracketed]] = modulus + CLOSE
    tokens[rows[split], operator_places] = modulus + operators
    tokens[rows[leaf], digit_places] = digits
    tokens[rows[leaf][negative], digit_places[negative] - 1] = modulus + MINUS
    return tokens


def _evaluated(modulus: int, levels: list[_Level]) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """The values of the expressions, and those of the parts of each level's split ones, from the leaves up."""
    value = np.zeros(0, np.int64)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    for level in reversed(levels):
        left, right = value[: len(value) // 2], value[len(value) // 2 :]
        parts.append((left, right))
        value = np.empty(len(level.rows), np.int64)
        value[~level.split] = np.where(level.negative, -level.digits, level.digits)
        value[level.split] = np.choose(level.operators, (left + right, left - right, left * right))
        value %= modulus
    return value, parts[::-1]
