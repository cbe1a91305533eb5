"""Text cut by a tokenizer that is there already, such as a pretrained model's."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tasks.language.corpora import Document
from tasks.language.subwords import cut
from tasks.language.units import Tokens, Unit, printable, text


class Ready(Unit):
    """The tokens of a ``tokenizer.json``, the file format of the library ``tokenizers``, in the order of their numbers.

    Token names are those of the file, with what cannot be printed escaped; numbers that the file leaves out are called
    ``[unused 7]``. Special tokens that occur literally in a text are cut as any text is, and none are added. A token
    stands for the bytes up to the next one, so that the bytes of all tokens are those of the document even where the
    tokenizer changes or drops characters.

    Raises :class:`ValueError` for a file that is not there or is no tokenizer.
    """

    learned = False

    def __init__(self, path: Path) -> None:
        try:
            from tokenizers import Tokenizer
        except ImportError:
            raise ValueError("task.tokenizer needs the library tokenizers: pip install tokenizers") from None
        if not path.is_file():
            raise ValueError(f"task.tokenizer={path}: there is no such file; it is called tokenizer.json")
        content = path.read_bytes()
        self.digest = hashlib.sha256(content).hexdigest()
        try:
            self._tokenizer = Tokenizer.from_buffer(content)
        except Exception as error:  # the library raises plain exceptions
            raise ValueError(f"task.tokenizer={path}: it is no tokenizer.json: {error}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        names = {number: name for name, number in self._tokenizer.get_vocab(with_added_tokens=True).items()}
        self.alphabet = tuple(
            printable(names[n]) if n in names else f"[unused {n}]" for n in range(max(names, default=-1) + 1)
        )

    @classmethod
    def fit(cls, documents: Sequence[Document], vocabulary: int) -> Self:
        raise LookupError("a tokenizer that is there already is not learned")

    def encode(self, document: Document) -> Tokens:
        return cut(self._tokenizer, text(document))

    def decode(self, numbers: Sequence[int]) -> str:
        return self._tokenizer.decode(list(numbers), skip_special_tokens=False)
