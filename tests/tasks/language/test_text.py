"""Running text: windows within documents, the same targets at every length, documents on one side only."""

from pathlib import Path

import numpy as np
import pytest

from tasks.base import ABSENT
from tasks.language.text import Text
from tasks.language.windows import Windows


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
    text = b"abcdexypqrs"
    windows = Windows(np.array([5, 2, 0, 4]), 3)
    found = {text[s : s + 3] for s in windows.start(np.arange(windows.count))}
    assert windows.count == 5
    assert windows.document(np.arange(5)).tolist() == [0, 0, 0, 3, 3]
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
    assert Text().length_weights([126, 127, 128]).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [({}, "no file matches"), ({"a.txt": b""}, "is empty"), ({"a.txt": b"short"}, "train documents has 64 tokens")],
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


@pytest.mark.parametrize("length", [16, 17, 33, 64, 100, 128])
@pytest.mark.parametrize("protocol", ["non_overlapping", "sliding"])
def test_every_token_of_a_stretch_counts_once(corpus: str, protocol: str, length: int) -> None:
    """And at every length they are the same tokens: those of the stretches that the last window ends."""
    task = Text(files=[corpus], protocol=protocol, stride=8, targets=8, longest=128)
    batch = task.sample(np.random.default_rng(0), length, 5, "test")
    stretches = Text(files=[corpus], targets=8, longest=128).sample(np.random.default_rng(0), 128, 5, "test").answer
    counted = np.sort(batch.answer[batch.scored])
    assert np.array_equal(counted, np.sort(stretches.ravel()))
    assert ((batch.answer == ABSENT) <= ~batch.scored).all()


def counted_places(protocol: str, length: int) -> list[list[int]]:
    """Of one document of bytes 0 to 63 that is all of the test, the bytes that count in each window."""
    task = Text(protocol=protocol, stride=8, targets=8, longest=64)  # type: ignore[arg-type]
    windows = Windows(np.array([64]), 64)
    read = task._protocol(windows, np.array([0]), length, task._settings)
    return [places[scored].tolist() for places, scored in zip(read.places, read.scored, strict=True)]


def test_windows_do_not_overlap_or_slide_by_the_stride() -> None:
    count = list(range(64))
    assert counted_places("non_overlapping", 24) == [count[:24], count[24:48], count[48:]]
    assert counted_places("sliding", 44) == [count[:44], count[44:52], count[52:60], count[60:]]
    assert counted_places("sliding", 64) == counted_places("non_overlapping", 64) == [count]
    assert counted_places("last_window", 20) == [count[-8:]]


def test_foreign_context_is_of_another_document_and_the_rest_as_in_the_last_window(corpus: str) -> None:
    options = {"files": [corpus], "targets": 8, "longest": 256}
    last = Text(**options).sample(np.random.default_rng(0), 256, 30, "test")
    task = Text(**options, protocol="foreign_context", own=64)
    for length in (32, 64, 65, 200, 256):
        batch = task.sample(np.random.default_rng(0), length, 30, "test")
        own = min(length, 64)
        assert np.array_equal(batch.answer[:, -own:], last.answer[:, -own:])
        assert (batch.answer[:, : length - own] != last.answer[:, -1:]).all(), "every byte says its document"
        assert batch.scored.sum(axis=1).tolist() == [8] * 30
    longer = task.sample(np.random.default_rng(0), 256, 30, "test").answer
    assert np.array_equal(batch.answer[:, -200:], longer[:, -200:]), "longer context begins further back in the same"


def test_foreign_context_needs_two_documents(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_bytes(b"x" * 100)
    task = Text(files=[f"{tmp_path}/*"], protocol="foreign_context", targets=8, own=8, longest=64, held_out=0.999999)
    with pytest.raises(ValueError, match="only one document has 64 tokens"):
        task.sample(np.random.default_rng(0), 64, 4, "test")


def test_axes_tell_the_document_and_the_tokens_before_in_powers_of_two(corpus: str) -> None:
    batch = Text(files=[corpus], targets=8, longest=128, protocol="non_overlapping").sample(
        np.random.default_rng(0), 16, 40, "test"
    )
    assert batch.axes["place"][0].tolist() == [0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4]
    pairs = set(zip(batch.axes["document"].tolist(), batch.answer[:, 0].tolist(), strict=True))
    assert len(pairs) == len(set(batch.answer[:, 0].tolist())) == len(set(batch.axes["document"].tolist())) > 1


def test_text_in_other_units_reads_the_same_bytes() -> None:
    options = {"corpus": "wheel:hydra-core", "longest": 256}
    for unit in ("characters", "bpe"):
        task = Text(**options, unit=unit)
        batch = task.sample(np.random.default_rng(0), 256, 20, "test")
        documents = [document.content.decode() for document in task.source._sides.test]
        for row in batch.answer:
            written = task.write([], [task.alphabet[token] for token in row])
            assert any(written.strip("\ufffd") in document for document in documents)
