"""Alphabets that several tasks draw their symbols from."""

from string import ascii_letters, digits

LETTERS_AND_DIGITS = ascii_letters + digits
MOST = 10_000


def symbols(count: int) -> tuple[str, ...]:
    """The first ``count`` of a..z, A..Z, 0..9; where these are too few, the numbers 0, 1, ..., each a token of its own.

    Raises :class:`ValueError` unless there are between 1 and 10000.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"symbols={count}: there are between 1 and {MOST}")
    if count > len(LETTERS_AND_DIGITS):
        return tuple(map(str, range(count)))
    return tuple(LETTERS_AND_DIGITS[:count])
