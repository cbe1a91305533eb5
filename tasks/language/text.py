"""Model running text byte by byte."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from tasks.base import Batch, Split, Task
from tasks.language import corpora


class Text(Task):
    """Length counts the bytes of a window of text. The model predicts each from those before it in the window.

    Training windows lie anywhere in the training documents. In testing, windows of every length end at the same places
    of held-out documents and only their last ``targets`` bytes are scored, so that all lengths are judged on the same
    bytes and differ in nothing but the context given: a score that rises with length shows that the context does harm.
    Documents are held out by a digest of their content.

    The corpus is the source of the running Python's standard library, or ``files``. Different corpora have different
    fingerprints, which are part of a run's identity.

    ``files`` lists paths or patterns (``**`` crosses folders); ``targets`` is the number of scored bytes at the end of
    a window, ``longest`` the longest testable length in bytes, ``held_out`` the share of documents held out. Raises
    :class:`ValueError` if a file cannot be read or no document on either side is long enough.
    """

    version = 1
    form = "stream"
    metric = "bits_per_byte"
    data_options = ("files",)
    alphabet = tuple(
        "\u2423" if byte == 32 else chr(byte) if 32 < byte < 127 else f"\\x{byte:02x}" for byte in range(256)
    )

    def __init__(
        self, *, files: Sequence[str] = (), targets: int = 32, longest: int = 4096, held_out: float = 0.1
    ) -> None:
        if not 0 < targets < longest:
            raise ValueError(f"targets={targets}: it is at least 1 and less than longest={longest}")
        if not 0 < held_out < 1:
            raise ValueError(f"held_out={held_out}: it lies between 0 and 1")
        self.files = tuple(files)
        self.targets = targets
        self.longest = longest
        self.held_out = held_out
        self.shortest = targets

    def prompt_length(self, length: int) -> int:
        return 0

    def answer_length(self, length: int) -> int:
        return length

    def produces(self, length: int) -> bool:
        return self.shortest <= length <= self.longest

    def weights(self, lengths: Sequence[int]) -> np.ndarray:
        """Only windows of the full training length: each holds every shorter context already."""
        return np.array([length == max(lengths) for length in lengths], float)

    def fingerprint(self) -> str:
        return corpora.fingerprint(self._documents)

    def sample(self, rng: np.random.Generator, length: int, count: int, split: Split = "train") -> Batch:
        if split == "train":
            windows = self._windows("train", length)
            first = windows.start(rng.integers(windows.count, size=count))
        else:
            windows = self._windows("test", self.longest)
            count = min(count, windows.count)  # no window is scored twice
            evenly = (np.arange(count) * 2 + 1) * windows.count // (2 * count)
            first = windows.start(evenly) + self.longest - length
        answer = windows.text[first[:, None] + np.arange(length)].astype(np.int64)
        scored = np.ones_like(answer, bool)
        if split == "test":
            scored[:, : length - self.targets] = False
        return Batch(np.empty((count, 0), np.int64), answer, scored)

    def solve(self, prompt: Sequence[str]) -> list[str]:
        raise LookupError("running text has no right answer to compute")

    def write(self, prompt: Sequence[str], answer: Sequence[str]) -> str:
        return bytes(self.alphabet.index(token) for token in answer).decode("utf-8", "backslashreplace")

    @cached_property
    def _documents(self) -> list[corpora.Document]:
        return corpora.local_files(self.files) if self.files else corpora.standard_library()

    @cached_property
    def _known_windows(self) -> dict[tuple[Split, int], "Windows"]:
        return {}

    def _windows(self, split: Split, length: int) -> "Windows":
        if (split, length) not in self._known_windows:
            test = split == "test"
            documents = [d.content for d in self._documents if corpora.held_out(d, self.held_out) == test]
            windows = Windows(documents, length)
            if not windows.count:
                raise ValueError(
                    f"none of the {len(documents)} {split} documents has {length} bytes: "
                    "give longer or more files, or set task.longest lower"
                )
            self._known_windows[split, length] = windows
        return self._known_windows[split, length]


class Windows:
    """All windows of one length that lie within one document, over documents that are laid end to end in ``text``."""

    def __init__(self, documents: Sequence[bytes], length: int) -> None:
        sizes = np.array([len(document) for document in documents], np.int64)
        per_document = np.maximum(sizes - length + 1, 0)
        self.text = np.frombuffer(b"".join(documents), np.uint8)
        self.count = int(per_document.sum())
        self._begins = np.cumsum(sizes) - sizes
        self._up_to = np.cumsum(per_document)
        self._before = self._up_to - per_document

    def start(self, number: np.ndarray) -> np.ndarray:
        """Where the windows of these numbers, 0 to ``count - 1``, begin in ``text``."""
        document = np.searchsorted(self._up_to, number, side="right")
        return self._begins[document] + number - self._before[document]
