"""Which rows of a tokenizer's vocabulary are meant by the names that tokens have here."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tasks.language.units import BYTES, printable

PRINTED = [*range(33, 127), *range(161, 173), *range(174, 256)]
"""Bytes that byte-level vocabularies write as the character of that number; others are moved, in order, to 256 and on
(Radford et al., 2019, released code).
"""

MOVED = [byte for byte in range(256) if byte not in PRINTED]


def rows(tokens: Sequence[str], tokenizer: Path) -> list[int | None]:
    """The row of each token in the vocabulary of a ``tokenizer.json``, ``None`` where it has none.

    A token is found by its name; a single byte, which is called here as in :data:`tasks.language.units.BYTES`, also by
    what byte-level (``Ġ`` for the space) and SentencePiece (``▁``, ``<0x20>``) vocabularies call it.
    """
    from tokenizers import Tokenizer

    known = Tokenizer.from_file(str(tokenizer)).get_vocab(with_added_tokens=True)
    by_name = {printable(name): row for name, row in known.items()}
    return [next((by_name[name] for name in _spellings(token) if name in by_name), None) for token in tokens]


def _spellings(token: str) -> Iterator[str]:
    yield token
    if token in BYTES:
        byte = BYTES.index(token)
        yield chr(byte) if byte in PRINTED else chr(256 + MOVED.index(byte))
        yield f"<0x{byte:02X}>"
    if token == BYTES[ord(" ")]:
        yield "\u2581"
