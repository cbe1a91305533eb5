"""Where text comes from, and that what is tested was not trained on."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.language import corpora, shared
from tasks.language.corpora import Document


def test_the_standard_library_is_read_in_a_fixed_order() -> None:
    documents = corpora.standard_library()
    names = [document.name for document in documents]
    assert names == sorted(names)
    assert {"abc.py", "json/decoder.py", "collections/__init__.py"} <= set(names)
    assert not any(part in name.split("/") for name in names for part in ("test", "tests", "site-packages"))
    assert sum(len(document.content) for document in documents) > 5_000_000
    assert corpora.fingerprint(tuple(documents)) == corpora.fingerprint(tuple(corpora.standard_library()))


def test_a_wheel_is_its_python_source_without_tests() -> None:
    import hydra

    documents = {document.name: document.content for document in corpora.read("wheel:hydra-core")}
    root = Path(hydra.__file__).parent
    assert documents["hydra/__init__.py"] == (root / "__init__.py").read_bytes()
    assert documents["hydra/core/utils.py"] == (root / "core" / "utils.py").read_bytes()
    assert all(name.endswith(".py") and "/tests/" not in name for name in documents)


def test_a_wheel_of_one_version_is_the_same_text_everywhere() -> None:
    from importlib.metadata import version

    if version("hydra-core") != "1.3.8":
        pytest.skip("another version is another text")
    assert corpora.fingerprint(corpora.read("wheel:hydra-core")) == "5a08dc4416f39928"


@pytest.mark.parametrize(
    ("corpus", "files", "message"),
    [
        ("books", (), "it is stdlib, wheel:NAME or parquet:PATH"),
        ("wheel:", (), "it is stdlib, wheel:NAME or parquet:PATH"),
        ("stdlib:3", (), "it is stdlib, wheel:NAME or parquet:PATH"),
        ("wheel:no-such-package", (), "no package of that name is installed"),
        ("wheel:hydra-core", ("a.txt",), "give one of them"),
    ],
)
def test_an_impossible_corpus_is_refused(corpus: str, files: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        corpora.read(corpus, files)


class Rows(dict):
    """What the library gives for a data set, as far as it is used."""

    @property
    def column_names(self) -> list[str]:
        return list(self)


def pretend(monkeypatch: pytest.MonkeyPatch, rows: Rows | Exception) -> list[tuple]:
    """A library ``datasets`` that gives these rows, and the calls that it got."""
    calls: list[tuple] = []

    def load_dataset(*arguments: object, **options: object) -> Rows:
        calls.append((arguments, options))
        if isinstance(rows, Exception):
            raise rows
        return rows

    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))
    return calls


def test_parquet_gives_a_document_per_row_and_asks_for_nothing_but_parquet(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = pretend(monkeypatch, Rows(text=["one", "", None, "café"], title=["a", "b", "c", "d"]))
    documents = corpora.read("parquet:hf://datasets/owner/name@main/folder/")
    assert [document.content for document in documents] == [b"one", b"", b"", "café".encode()]
    (arguments, options) = calls[0]
    assert arguments == ("parquet",), "never the data set's own loading script"
    assert options == {"data_files": "hf://datasets/owner/name@main/folder/**/*.parquet", "split": "train"}


def test_parquet_says_in_a_line_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, Rows(content=["x"]))
    with pytest.raises(ValueError, match=r"has no column text but content$"):
        corpora.read("parquet:folder")
    pretend(monkeypatch, ConnectionError("no network\nlong story"))
    with pytest.raises(ValueError, match=r"cannot read folder/\*\*/\*\.parquet: no network$"):
        corpora.read("parquet:folder")
    monkeypatch.setitem(sys.modules, "datasets", None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="pip install datasets"):
        corpora.read("parquet:folder")


def test_parquet_files_are_read_by_the_real_library(tmp_path: Path) -> None:
    datasets: ModuleType = pytest.importorskip("datasets")
    datasets.Dataset.from_dict({"text": ["one", "two"]}).to_parquet(tmp_path / "part.parquet")
    assert [document.content for document in corpora.read(f"parquet:{tmp_path}")] == [b"one", b"two"]


def test_a_fingerprint_tells_content_and_order() -> None:
    a, b = Document("a", b"1"), Document("b", b"2")
    assert corpora.fingerprint((a, b)) != corpora.fingerprint((b, a))
    assert corpora.fingerprint((a,)) == corpora.fingerprint((Document("elsewhere", b"1"),))
    assert corpora.fingerprint((Document("x", b"12"),)) != corpora.fingerprint((a, b))


def test_near_copies_of_held_out_documents_are_not_trained_on() -> None:
    """Of a document that is held out, copies with a few lines changed, and others with a few lines in common."""
    held = next(
        document
        for n in range(1000)
        if corpora.held_out(
            document := Document("held", b"".join(b"a long line number %d of %d\n" % (i, n) for i in range(20))), 0.5
        )
    )
    lines = held.content.splitlines(keepends=True)

    def with_in_common(count: int) -> Document:
        for n in range(1000):
            own = [b"quite another line %d of %d\n" % (i, n) for i in range(20 - count)]
            document = Document(f"{count} in common", b"".join([*lines[:count], *own]))
            if not corpora.held_out(document, 0.5):
                return document
        raise AssertionError

    kept = corpora.sides((held, *(with_in_common(count) for count in (0, 9, 10, 19))), 0.5)
    assert kept.test == (held,)
    assert [document.name for document in kept.train] == ["0 in common", "9 in common"]


def test_nothing_long_stands_on_both_sides_wherever_it_stands() -> None:
    """A licence that a document shares with a held-out one is cut out of it in whole lines; the rest is trained on."""
    rng = np.random.default_rng(0)

    def text(lines: int) -> bytes:
        return b"".join(bytes(rng.integers(97, 123, 30).tolist()) + "é\n".encode() for _ in range(lines))

    notice = text(6)
    documents = []
    for number in range(40):
        before, behind = text(number % 7), text(60)
        documents.append(Document(str(number), before + (notice if number % 3 else b"") + behind))
    sides = corpora.sides(tuple(documents), 0.3)
    assert any(notice in document.content for document in sides.test)
    assert not any(notice in document.content for document in sides.train)
    held = {d.content[i : i + 127] for d in sides.test for i in range(len(d.content) - 126)}
    trained = [d.content for d in sides.train]
    assert not any(content[i : i + 127] in held for content in trained for i in range(len(content) - 126))
    whole = [d.content for d in documents if not corpora.held_out(d, 0.3)]
    assert sum(map(len, trained)) > 0.9 * sum(len(content.replace(notice, b"")) for content in whole)
    for content in trained:
        assert content.decode().endswith("\n"), "no line and no character is cut in two"


@given(
    st.lists(st.binary(max_size=400), min_size=1, max_size=4), st.binary(max_size=300), st.binary(max_size=300),
    st.integers(0, 300), st.integers(0, 200),
)  # fmt: skip
def test_what_is_cut_out_leaves_no_stretch_in_common(
    held: list[bytes], before: bytes, behind: bytes, start: int, size: int
) -> None:
    content = before + held[0][start : start + size] + behind
    pieces = shared.Blocks(held).cut_out_of(content)
    longest = 2 * shared.BLOCK - 1
    common = {text[i : i + longest] for text in held for i in range(len(text) - longest + 1)}
    for piece in pieces:
        assert piece in content
        assert not any(piece[i : i + longest] in common for i in range(len(piece) - longest + 1))
    if not any(text[i : i + shared.BLOCK] in content for text in held for i in range(len(text) - shared.BLOCK + 1)):
        assert pieces == [content] * bool(content)


@pytest.mark.slow
def test_no_held_out_window_of_the_standard_library_was_trained_on() -> None:
    sides = corpora.sides(tuple(corpora.standard_library()), 0.1)
    held = {d.content[i : i + 128] for d in sides.test for i in range(0, len(d.content) - 127, 2)}
    for document in sides.train:
        content = document.content
        assert held.isdisjoint(content[i : i + 128] for i in range(len(content) - 127)), document.name


def test_the_standard_librarys_tables_of_characters_are_on_one_side() -> None:
    """Its encodings are one file in 70 versions: without care most of the held-out ones would have been trained on."""
    sides = corpora.sides(tuple(corpora.standard_library()), 0.1)
    tables = {d.name for d in sides.test if d.name.startswith("encodings/") and b"charmap" in d.content}
    assert tables
    assert not {d.name for d in sides.train} & {"encodings/iso8859_1.py", "encodings/cp1252.py"}
