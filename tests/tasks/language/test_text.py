"""Running text: windows within documents, the same targets at every length, documents on one side only."""

from pathlib import Path

import numpy as np
import pytest

from tasks.language import corpora
from tasks.language.text import Text, Windows


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    """Documents in which every byte says to which of them it belongs, and copies of some under other names."""
    for number in range(60):
        content = bytes([65 + number]) * (300 + 17 * number)
        (tmp_path / f"{number:02d}.txt").write_bytes(content)
        if number % 7 == 0:
            (tmp_path / f"copy-of-{number:02d}.txt").write_bytes(content)
    return f"{tmp_path}/*.txt"


def test_windows_lie_within_one_document_and_are_all_there() -> None:
    windows = Windows([b"abcde", b"xy", b"", b"pqrs"], 3)
    found = {bytes(windows.text[s : s + 3]) for s in windows.start(np.arange(windows.count))}
    assert windows.count == 5
    assert found == {b"abc", b"bcd", b"cde", b"pqr", b"qrs"}


def test_a_document_is_trained_on_or_tested_on_and_never_both(corpus: str) -> None:
    task = Text(files=[corpus], targets=8, longest=200)
    sides = []
    for split in ("train", "test"):
        answer = task.sample(np.random.default_rng(0), 200, 2000, split).answer
        assert (answer == answer[:, :1]).all(), "no window crosses into another document"
        sides.append(set(answer[:, 0].tolist()))
    train, test = sides
    assert train
    assert test
    assert not train & test
    assert train | test == {65 + number for number in range(60)}, "longer documents come more often, none is left out"


def test_every_length_is_tested_on_the_same_bytes() -> None:
    task = Text(targets=16, longest=512)
    windows = {n: task.sample(np.random.default_rng(n), n, 40, "test") for n in (16, 100, 512)}
    for length, batch in windows.items():
        assert batch.scored.sum(axis=1).tolist() == [16] * 40
        assert batch.scored[:, -16:].all()
        assert np.array_equal(batch.answer, windows[512].answer[:, -length:]), "the end of the longest window"


def test_training_windows_are_always_of_the_full_length() -> None:
    assert Text().weights([126, 127, 128]).tolist() == [0, 0, 1]


def test_the_corpus_is_the_standard_library_in_a_fixed_order() -> None:
    documents = corpora.standard_library()
    names = [document.name for document in documents]
    assert names == sorted(names)
    assert {"abc.py", "json/decoder.py", "collections/__init__.py"} <= set(names)
    assert not any(part in name.split("/") for name in names for part in ("test", "tests", "site-packages"))
    assert sum(len(document.content) for document in documents) > 5_000_000
    assert corpora.fingerprint(documents) == corpora.fingerprint(corpora.standard_library())


def test_a_fingerprint_tells_content_and_order(tmp_path: Path) -> None:
    a, b = corpora.Document("a", b"1"), corpora.Document("b", b"2")
    assert corpora.fingerprint([a, b]) != corpora.fingerprint([b, a])
    assert corpora.fingerprint([a]) == corpora.fingerprint([corpora.Document("elsewhere", b"1")])
    assert corpora.fingerprint([corpora.Document("x", b"12")]) != corpora.fingerprint([a, b])


@pytest.mark.parametrize(
    ("content", "message"),
    [({}, "no file matches"), ({"a.txt": b""}, "is empty"), ({"a.txt": b"short"}, "train documents has 64 bytes")],
)
def test_unusable_files_are_refused(tmp_path: Path, content: dict[str, bytes], message: str) -> None:
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=message):
        Text(files=[f"{tmp_path}/*.txt"], targets=8, longest=64).sample(np.random.default_rng(0), 64, 1)


@pytest.mark.parametrize(("options", "message"), [({"targets": 0}, "targets=0"), ({"held_out": 1.0}, "held_out=1.0")])
def test_impossible_options_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Text(**options)


def test_bytes_are_written_as_text() -> None:
    task = Text()
    answer = [task.alphabet[byte] for byte in "é = 1\n".encode()]
    assert task.write([], answer) == "é = 1\n"
