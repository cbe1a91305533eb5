"""What text is cut into: bytes or characters. Words are cut in :mod:`tasks.language.subwords`."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Self

import numpy as np

from tasks.language.corpora import Document

BYTES = tuple("\u2423" if byte == 32 else chr(byte) if 32 < byte < 127 else f"\\x{byte:02x}" for byte in range(256))
"""A printable name for each byte: an open box for the space."""


class Tokens(NamedTuple):
    """A document in tokens: their numbers [L], and how many bytes of the document each stands for [L]. The latter add
    up to the document's bytes, so that bits per byte can be compared between units.
    """

    numbers: np.ndarray
    sizes: np.ndarray


class Unit(ABC):
    """A way of cutting text. ``alphabet`` holds a printable name for each token, ``learned`` says whether it depends on
    the training documents.
    """

    alphabet: tuple[str, ...]
    learned: ClassVar[bool] = True

    @classmethod
    @abstractmethod
    def fit(cls, documents: Sequence[Document], vocabulary: int) -> Self:
        """The unit as the training documents have it, of at most ``vocabulary`` tokens; the same on every machine."""

    @abstractmethod
    def encode(self, document: Document) -> Tokens:
        """Cut a document. Raises :class:`ValueError` for one that is no text."""

    @abstractmethod
    def decode(self, numbers: Sequence[int]) -> str:
        """Tokens as a person would write them."""


class Bytes(Unit):
    """The 256 bytes. Any file will do; nothing is learned from the documents."""

    alphabet = BYTES
    learned = False

    @classmethod
    def fit(cls, documents: Sequence[Document], vocabulary: int) -> Self:
        return cls()

    def encode(self, document: Document) -> Tokens:
        numbers = np.frombuffer(document.content, np.uint8)
        return Tokens(numbers, np.ones(len(numbers), np.int64))

    def decode(self, numbers: Sequence[int]) -> str:
        return bytes(numbers).decode("utf-8", "backslashreplace")


class Characters(Unit):
    """The 256 bytes, and the most frequent characters that UTF-8 writes in several. Any other character is written in
    its bytes, so that nothing is lost.
    """

    def __init__(self, characters: Sequence[str]) -> None:
        self.characters = tuple(characters)
        self.alphabet = BYTES + tuple(printable(character) for character in characters)
        self._number = np.full(0x110000, -1, np.int32)
        self._number[:128] = np.arange(128)
        self._number[[ord(character) for character in characters]] = 256 + np.arange(len(characters))

    @classmethod
    def fit(cls, documents: Sequence[Document], vocabulary: int) -> Self:
        frequency: Counter[str] = Counter()
        for document in documents:
            frequency.update(text(document))
        several = [character for character in frequency if ord(character) > 127]
        return cls(sorted(several, key=lambda c: (-frequency[c], c))[: vocabulary - 256])

    def encode(self, document: Document) -> Tokens:
        points = code_points(text(document))
        numbers, sizes = self._number[points], byte_lengths(points)
        unknown = np.flatnonzero(numbers < 0)
        if len(unknown):
            spelt = [np.frombuffer(chr(points[place]).encode(), np.uint8) for place in unknown]
            numbers = np.insert(
                np.delete(numbers, unknown),
                np.repeat(unknown - np.arange(len(unknown)), [len(letters) for letters in spelt]),
                np.concatenate(spelt),
            )
            sizes = np.where(numbers < 256, 1, byte_lengths(self._points[numbers]))
        return Tokens(numbers, sizes)

    def decode(self, numbers: Sequence[int]) -> str:
        written = [bytes([n]) if n < 256 else self.characters[n - 256].encode() for n in numbers]
        return b"".join(written).decode("utf-8", "backslashreplace")

    @property
    def _points(self) -> np.ndarray:
        """The code point of each token, 0 for bytes."""
        return np.array([0] * 256 + [ord(character) for character in self.characters])


def text(document: Document) -> str:
    """A document as UTF-8. Raises :class:`ValueError` where it is not."""
    try:
        return document.content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{document.name} is not UTF-8: task.unit=bytes takes any file") from None


def code_points(characters: str) -> np.ndarray:
    return np.frombuffer(characters.encode("utf-32-le"), np.uint32)


def byte_lengths(points: np.ndarray) -> np.ndarray:
    """How many bytes UTF-8 needs for each code point."""
    return 1 + (points >= 0x80).astype(np.int64) + (points >= 0x800) + (points >= 0x10000)


def printable(token: str) -> str:
    """A name for a token that can be printed and that no other token has: what cannot is escaped, the open box too,
    which stands for the space.
    """
    return "".join(c if c.isprintable() and c not in " \u2423" else c.encode("unicode_escape").decode() for c in token)
