"""The value of an arithmetic expression, for oracles: plain Python, a function per rule of the grammar.

sum := product (('+' | '-') product)*;  product := factor ('*' factor)*;  factor := '-' factor | '(' sum ')' | digit
"""

from collections.abc import Sequence


def value(tokens: Sequence[str]) -> int:
    """The integer that an expression of digits, ``+ - *`` and brackets is worth. Raises :class:`ValueError` where it is
    none.
    """
    rest = list(tokens)
    result = _sum(rest)
    if rest:
        raise ValueError(f"not an expression: {''.join(rest)} is left over")
    return result


def _sum(rest: list[str]) -> int:
    result = _product(rest)
    while rest and rest[0] in "+-":
        sign = 1 if rest.pop(0) == "+" else -1
        result += sign * _product(rest)
    return result


def _product(rest: list[str]) -> int:
    result = _factor(rest)
    while rest and rest[0] == "*":
        rest.pop(0)
        result *= _factor(rest)
    return result


def _factor(rest: list[str]) -> int:
    first = rest.pop(0) if rest else "the end"
    if first == "-":
        return -_factor(rest)
    if first == "(":
        result = _sum(rest)
        if not rest or rest.pop(0) != ")":
            raise ValueError("not an expression: a bracket is not closed")
        return result
    if not first.isdigit():
        raise ValueError(f"not an expression: {first} where a number should be")
    return int(first)
