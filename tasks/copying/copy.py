"""Copy a string of random symbols, once or several times."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Literal

import numpy as np

from tasks import alphabets
from tasks.base import Batch, Shortcut, Split, Task
from tasks.copying.strings import checked, long_enough, strings

BAR = "|"


class Copy(Task):
    """Length counts the symbols of the prompt, which are independent and uniform unless ``draw`` says otherwise. The
    answer repeats them.

    Example: ``qbdda -> qbdda``; with ``copies=2 separator=true``, ``qbdda -> qbdda|qbdda``. Copying is the first test
    of Kazemnejad et al. (2023) and of Jelassi et al. (2024), who use 26 symbols.

    ``draw=unique`` takes no symbol twice, so that there are lengths up to ``symbols``: the unique copy of Huang et al.
    (2024), arXiv 2410.02140, with 150 symbols; their repeat copy is ``symbols=2``. ``draw=one`` takes one symbol all
    along, so that copying is counting: what Kazemnejad et al. (2023) show as "Copy". ``copies`` writes the string
    several times, with a bar in between if ``separator`` says so: theirs are ``copies=2`` with the bar (their
    ``[NEXT]``) for random symbols and without for a single one. ``symbols=2 copies=2`` is the Duplicate String of
    Deletang et al. (2023).

    ``place``: a symbol and its copies share 1, 2, 3, ..., the separator has 0, as in the code of Cho et al. (2024),
    arXiv 2405.20671, and so has the bar, which they do not have.

    Raises :class:`ValueError` unless there are between 1 and 10000 symbols and at least one copy, and for another way
    to draw.
    """

    version = 1
    channels = ("place",)
    known_results = (
        "Kazemnejad et al. (2023), per-seed results released with the code: trained on lengths 2 to 20, mean exact "
        "match on 21 to 40, three seeds. symbols=100: NoPE 0.305, T5 bias 0.420, ALiBi 0.331, RoPE on a quarter of "
        "each head 0.011, sinusoidal 0.028; in distribution too, exact match falls like 0.99^L for all five.",
        "The same, symbols=100 copies=2 separator=true: NoPE 0.431, T5 bias 0.524, ALiBi 0.569, RoPE 0.043, sinusoidal "
        "0.040.",
        "The same, draw=one symbols=6052: NoPE 0.986, T5 bias 0.771, ALiBi 0.289, RoPE 0.000, sinusoidal 0.000.",
        "The same, draw=one symbols=6052 copies=2: NoPE 0.974, T5 bias 0.558, ALiBi 0.194, RoPE 0.000, sinusoidal "
        "0.000.",
        "Huang et al. (2024), the results released with the code: draw=unique symbols=150, trained on lengths 1 to 50, "
        "exact match on 51 to 100 and 101 to 150, mean of the first five converged seeds: learned positions at random "
        "offsets, 2 layers, 0.999 and 0.987; no positions, 4 layers, 0.180 and 0.000.",
        "The same, symbols=2, 4 layers: learned positions at random offsets 0.256 and 0.000, no positions 0.280 and "
        "0.000.",
    )

    def __init__(
        self,
        *,
        symbols: int = 26,
        draw: Literal["repeats", "unique", "one"] = "repeats",
        copies: int = 1,
        separator: bool = False,
    ) -> None:
        checked(draw)
        if not 1 <= copies <= 1000:
            raise ValueError(f"copies={copies}: there are between 1 and 1000")
        self.symbols = alphabets.symbols(symbols)
        self.alphabet = (*self.symbols, BAR) if separator and copies > 1 else self.symbols
        self.draw = draw
        self.copies = copies

    def prompt_length(self, length: int) -> int:
        return length

    def answer_length(self, length: int) -> int:
        return self.copies * length + (self.copies - 1) * (BAR in self.alphabet)

    def produces(self, length: int) -> bool:
        return super().produces(length) and long_enough(len(self.symbols), length, self.draw)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        prompt = strings(rng, len(self.symbols), length, count, self.draw)
        bar = np.full((count, int(BAR in self.alphabet)), len(self.symbols))
        answer = np.concatenate([prompt, *[bar, prompt] * (self.copies - 1)], axis=1)
        one = np.arange(1, length + 1)
        place = np.concatenate([one, [0], one, *[np.zeros_like(bar[0]), one] * (self.copies - 1)])
        return Batch(prompt, answer, np.ones_like(answer, bool), {"place": np.broadcast_to(place, (count, len(place)))})

    def channel_maximum(self, channel: str, length: int) -> int:
        return length

    def solve(self, prompt: Sequence[str]) -> list[str]:
        answer: list[str] = []
        for copy in range(self.copies):
            if copy > 0 and BAR in self.alphabet:
                answer.append(BAR)
            for symbol in prompt:
                answer.append(symbol)
        return answer

    def shortcuts(self) -> Mapping[str, Shortcut]:
        """``what follows the symbol before``: copying by looking back for the symbol just written, where it first
        stands, and writing what comes next there. It is the look-up of n-grams that Jelassi et al. (2024), arXiv
        2402.01032, figure 3, say transformers copy by, with n = 1, and goes astray where a symbol occurs again.
        """

        def looked_up(prompt: Sequence[str]) -> list[str]:
            follows = dict(reversed(list(pairwise(prompt))))  # of several places, the first stays
            written = [prompt[0]]
            while len(written) < len(prompt):
                written.append(follows[written[-1]])
            return self.solve(written)

        return {"what follows the symbol before": looked_up} if self.draw == "repeats" else {}
