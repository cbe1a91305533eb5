"""Cutting text: nothing lost, every byte counted once, and the same tokens on every machine."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.language import source
from tasks.language.corpora import Document
from tasks.language.subwords import BytePairs, WordPieces
from tasks.language.units import Bytes, Characters, Unit

TEXTS = [
    "the cat sat on the mat\n",
    "the café — déjà vu ☃\n",
    "def f(x):\n    return x\n",
    "日本語\ttabs \u200b␣\n",
] * 5
DOCUMENTS = [Document("t", text.encode()) for text in TEXTS]
LOSSLESS = [Bytes.fit(DOCUMENTS, 300), Characters.fit(DOCUMENTS, 300), BytePairs.fit(DOCUMENTS, 300)]
PIECES = WordPieces.fit(DOCUMENTS, 300)


@pytest.mark.parametrize("unit", LOSSLESS, ids=lambda unit: type(unit).__name__)
@given(text=st.text())
def test_any_text_comes_back(unit: Unit, text: str) -> None:
    tokens = unit.encode(Document("any", text.encode()))
    assert unit.decode(tokens.numbers.tolist()) == text


@pytest.mark.parametrize("unit", [*LOSSLESS, PIECES], ids=lambda unit: type(unit).__name__)
@given(text=st.text())
def test_sizes_add_up_to_the_bytes(unit: Unit, text: str) -> None:
    tokens = unit.encode(Document("any", text.encode()))
    assert tokens.numbers.shape == tokens.sizes.shape
    assert tokens.sizes.sum() == (len(text.encode()) if len(tokens.numbers) else 0)
    assert (tokens.sizes >= 0).all()


@pytest.mark.parametrize("unit", [*LOSSLESS, PIECES], ids=lambda unit: type(unit).__name__)
def test_names_of_tokens_can_be_printed_and_told_apart(unit: Unit) -> None:
    assert len(set(unit.alphabet)) == len(unit.alphabet) <= 300
    assert all(token.isprintable() and token for token in unit.alphabet)


def test_characters_are_one_token_each_where_known_and_bytes_where_not() -> None:
    unit = Characters.fit([Document("t", "éé☃ab".encode())], 257)
    assert unit.characters == ("é",), "the most frequent of those that UTF-8 writes in several bytes"
    tokens = unit.encode(Document("t", "aé☃é".encode()))
    assert tokens.numbers.tolist() == [97, 256, 0xE2, 0x98, 0x83, 256]
    assert tokens.sizes.tolist() == [1, 2, 1, 1, 1, 2]


def test_the_first_merge_is_the_most_frequent_pair() -> None:
    unit = BytePairs.fit([Document("t", b"ab ab ab cd cd ")], 257)
    assert unit.alphabet[256] == "ab"
    assert [unit.alphabet[n] for n in unit.encode(Document("t", b"abcd")).numbers] == ["ab", "c", "d"]


def test_pieces_continue_words_and_unknown_characters_make_a_word_unknown() -> None:
    tokens = PIECES.encode(Document("t", b"the catx \xd0\x96 mat."))
    names = [PIECES.alphabet[number] for number in tokens.numbers]
    assert names[0] == "the"
    assert "[UNK]" in names
    assert any(name.startswith("##") for name in names)
    assert PIECES.decode(PIECES.encode(Document("t", b"the  cat sat")).numbers.tolist()) == "the cat sat"


@pytest.mark.parametrize("unit", [Characters, BytePairs, WordPieces])
def test_what_is_no_text_is_refused(unit: type[Unit]) -> None:
    with pytest.raises(ValueError, match=r"picture is not UTF-8: task\.unit=bytes takes any file"):
        unit.fit([Document("picture", b"\xff\xfe")], 300)


def test_only_training_documents_teach(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.txt").write_text(f"{chr(0x4E00 + number)} {number}" * 100)
    task_source = source.Source(files=(f"{tmp_path}/*.txt",), unit="characters", vocabulary=500, held_out=0.3)
    sides = task_source._sides
    assert sides.test
    assert {d.content[:3].decode() for d in sides.train} == set(task_source.unit.alphabet[256:])


LEARN = """
import hashlib
from tasks.language import corpora
from tasks.language.subwords import BytePairs, WordPieces
documents = corpora.read("wheel:hydra-core")
for unit in (BytePairs, WordPieces):
    fitted = unit.fit(documents, 700)
    numbers = [fitted.encode(document).numbers.tolist() for document in documents[:9]]
    print(hashlib.sha256(repr([fitted.alphabet, numbers]).encode()).hexdigest())
"""


@pytest.mark.slow
def test_subwords_are_the_same_in_every_process_and_with_any_number_of_threads() -> None:
    """The trainer of WordPiece in ``tokenizers`` numbers letters differently in every process if it is let."""
    root = Path(__file__).resolve().parents[3]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", LEARN],
            env={**os.environ, "PYTHONPATH": str(root), "PYTHONHASHSEED": threads, "RAYON_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "2", "3")
    }
    assert len(outputs) == 1


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"task\.unit=bpe needs the library tokenizers: pip install tokenizers"):
        BytePairs.fit(DOCUMENTS, 300)


def test_unit_and_vocabulary_are_in_the_fingerprint() -> None:
    options = [{}, {"unit": "bpe"}, {"unit": "bpe", "vocabulary": 300}, {"unit": "wordpiece"}]
    prints = {source.Source(corpus="wheel:hydra-core", **option).fingerprint() for option in options}  # type: ignore[arg-type]
    assert len(prints) == len(options)


def test_sizes_of_a_sample_are_the_bytes_of_its_tokens() -> None:
    from tasks.language.text import Text

    task = Text(corpus="wheel:hydra-core", unit="bpe", longest=256)
    batch = task.sample(np.random.default_rng(0), 64, 20, "test")
    assert batch.sizes is not None
    for row, sizes in zip(batch.answer, batch.sizes, strict=True):
        assert sizes.tolist() == [len(task.alphabet[token]) for token in row], "byte-level names have a letter a byte"
