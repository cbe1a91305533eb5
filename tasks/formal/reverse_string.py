"""Reverse a string of bits."""

from tasks.copying.reverse import Reverse


class ReverseString(Reverse):
    """Length counts the bits of the prompt. They are independent and fair; the answer has them from last to first.

    Example: ``11000 -> 00011``. Reverse String of Deletang et al. (2023): the same task as ``reverse`` with two
    symbols, which are 0 and 1 here.

    ``place``: as in ``reverse``.
    """

    known_results = (
        "Deletang et al. (2023), Table 2, best token accuracy (ends do not count) on lengths 41 to 500 after training"
        " on 1 to 40: RNN 62.0 %, Stack-RNN 100.0 %, Tape-RNN 100.0 %, Transformer 62.3 %, LSTM 60.9 %.",
    )

    def __init__(self) -> None:
        super().__init__(symbols=2)
        self.alphabet = ("0", "1")
