"""Remember one bit: flip-flop language modelling."""

from collections.abc import Mapping, Sequence

import numpy as np

from tasks.base import ABSENT, Batch, Shortcut, Split, Task

WRITE, READ, IGNORE = range(3)
ZERO = 3


class FlipFlop(Task):
    """Length counts the instructions of the prompt, each of them w, r or i and a bit: write remembers the bit, read
    repeats what was written last, ignore means nothing. The label of each r is the bit that it reads; no other token
    has one.

    The first instruction writes and the last reads; the others are independent, ignore with probability ``ignore``, and
    write and read equally often. Bits that are written or ignored are fair and independent. Test examples may have
    another probability, ``test_ignore``.

    Example: ``w1i0r1w0i1r0`` is labelled ``....1.....0.``. FFL(p) of Liu et al. (2023), "Exposing attention glitches
    with flip-flop language modeling", where p is ``ignore``: their data has 256 instructions, trains with 0.8 and also
    tests with 0.98 (sparse) and 0.1 (dense). They train a language model on all tokens; here only reads count. They
    report the share of wrong reads, which is one minus the token accuracy.

    ``distance``: how many instructions ago the bit was written, in powers of two: 1, 2 to 3, 4 to 7, ... are 1, 2, 3,
    ...

    Raises :class:`ValueError` unless the probabilities are between 0 and 1.
    """

    version = 1
    form = "labels"
    metric = "token_accuracy"
    shortest = 2
    axes = ("distance",)
    alphabet = tuple("wri01")

    def __init__(self, *, ignore: float = 0.8, test_ignore: float = 0.8) -> None:
        for option, probability in (("ignore", ignore), ("test_ignore", test_ignore)):
            if not 0 <= probability <= 1:
                raise ValueError(f"{option}={probability}: a probability is between 0 and 1")
        self.ignore = {"train": ignore, "test": test_ignore}

    @property
    def outputs(self) -> tuple[str, ...]:
        return self.alphabet[ZERO:]

    def prompt_length(self, length: int) -> int:
        return 2 * length

    def answer_length(self, length: int) -> int:
        return 2 * length

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        ignore = self.ignore[split]
        instructions = np.searchsorted([(1 - ignore) / 2, 1 - ignore], rng.random((count, length)), side="right")
        instructions[:, 0], instructions[:, -1] = WRITE, READ
        bits = rng.integers(2, size=(count, length))
        place = np.arange(length)
        written = np.maximum.accumulate(np.where(instructions == WRITE, place, 0), axis=1)
        remembered = np.take_along_axis(bits, written, axis=1)
        read = instructions == READ

        prompt = np.stack([instructions, ZERO + np.where(read, remembered, bits)], axis=2).reshape(count, -1)
        answer = np.full_like(prompt, ABSENT)
        answer[:, ::2] = np.where(read, ZERO + remembered, ABSENT)
        distance = np.repeat(np.frexp(place - written)[1].astype(np.int64), 2, axis=1)  # the number of binary digits
        return Batch(prompt, answer, answer != ABSENT, axes={"distance": distance})

    def solve(self, prompt: Sequence[str]) -> list[str]:
        memory = ""
        labels: list[str] = []
        for instruction, bit in zip(prompt[::2], prompt[1::2], strict=True):
            if instruction == "w":
                memory = bit
            labels += [memory if instruction == "r" else "", ""]
        return labels

    def shortcuts(self) -> Mapping[str, Shortcut]:
        return {"the bit just before": self._bit_before, "writes and reads among the last eight tokens": self._recent}

    @staticmethod
    def _bit_before(prompt: Sequence[str]) -> list[str]:
        """Takes any bit for a written one."""
        return [prompt[place - 1] if symbol == "r" else "" for place, symbol in enumerate(prompt)]

    @staticmethod
    def _recent(prompt: Sequence[str]) -> list[str]:
        """The bit that was written or read last, if that is in sight, else the oldest in sight."""

        def remembered(place: int) -> str:
            seen = list(prompt[max(0, place - 8) : place])
            said = [bit for instruction, bit in zip(seen[::2], seen[1::2], strict=True) if instruction in ("w", "r")]
            return said[-1] if said else seen[1]

        return [remembered(place) if symbol == "r" else "" for place, symbol in enumerate(prompt)]
