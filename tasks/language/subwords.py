"""Text cut into parts of words, learned from the training documents with the library ``tokenizers``."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tasks.language.corpora import Document
from tasks.language.units import Tokens, Unit, byte_lengths, code_points, printable, text

if TYPE_CHECKING:
    import tokenizers

UNKNOWN = "[UNK]"


class BytePairs(Unit):
    """Byte-level byte pair encoding (Radford et al., 2019): the 256 bytes and the most frequent merges within the words
    that GPT-2's pattern finds. Nothing is lost. A token's name is GPT-2's: each byte in a printable letter, a space as
    an accented G.
    """

    def __init__(self, tokenizer: "tokenizers.Tokenizer") -> None:
        self._tokenizer = tokenizer
        known = tokenizer.get_vocab()
        self.alphabet = tuple(sorted(known, key=lambda token: known[token]))
        self._sizes = np.array([len(token) for token in self.alphabet], np.int64)

    @classmethod
    def fit(cls, documents: Sequence[Document], vocabulary: int) -> Self:
        library = _library("bpe")
        tokenizer = library.Tokenizer(library.models.BPE())
        tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = library.decoders.ByteLevel()
        letters = sorted(library.pre_tokenizers.ByteLevel.alphabet())
        trainer = library.trainers.BpeTrainer(vocab_size=vocabulary, show_progress=False, initial_alphabet=letters)
        tokenizer.train_from_iterator(map(text, documents), trainer)
        return cls(tokenizer)

    def encode(self, document: Document) -> Tokens:
        numbers = np.array(self._tokenizer.encode(text(document), add_special_tokens=False).ids, np.int32)
        return Tokens(numbers, self._sizes[numbers])

    def decode(self, numbers: Sequence[int]) -> str:
        return self._tokenizer.decode(list(numbers), skip_special_tokens=False)


class WordPieces(Unit):
    """BERT's WordPiece with case (Devlin et al., 2019): words are cut at white space and punctuation, then into the
    longest known pieces, of which those that continue a word begin with ``##``. White space is lost, and so is a word
    with an unknown character or of more than 100 characters, which becomes ``[UNK]``. A token stands for the bytes up
    to the next one: bits per byte leave out what it would cost to restore the rest.
    """

    def __init__(self, tokenizer: "tokenizers.Tokenizer") -> None:
        self._tokenizer = tokenizer
        known = tokenizer.get_vocab()
        self._tokens = sorted(known, key=lambda token: known[token])
        self.alphabet = tuple(map(printable, self._tokens))

    @classmethod
    def fit(cls, documents: Sequence[Document], vocabulary: int) -> Self:
        library = _library("wordpiece")
        texts = [text(document) for document in documents]
        frequency: Counter[str] = Counter()
        for content in texts:
            frequency.update(content)
        seen = sorted((c for c in frequency if not c.isspace()), key=lambda c: (-frequency[c], c))
        letters, rare = seen[: vocabulary // 4], seen[vocabulary // 4 :]
        blank = str.maketrans(dict.fromkeys(rare, " "))
        # The trainer numbers letters in an order that differs from process to process, and ties are broken by number:
        # letters that are given as special tokens are numbered in the order in which they are given.
        first = [UNKNOWN, *letters, *("##" + letter for letter in letters)]
        trained = library.Tokenizer(library.models.WordPiece(unk_token=UNKNOWN))
        trained.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
        trainer = library.trainers.WordPieceTrainer(vocab_size=vocabulary, show_progress=False, special_tokens=first)
        trained.train_from_iterator((content.translate(blank) for content in texts), trainer)
        tokenizer = library.Tokenizer(library.models.WordPiece(trained.get_vocab(), unk_token=UNKNOWN))
        tokenizer.pre_tokenizer = trained.pre_tokenizer
        return cls(tokenizer)

    def encode(self, document: Document) -> Tokens:
        return cut(self._tokenizer, text(document))

    def decode(self, numbers: Sequence[int]) -> str:
        return " ".join(self._tokens[number] for number in numbers).replace(" ##", "")


def cut(tokenizer: "tokenizers.Tokenizer", content: str) -> Tokens:
    """The tokens of a text. Each stands for the bytes up to where the next one begins, the first also for those before
    it: so their bytes are all bytes of the text, whatever the tokenizer changes or leaves out.
    """
    encoding = tokenizer.encode(content, add_special_tokens=False)
    numbers = np.array(encoding.ids, np.int32)
    if not len(numbers):
        return Tokens(numbers, np.zeros(0, np.int64))
    begins = np.concatenate([[0], np.cumsum(byte_lengths(code_points(content)))])
    starts = begins[[start for start, _ in encoding.offsets]]
    starts[0] = 0
    return Tokens(numbers, np.diff(starts, append=begins[-1]))


def _library(unit: str) -> Any:
    try:
        import tokenizers
        import tokenizers.decoders
        import tokenizers.models
        import tokenizers.pre_tokenizers
        import tokenizers.trainers
    except ImportError:
        raise ValueError(
            f"task.unit={unit} needs the library tokenizers: pip install tokenizers, or use task.unit=characters"
        ) from None
    return tokenizers
