"""Text to train and to test on: documents of a corpus, divided and cut into tokens."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

import numpy as np

from tasks.base import Split
from tasks.language import corpora
from tasks.language.corpora import Document
from tasks.language.ready import Ready
from tasks.language.subwords import BytePairs, WordPieces
from tasks.language.units import Bytes, Characters, Unit
from tasks.language.windows import Encoded, Windows

UNITS: Mapping[str, type[Unit]] = {
    "bytes": Bytes,
    "characters": Characters,
    "bpe": BytePairs,
    "wordpiece": WordPieces,
}

SMALLEST = 256
"""The smallest vocabulary: every byte has a token."""


class Source:
    """Held-out documents are for testing; the unit is learned from the others alone. ``corpus``, ``files``, ``unit``,
    ``vocabulary``, ``tokenizer`` and ``held_out`` are as in :class:`tasks.language.text.Text`. Nothing is read before
    it is needed. Raises :class:`ValueError` for options that are impossible.
    """

    def __init__(
        self,
        *,
        corpus: str = "stdlib",
        files: Sequence[str] = (),
        unit: str = "bytes",
        vocabulary: int = 1024,
        tokenizer: str = "",
        held_out: float = 0.1,
    ) -> None:
        if not 0 < held_out < 1:
            raise ValueError(f"held_out={held_out}: it lies between 0 and 1")
        if unit not in UNITS:
            raise ValueError(f"unit={unit}: it is one of {', '.join(UNITS)}")
        if vocabulary < SMALLEST:
            raise ValueError(f"vocabulary={vocabulary}: it is at least {SMALLEST}")
        if tokenizer and unit != "bytes":
            raise ValueError(f"unit={unit} and tokenizer={tokenizer}: give one of them")
        self.corpus = corpus
        self.files = tuple(files)
        self.held_out = held_out
        self.tokenizer = tokenizer
        self._fit = (UNITS[unit], vocabulary)
        self._known_texts: dict[Split, Encoded] = {}
        self._known_windows: dict[tuple[Split, int], Windows] = {}

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        return corpora.read(self.corpus, self.files)

    @cached_property
    def unit(self) -> Unit:
        if self.tokenizer:
            return _read(self.tokenizer)
        kind, vocabulary = self._fit
        return _fitted(kind, vocabulary, self._sides.train if kind.learned else ())

    def text(self, split: Split) -> Encoded:
        """The documents of one side in tokens. Raises :class:`ValueError` where there are none."""
        if split not in self._known_texts:
            side = self._sides.test if split == "test" else self._sides.train
            if not side:
                shared = ", apart from lines that held-out documents have too" if split == "train" else ""
                raise ValueError(
                    f"no {split} documents{shared}: give more files, or set held_out={self.held_out} otherwise"
                )
            self._known_texts[split] = _encoded(self.unit, side)
        return self._known_texts[split]

    def windows(self, split: Split, length: int, option: str) -> Windows:
        """All windows of this length. Raises :class:`ValueError` where no document is long enough: ``option`` says what
        to set lower.
        """
        if (split, length) not in self._known_windows:
            documents = self.text(split).documents
            windows = Windows(documents, length)
            if not windows.count:
                raise ValueError(
                    f"none of the {len(documents)} {split} documents has {length} tokens: "
                    f"give longer or more files, or set {option} lower"
                )
            self._known_windows[split, length] = windows
        return self._known_windows[split, length]

    def fingerprint(self) -> str:
        """A digest of the documents, and of the alphabet where it is learned from them or of the tokenizer's file."""
        documents = corpora.fingerprint(self.documents)
        if isinstance(self.unit, Ready):
            return hashlib.sha256(f"{documents}\0{self.unit.digest}".encode()).hexdigest()[:16]
        if not self.unit.learned:
            return documents
        return hashlib.sha256("\0".join((documents, *self.unit.alphabet)).encode()).hexdigest()[:16]

    @cached_property
    def _sides(self) -> corpora.Sides:
        return corpora.sides(self.documents, self.held_out)


@cache
def _fitted(kind: type[Unit], vocabulary: int, documents: tuple[Document, ...]) -> Unit:
    return kind.fit(documents, vocabulary)


@cache
def _read(tokenizer: str) -> Ready:
    return Ready(Path(tokenizer).expanduser())


@cache
def _encoded(unit: Unit, documents: tuple[Document, ...]) -> Encoded:
    tokens = [unit.encode(document) for document in documents]
    return Encoded(
        np.concatenate([part.numbers for part in tokens]),
        np.concatenate([part.sizes for part in tokens]),
        np.array([len(part.numbers) for part in tokens], np.int64),
    )
