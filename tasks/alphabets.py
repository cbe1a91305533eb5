"""Alphabets that several tasks draw their symbols from."""

from string import ascii_letters, digits

LETTERS_AND_DIGITS = ascii_letters + digits


def symbols(count: int) -> tuple[str, ...]:
    """The first ``count`` of a..z, A..Z, 0..9. Raises :class:`ValueError` unless there are between 1 and 62."""
    if not 1 <= count <= len(LETTERS_AND_DIGITS):
        raise ValueError(f"symbols={count}: there are between 1 and {len(LETTERS_AND_DIGITS)}")
    return tuple(LETTERS_AND_DIGITS[:count])
