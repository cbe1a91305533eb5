"""Variable tracking: follow chains of assignments."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import Batch, Shortcut, Split, Task
from tasks.recall.distinct import distinct

NOISE = "."
VARIABLES = 64
VALUES = 64


class VariableTracking(Task):
    """Length counts the statements of the prompt, two tokens each: assignments and noise. The answer lists the
    variables that have the value given at the end.

    There are ``chains`` chains. A chain gives a value to a variable, that variable to a second, and so on over ``hops``
    more statements, in this order, anywhere in the prompt: every choice of positions and every way to interleave the
    chains is equally likely. ``x3 5`` gives x3 the value 5, ``x9 x3`` gives x9 what x3 has. Variables and values are
    all different, drawn from 64 of each; all other statements are two full stops. The queried value is uniform over the
    chains; the answer has its variables in the order in which they got it.

    Example, of 2 chains with 1 hop: ``x3 5 . . x7 2 x9 x3 . . x1 x7 2 -> x7 x1``.

    RULER's variable tracking (Hsieh et al., 2024, arXiv 2404.06654) without its words. Its published setting has one
    chain of 4 hops; one chain is all the variables of the prompt in order of appearance, so nothing need be followed
    (:meth:`shortcuts`), and 2 chains are the default here. RULER scores the share of the variables named in any order.

    ``hop``: how many assignments a variable of the answer is away from the value.

    Raises :class:`ValueError` unless there is at least 1 chain and 1 hop and the variables suffice.
    """

    version = 1
    axes = ("hop",)
    alphabet = (
        *(f"x{variable}" for variable in range(VARIABLES)),
        *(str(value) for value in range(VALUES)),
        NOISE,
    )

    def __init__(self, *, chains: int = 2, hops: int = 4) -> None:
        if chains < 1 or hops < 1:
            raise ValueError(f"chains={chains}, hops={hops}: there is at least 1 of each")
        if chains * (hops + 1) > VARIABLES:
            raise ValueError(
                f"chains={chains}, hops={hops}: these are {chains * (hops + 1)} variables; there are {VARIABLES}"
            )
        self.chains = chains
        self.hops = hops
        self.shortest = chains * (hops + 1)

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[:VARIABLES]

    def prompt_length(self, length: int) -> int:
        return 2 * length + 1

    def answer_length(self, length: int) -> int:
        return self.hops + 1

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        steps, assigned = self.hops + 1, self.shortest
        variables = distinct(rng, VARIABLES, count, assigned).reshape(count, self.chains, steps)
        values = VARIABLES + distinct(rng, VALUES, count, self.chains)
        sources = np.concatenate([values[..., None], variables[..., :-1]], axis=2)
        places = rng.random((count, length)).argpartition(assigned - 1, axis=1)[:, :assigned]
        places = np.sort(rng.permuted(places, axis=1).reshape(count, self.chains, steps), axis=2).reshape(count, -1)
        statements = np.full((count, length, 2), self.alphabet.index(NOISE))
        statements[np.arange(count)[:, None], places] = np.stack(
            [variables.reshape(count, -1), sources.reshape(count, -1)], axis=2
        )
        # chains are alike, so that asking for the first is asking for any
        prompt = np.concatenate([statements.reshape(count, -1), values[:, :1]], axis=1)
        answer = variables[:, 0]
        hop = np.broadcast_to(np.arange(steps), answer.shape)
        return Batch(prompt, answer, np.ones_like(answer, bool), axes={"hop": hop})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        value: dict[str, str] = {}
        for target, source in zip(prompt[:-1:2], prompt[1::2], strict=True):
            if target != NOISE:
                value[target] = value.get(source, source)
        return [variable for variable, what in value.items() if what == prompt[-1]]

    def shortcuts(self) -> Mapping[str, Shortcut]:
        def in_order_of_appearance(prompt: Sequence[str]) -> list[str]:
            return [target for target in prompt[:-1:2] if target != NOISE][: self.hops + 1]

        return {"the first variables": in_order_of_appearance}
