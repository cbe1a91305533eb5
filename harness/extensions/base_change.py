"""Another base of the frequencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import Base
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class BaseChange(Extension):
    """Gives frequency m of M that of a series of another ``base``: it is multiplied by ``(base / own) ** (-m / M)``.

    Xiong et al. (2023), arXiv 2309.16039, section 2.1, "adjusted base frequency": they raise RoPE's base from 10,000 to
    500,000 and train on; so do Code Llama (1,000,000) and others. The highest frequency stays, and lengths do not
    enter. The own base is that of the geometric series between the first frequency and the last that is not 0, so
    frequencies that have been divided before stay divided.
    """

    needs = "frequencies"
    trains = True

    def __init__(self, *, base: Base = 500000.0) -> None:
        self.base = base

    def alters(self, train_tokens: int, test_tokens: int) -> bool:
        return True

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        import torch

        from harness.encodings.frequencies import get_frequencies, set_frequencies

        frequencies = get_frequencies(encoding)
        kept, count = int((frequencies > 0).sum()), len(frequencies)
        own = float(frequencies[0] / frequencies[max(kept - 1, 0)]) ** (count / max(kept - 1, 1))
        exponents = torch.arange(count, dtype=torch.float64) / count
        set_frequencies(encoding, frequencies * (own / self.base) ** exponents)
        return encoding
