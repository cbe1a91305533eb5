"""Finite groups as tables of multiplication."""

from collections.abc import Callable
from itertools import permutations, product

import numpy as np

Element = tuple[int, ...]


def cyclic(order: int) -> tuple[list[Element], Callable[[Element, Element], Element]]:
    """The numbers below ``order`` under addition."""
    return [(number,) for number in range(order)], lambda p, q: ((p[0] + q[0]) % order,)


def symmetric(points: int, *, even: bool = False) -> tuple[list[Element], Callable[[Element, Element], Element]]:
    """The permutations of ``points`` points, or only the even ones; in a product the left one is applied first."""
    elements = [p for p in permutations(range(points)) if not even or _inversions(p) % 2 == 0]
    return elements, lambda p, q: tuple(q[point] for point in p)


def _inversions(permutation: Element) -> int:
    return sum(later < earlier for i, earlier in enumerate(permutation) for later in permutation[i + 1 :])


FACTORS = {
    "Z2": (cyclic(2),),
    "Z60": (cyclic(60),),
    "S3": (symmetric(3),),
    "A4xZ5": (symmetric(4, even=True), cyclic(5)),
    "A5": (symmetric(5, even=True),),
    "S5": (symmetric(5),),
}
"""The direct factors of each group: their elements, the first of them the neutral one, and their product."""


def names(group: str) -> tuple[str, ...]:
    """A name for every element. A number is itself; a permutation is the places that 1, 2, 3, ... go to, ``231``; in a
    direct product the names of the parts are joined: ``2143/3``.
    """
    parts = []
    for elements, _ in FACTORS[group]:
        number = len(elements[0]) == 1
        parts.append([str(p[0]) if number else "".join(str(point + 1) for point in p) for p in elements])
    return tuple("/".join(joined) for joined in product(*parts))


def table(group: str) -> np.ndarray:
    """``table[p, q]`` is the index of the product of the elements p and q, [G, G]. Element 0 is the neutral one."""
    whole = np.zeros((1, 1), np.int64)
    for elements, times in FACTORS[group]:
        index = {element: number for number, element in enumerate(elements)}
        part = np.array([[index[times(p, q)] for q in elements] for p in elements])
        joined = whole[:, None, :, None] * len(part) + part[None, :, None, :]
        whole = joined.reshape(len(whole) * len(part), -1)
    return whole
