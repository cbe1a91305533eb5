"""Pairs of stretches: what is said of them is so, answers are balanced, and shortcuts do what is said of them."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from distributions import score

from tasks.language.masked import MaskedTokens
from tasks.language.pairs import NEXT
from tasks.language.sentence_pair import ANSWERS, SentencePair

QUESTIONS = ("next", "order", "same")


def written(task: SentencePair | MaskedTokens, row: np.ndarray) -> list[str]:
    return [task.alphabet[token] for token in row]


@pytest.mark.parametrize("question", QUESTIONS)
def test_half_of_the_answers_are_yes(question: str) -> None:
    batch = SentencePair(question=question).sample(np.random.default_rng(0), 128, 4000)  # type: ignore[arg-type]
    assert [ANSWERS[number] for number in (0, 1)] == ["[YES]", "[NO]"]
    assert (batch.answer == 257).mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("question", ["next", "order"])
def test_at_the_shortest_length_no_spoilt_pair_stands_in_a_document(question: str) -> None:
    task = SentencePair(question=question)  # type: ignore[arg-type]
    batch = task.sample(np.random.default_rng(0), task.shortest, 4000, "test")
    documents = b"\0".join(document.content for document in task.source._sides.test)
    for row, answer in zip(batch.prompt, batch.answer[:, 0], strict=True):
        assert row[64] == task.alphabet.index(NEXT)
        assert (bytes(np.delete(row, 64).tolist()) in documents) == (answer == 257)


def test_next_is_from_another_document() -> None:
    task = SentencePair(question="next")
    batch = task.sample(np.random.default_rng(0), 128, 500, "test")
    documents = [document.content for document in task.source._sides.test]
    for row in batch.prompt[batch.answer[:, 0] == 258]:
        first, second = bytes(row[:64].tolist()), bytes(row[65:].tolist())
        of_first = {number for number, content in enumerate(documents) if first in content}
        of_second = {number for number, content in enumerate(documents) if second in content}
        assert of_first
        assert of_second
        assert len(of_first | of_second) > 1


def test_same_and_order_have_no_bag_of_tokens_that_tells() -> None:
    """Spoilt pairs of ``same`` differ in two places and have the same tokens; those of ``order`` are right swapped."""
    task = SentencePair(question="same")
    batch = task.sample(np.random.default_rng(0), 128, 1000)
    places = []
    for row, answer in zip(batch.prompt, batch.answer[:, 0], strict=True):
        first, second = row[:64], row[65:]
        assert Counter(first.tolist()) == Counter(second.tolist())
        differ = np.flatnonzero(first != second)
        assert len(differ) == (0 if answer == 257 else 2)
        places += differ.tolist()
    assert np.histogram(places, bins=8, range=(0, 64))[0].min() > 0.08 * len(places), "anywhere"


def test_what_shortcuts_reach() -> None:
    """The words of the two tell much of ``next`` and nothing of the others: the reason why these exist. What edges tell
    of ``order`` is below.
    """
    reached = {}
    for question in QUESTIONS:
        task = SentencePair(question=question)  # type: ignore[arg-type]
        for length in (128, 1024):
            batch = task.sample(np.random.default_rng(0), length, 1000, "test")
            guess = next(iter(task.shortcuts().values()))
            right = [
                guess(written(task, row)) == [task.alphabet[answer]]
                for row, answer in zip(batch.prompt, batch.answer[:, 0], strict=True)
            ]
            reached[question, length] = np.mean(right)
    assert reached["same", 128] == pytest.approx(0.5, abs=0.05)
    assert reached["order", 1024] == pytest.approx(0.5, abs=0.05)
    assert reached["next", 1024] > 0.7, reached


@pytest.mark.parametrize(
    ("options", "message"),
    [({"question": "why"}, "it is one of next, order, same"), ({"longest": 8}, "at least 128")],
)
def test_impossible_pairs_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SentencePair(**options)


def test_masked_tokens_are_15_in_100_of_which_80_are_masked_10_others_and_10_as_they_were() -> None:
    task = MaskedTokens()
    batch = task.sample(np.random.default_rng(0), 200, 3000)
    assert batch.scored.sum(axis=1).tolist() == [30] * 3000
    shown, label = batch.prompt[batch.scored], batch.answer[batch.scored]
    masked, kept = shown == task.alphabet.index("[MASK]"), shown == label
    assert masked.mean() == pytest.approx(0.8, abs=0.005)
    assert kept.mean() == pytest.approx(0.1 + 0.1 / 256, abs=0.004)
    others = shown[~masked & ~kept]
    assert others.max() < 256
    assert len(set(others.tolist())) == 256, "drawn from the whole alphabet"
    assert np.ptp(batch.scored[:, np.arange(201) != 100].mean(axis=0)) < 0.06, "at any place"


def test_the_text_under_the_masks_stands_in_a_document_of_its_side() -> None:
    task = MaskedTokens()
    for split, documents in zip(("train", "test"), task.source._sides, strict=True):
        batch = task.sample(np.random.default_rng(0), 128, 50, split)  # type: ignore[arg-type]
        restored = np.where(batch.scored, batch.answer, batch.prompt)
        assert (restored[:, 64] == task.alphabet.index(NEXT)).all()
        contents = b"\0".join(document.content for document in documents)
        assert all(bytes(np.delete(row, 64).tolist()) in contents for row in restored)


def test_segments_end_with_the_separator() -> None:
    channels = SentencePair().sample(np.random.default_rng(0), 128, 1).channels
    assert channels["segment"].tolist() == [[0] * 65 + [1] * 65]
    channels = MaskedTokens().sample(np.random.default_rng(0), 64, 1).channels
    assert channels["segment"].tolist() == [[0] * 33 + [1] * 32]


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        MaskedTokens(share=share)


def test_what_follows_the_token_before_restores_a_text_of_two_letters(tmp_path: Path) -> None:
    """Of the chosen tokens a tenth is shown as it is and 0.8 are masked. Of these a letter stands before 0.85 + 0.15 *
    0.1, and says what follows; the others are guessed as the more frequent letter.
    """
    for number in range(40):
        (tmp_path / f"{number}.txt").write_text(f"{number} " + "ab" * 500)
    task = MaskedTokens(files=[str(tmp_path / "*.txt")])
    told = 0.85 + 0.15 * 0.1
    reached = score(task, "what most often follows the token before", 200, 300)
    assert reached == pytest.approx(0.1 + 0.8 * (told + (1 - told) / 2), abs=0.02)


def test_edges_tell_the_order_of_two_stretches() -> None:
    """A word that is cut in two at the end and the beginning shows that the stretches are swapped."""
    guess = SentencePair(question="order").shortcuts()["the more usual seam"]
    assert guess([*"the other is th", "[NEXT]", *"e first of them"]) == ["[YES]"]
    assert guess([*"e first of them", "[NEXT]", *"the other is th"]) == ["[NO]"]
    assert 0.6 < score(SentencePair(question="order"), "the more usual seam", 128, 600) < 0.75
