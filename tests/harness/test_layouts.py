"""What a model reads and what it should predict."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.layouts import Blanks, Causal, Sentences, Translation
from harness.layouts.special_tokens import BOS, EOS, PAD, SEP, SPECIAL
from tasks.arithmetic.addition import Addition
from tasks.base import ABSENT, Batch
from tasks.copying.copy import Copy
from tasks.formal.parity import Parity
from tasks.language.text import Text


def test_a_causal_model_reads_the_question_and_predicts_the_answer_and_its_end() -> None:
    task = Copy(symbols=3)
    arranged = Causal(task).arrange(Batch(np.array([[0, 2]]), np.array([[0, 2]]), np.ones((1, 2), bool)), 2)
    a, c = len(SPECIAL), len(SPECIAL) + 2
    assert arranged.tokens.tolist() == [[BOS, a, c, SEP, a, c]]
    assert arranged.targets.tolist() == [[a, c, SEP, a, c, EOS]]
    assert arranged.scored.tolist() == [[False, False, False, True, True, True]]
    assert arranged.lengths.tolist() == [6]


def test_a_translation_is_laid_out_alike_and_attention_spans_its_longer_side() -> None:
    task = Copy(symbols=3)
    batch = Batch(np.array([[0, 2]]), np.array([[0, 2]]), np.ones((1, 2), bool))
    same = zip(Translation(task).arrange(batch, 2), Causal(task).arrange(batch, 2), strict=True)
    assert all((mine == causal).all() for mine, causal in same)
    assert Translation(task).width(task, 2) == Causal(task).span(task, 2) == 6
    assert Translation(task).span(task, 2) == 3, "[BOS] and two symbols, or [SEP] and two symbols"
    assert Translation(Addition()).span(Addition(), 4) == 10, "[BOS] and two numbers with a + between them"


def test_shorter_prompts_and_answers_close_up_and_are_padded_behind() -> None:
    task = Copy(symbols=3)
    batch = Batch(
        np.array([[0, 1, 2], [1, ABSENT, ABSENT]]),
        np.array([[2, 1], [0, ABSENT]]),
        np.array([[True, True], [True, False]]),
    )
    arranged = Causal(task).arrange(batch, 3)
    n = len(SPECIAL)
    assert arranged.tokens.tolist() == [[BOS, n, n + 1, n + 2, SEP, n + 2, n + 1], [BOS, n + 1, SEP, n, PAD, PAD, PAD]]
    assert arranged.targets[1].tolist() == [n + 1, SEP, n, EOS, PAD, PAD, PAD]
    assert arranged.scored[1].tolist() == [False, False, True, True, False, False, False]
    assert arranged.lengths.tolist() == [7, 4]


def test_channels_close_up_with_their_tokens() -> None:
    task = Copy(symbols=3)
    batch = Batch(
        np.array([[0, 1, 2], [1, ABSENT, ABSENT]]),
        np.array([[2, 1], [0, ABSENT]]),
        np.array([[True, True], [True, False]]),
        {
            "row": np.array([[1, 2, 3, 4, 5], [6, 7, 7, 8, 7]]),
            "place": np.array([[1, 2, 3, 0, 4, 5], [6, 7, 7, 9, 8, 7]]),
        },
    )
    layout = Causal(task)
    arranged, channels = layout.arrange(batch, 3), layout.channels(batch, 3, ("row", "place"))
    none = ABSENT
    assert channels["row"].tolist() == [[none, 1, 2, 3, none, 4, 5], [none, 6, none, 8, none, none, none]]
    assert channels["place"].tolist() == [[none, 1, 2, 3, 0, 4, 5], [none, 6, 9, 8, none, none, none]]
    assert channels["row"].shape == arranged.tokens.shape
    assert layout.channels(batch, 3, ()) == {}


def test_channels_of_running_text() -> None:
    task = Text(targets=2, longest=8)
    batch = Batch(
        np.empty((1, 0), int), np.array([[97, 98, 99]]), np.ones((1, 3), bool), {"row": np.array([[1, 2, 3]])}
    )
    assert Causal(task).channels(batch, 3, ("row",))["row"].tolist() == [[ABSENT, 1, 2]]


def test_running_text_is_read_without_separator_and_end() -> None:
    task = Text(targets=2, longest=8)
    arranged = Causal(task).arrange(
        Batch(np.empty((1, 0), int), np.array([[97, 98, 99]]), np.array([[False, True, True]])), 3
    )
    assert arranged.tokens.tolist() == [[BOS, 97 + len(SPECIAL), 98 + len(SPECIAL)]]
    assert arranged.scored.tolist() == [[False, True, True]]


@given(length=st.integers(1, 12), count=st.integers(1, 6), seed=st.integers(0, 1000))
def test_the_width_is_enough_and_reading_back_gives_the_example(length: int, count: int, seed: int) -> None:
    task = Addition(operands="plain", answer="plain")
    layout = Causal(task)
    batch = task.sample(np.random.default_rng(seed), length, count)
    arranged = layout.arrange(batch, 3)
    assert arranged.tokens.shape[1] <= layout.width(task, length)
    for row in range(count):
        words = layout.symbols(arranged.tokens[row, : arranged.lengths[row]])
        last = layout.symbols([arranged.targets[row, arranged.lengths[row] - 1]])
        question, answer = "".join([*words, *last]).removeprefix("[BOS]").removesuffix("[EOS]").split("[SEP]")
        first, second = question.split("+")
        assert int(first) + int(second) == int(answer)
        scored = [t for t, s in zip(arranged.targets[row], arranged.scored[row], strict=True) if s]
        assert "".join(layout.symbols(scored)) == answer + "[EOS]"


class EveryParity(Parity):
    """The parity of every prefix."""

    form = "labels"

    def answer_length(self, length: int) -> int:
        return length


def test_labels_are_predicted_on_the_tokens_they_belong_to() -> None:
    prompt, answer = np.array([[1, 1, 0], [1, 0, ABSENT]]), np.array([[1, ABSENT, 0], [1, 1, ABSENT]])
    channels = {"place": np.array([[5, 6, 7], [8, 9, 0]])}
    batch = Batch(prompt, answer, answer != ABSENT, channels)
    layout = Causal(EveryParity())
    arranged, n = layout.arrange(batch, 3), len(SPECIAL)
    assert arranged.tokens.tolist() == [[BOS, n + 1, n + 1, n], [BOS, n + 1, n, PAD]]
    assert arranged.targets.tolist() == [[PAD, n + 1, PAD, n], [PAD, n + 1, n + 1, PAD]]
    assert arranged.scored.tolist() == [[False, True, False, True], [False, True, True, False]]
    assert arranged.lengths.tolist() == [4, 3]
    assert layout.channels(batch, 3, ("place",))["place"].tolist() == [[ABSENT, 5, 6, 7], [ABSENT, 8, 9, 0]]
    assert layout.width(EveryParity(), 3) == 4


def test_a_model_that_looks_both_ways_reads_the_answer_out_at_blanks() -> None:
    """As many blanks as the longest answer of this length has: they do not tell how long it is."""
    task = Addition(answer="reversed")
    layout = Blanks(task)
    n, blank = len(layout.special_tokens), len(SPECIAL)
    plus = n + 10
    batch = Batch(
        np.array([[1, 2, 10, 3, 4], [9, 9, 10, 0, 2]]),
        np.array([[6, 4, ABSENT], [1, 0, 1]]),
        np.array([[True, True, False], [True, True, True]]),
        {"place": np.array([[2, 1, 0, 2, 1, 7, 1, 2, 3], [2, 1, 0, 2, 1, 7, 1, 2, 3]])},
    )
    arranged = layout.arrange(batch, 2)
    assert arranged.tokens[0].tolist() == [n + 1, n + 2, plus, n + 3, n + 4, blank, blank, blank]
    assert arranged.targets.tolist() == [[PAD] * 5 + [n + 6, n + 4, EOS], [PAD] * 5 + [n + 1, n, n + 1]]
    assert arranged.scored.tolist() == [[False] * 5 + [True] * 3] * 2
    assert arranged.lengths.tolist() == [8, 8]
    assert layout.channels(batch, 2, ("place",))["place"].tolist() == [[2, 1, 0, 2, 1, 1, 2, 3]] * 2
    assert layout.width(task, 2) == 8
    assert layout.symbols(arranged.tokens[0])[-4:] == ["4", "[BLANK]", "[BLANK]", "[BLANK]"]


def test_blanks_follow_prompts_of_any_length() -> None:
    layout = Blanks(Copy(symbols=3))
    prompt = np.array([[0, 1, 2], [1, ABSENT, ABSENT]])
    arranged = layout.arrange(Batch(prompt, prompt, prompt != ABSENT), 3)
    n, blank = len(layout.special_tokens), len(SPECIAL)
    assert arranged.tokens[1].tolist() == [n + 1, blank, blank, blank, PAD, PAD]
    assert arranged.targets[1].tolist() == [PAD, n + 1, EOS, PAD, PAD, PAD]
    assert arranged.scored[1].tolist() == [False, True, True, False, False, False]
    assert arranged.lengths.tolist() == [6, 4]


def test_labels_need_no_blanks() -> None:
    prompt, answer = np.array([[1, 1, 0]]), np.array([[1, ABSENT, 0]])
    for layout, before in ((Blanks(EveryParity()), 0), (Sentences(EveryParity()), 1)):
        arranged, n = layout.arrange(Batch(prompt, answer, answer != ABSENT), 3), len(layout.special_tokens)
        part = slice(before, before + 3)
        assert arranged.tokens[0, part].tolist() == [n + 1, n + 1, n]
        assert arranged.targets[0, part].tolist() == [n + 1, PAD, n]
        assert arranged.scored[0, part].tolist() == [True, False, True]
        assert arranged.lengths.tolist() == [layout.width(EveryParity(), 3)] == [3 + 2 * before]


class Pair(Parity):
    """Two strings with a separator."""

    alphabet = ("0", "1", "[NEXT]")


def test_a_pair_of_sentences_is_answered_at_its_head() -> None:
    layout = Sentences(Pair())
    batch = Batch(
        np.array([[1, 2, 0, 1], [0, 2, 1, ABSENT]]), np.array([[1], [0]]), np.ones((2, 1), bool),
        {"segment": np.array([[0, 0, 1, 1, 1], [0, 0, 1, 1, 1]])},
    )  # fmt: skip
    arranged, n = layout.arrange(batch, 4), len(SPECIAL)
    assert arranged.tokens.tolist() == [[BOS, n + 1, SEP, n, n + 1, SEP], [BOS, n, SEP, n + 1, SEP, PAD]]
    assert arranged.targets[:, 0].tolist() == [n + 1, n]
    assert arranged.scored.sum(axis=1).tolist() == [1, 1]
    assert arranged.lengths.tolist() == [6, 5]
    assert layout.symbols(arranged.tokens[0])[:3] == ["[CLS]", "1", "[SEP]"]
    assert layout.channels(batch, 4, ("segment",))["segment"][0].tolist() == [ABSENT, 0, 0, 1, 1, ABSENT]
    with pytest.raises(ValueError, match="has one token"):
        Sentences(Copy()).arrange(Batch(np.array([[1, 2]]), np.array([[1, 2]]), np.ones((1, 2), bool)), 2)
