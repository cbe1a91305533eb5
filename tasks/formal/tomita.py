"""Membership in one of Tomita's seven regular languages."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.formal.automata import Automaton

AUTOMATA = {
    1: ([[1, 0], [1, 1]], [0]),
    2: ([[2, 1], [0, 2], [2, 2]], [0]),
    3: ([[0, 1], [3, 0], [3, 1], [2, 4], [4, 4]], [0, 1, 2]),
    4: ([[1, 0], [2, 0], [3, 0], [3, 3]], [0, 1, 2]),
    5: ([[1, 2], [0, 3], [3, 0], [2, 1]], [0]),
    6: ([[1, 2], [2, 0], [0, 1]], [0]),
    7: ([[0, 1], [2, 1], [2, 3], [4, 3], [4, 4]], [0, 1, 2, 3]),
}
"""Of each grammar, the state after 0 and after 1 and the states in which a word may end."""


class Tomita(Task):
    """Length counts the bits of the prompt; the answer is Y if it belongs to the language, otherwise N. Either is
    sampled with equal chance.

    The grammars of Tomita (1982), "Dynamic construction of finite automata from examples using hill-climbing": 1 is
    ``1*``; 2 is ``(10)*``; 3 has no odd run of ones directly before an odd run of zeros; 4 has no ``000``; 5 has an
    even number of zeros and of ones; 6 has numbers of zeros and ones that differ by a multiple of 3; 7 is ``0*1*0*1*``.
    Some authors read grammar 3 more strictly, without an odd run of zeros anywhere after an odd run of ones.

    Members are uniform over all members of their length, by counting with the automaton. ``negatives``: ``"uniform"``
    samples all other strings uniformly, ``"near"`` flips one bit of a member at a uniform position, sampled again while
    the result is a member. Uniform ones are easy for languages of few words (1, 2, 7): most begin wrongly.

    Example: ``0110 -> Y`` and ``0111 -> N`` with grammar 5. Membership, and not the set of symbols that may come next,
    which others score: it needs no convention for what follows a prefix that cannot be completed, and its baseline is
    one half. A length has examples if it has both members and others: grammars 2 and 5 have members of even lengths
    only.

    Raises :class:`ValueError` for another grammar or other negatives.
    """

    version = 1
    alphabet = ("0", "1", "N", "Y")

    def __init__(self, *, grammar: int = 5, negatives: Literal["uniform", "near"] = "uniform") -> None:
        if grammar not in AUTOMATA:
            raise ValueError(f"grammar={grammar}: it is between 1 and 7")
        if negatives not in ("uniform", "near"):
            raise ValueError(f"negatives={negatives}: they are uniform or near")
        follows, final = AUTOMATA[grammar]
        self.grammar = grammar
        self.negatives = negatives
        self.members = Automaton(np.array(follows), np.isin(np.arange(len(follows)), final))
        self.shortest = next(length for length in range(1, 9) if self.produces(length))

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[2:]

    def produces(self, length: int) -> bool:
        both = self.members, self.members.complement()
        return length >= 1 and all(automaton.accepts_some(length) for automaton in both)

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        member = rng.random(count) < 0.5
        prompt = self.members.sample(rng, length, count)
        others = np.flatnonzero(~member)
        if self.negatives == "uniform":
            prompt[others] = self.members.complement().sample(rng, length, len(others))
        while len(others) and self.negatives == "near":
            prompt[others] = self.members.sample(rng, length, len(others))
            prompt[others, rng.integers(length, size=len(others))] ^= 1
            others = others[self.members.contains(prompt[others])]
        answer = 2 + member.astype(np.int64)[:, None]
        return Batch(prompt, answer, np.ones_like(answer, bool))

    def solve(self, prompt: Sequence[str]) -> list[str]:
        word = "".join(prompt)
        zeros, ones = word.count("0"), word.count("1")
        belongs = {
            1: zeros == 0,
            2: word == "10" * (len(word) // 2),
            3: not re.search("(?<!1)1(11)*0(00)*(?!0)", word),
            4: "000" not in word,
            5: zeros % 2 == 0 and ones % 2 == 0,
            6: (zeros - ones) % 3 == 0,
            7: bool(re.fullmatch("0*1*0*1*", word)),
        }
        return ["Y" if belongs[self.grammar] else "N"]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``the first six bits``, ``the first 24 bits``: whether they are a word themselves, as they are in every word
        of grammars 1, 2, 4 and 7; in grammar 3, if no run of zeros goes on behind them. Most strings that do not belong
        say so early; near ones, which are asked for 50 bits, at any place. ``many ones``: whether they are more than 14
        of 25 bits, as in most words of grammar 4, which has no three zeros in a row, and in few strings that are drawn
        from all. ``parity of the ones``: all that is to be known in grammar 5, as its lengths are even.
        """
        known: dict[str, Shortcut] = {}
        if self.grammar == 5:
            known["parity of the ones"] = lambda prompt: ["N" if list(prompt).count("1") % 2 else "Y"]
        if self.grammar in (1, 2, 4, 7):
            known["the first six bits"] = lambda prompt: self.solve(prompt[:6])
        if self.grammar in (3, 4, 7):
            seen = 24 if self.negatives == "uniform" else 50
            known[f"the first {seen} bits"] = lambda prompt: self.solve(prompt[:seen])
        if self.grammar == 4 and self.negatives == "uniform":
            known["many ones"] = lambda prompt: ["Y" if 25 * list(prompt).count("1") > 14 * len(prompt) else "N"]
        return known
