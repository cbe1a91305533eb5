"""Text cut by a tokenizer that is there already: the library's own numbers, every byte accounted for."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.language.corpora import Document
from tasks.language.ready import Ready
from tasks.language.text import Text

tokenizers = pytest.importorskip("tokenizers")

WORDS = "the cat sat on the mat while the dog ran to the cat and sat there; naïve 猫 " * 20


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Byte pairs in the manner of GPT-2, with a special token, and lower case, which changes characters."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, show_progress=False, special_tokens=["<|end|>"], initial_alphabet=letters
    )
    made.train_from_iterator([WORDS], trainer)
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    made.save(str(file))
    return file


@pytest.fixture(scope="module")
def unit(path: Path) -> Ready:
    return Ready(path)


def test_numbers_are_the_librarys_and_names_stand_in_their_order(unit: Ready, path: Path) -> None:
    library = tokenizers.Tokenizer.from_file(str(path))
    found = unit.encode(Document("a", WORDS.encode()))
    assert found.numbers.tolist() == library.encode(WORDS).ids
    assert [unit.alphabet[n] for n in found.numbers] == library.encode(WORDS).tokens
    assert len(unit.alphabet) == len(set(unit.alphabet)) == library.get_vocab_size()
    assert unit.decode(found.numbers.tolist()) == WORDS


@given(text=st.text(max_size=40))
def test_every_byte_belongs_to_a_token(unit: Ready, text: str) -> None:
    document = Document("a", text.encode("utf-8", "ignore"))
    found = unit.encode(document)
    assert found.sizes.sum() == (len(document.content) if len(found.numbers) else 0)
    assert (found.sizes >= 0).all()


def test_a_special_token_in_a_text_is_text(unit: Ready) -> None:
    special = unit.alphabet.index("<|end|>")
    assert special not in unit.encode(Document("a", b"the <|end|> sat")).numbers


def test_texts_under_different_tokenizers_are_different_data(path: Path, tmp_path: Path) -> None:
    (tmp_path / "text").mkdir()
    for number in range(30):
        (tmp_path / "text" / f"{number}.txt").write_text(f"{number} " + WORDS)
    options = {"files": [f"{tmp_path}/text/*.txt"], "targets": 8, "longest": 64}
    copy = tmp_path / "copy.json"
    copy.write_bytes(path.read_bytes())
    other = tmp_path / "other.json"
    other.write_text(path.read_text().replace('"Lowercase"', '"NFC"'))
    first, same, different = (Text(tokenizer=str(p), **options).fingerprint() for p in (path, copy, other))
    assert first == same
    assert len({first, different, Text(**options).fingerprint()}) == 3


def test_what_is_no_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        Ready(tmp_path / "tokenizer.json")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ValueError, match=r"it is no tokenizer\.json"):
        Ready(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="give one of them"):
        Text(unit="bpe", tokenizer="tokenizer.json")
