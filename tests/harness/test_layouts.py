"""What a model reads and what it should predict."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harness.layouts import BOS, EOS, PAD, SEP, SPECIAL, Causal
from tasks.arithmetic.addition import Addition
from tasks.base import ABSENT, Batch
from tasks.copying.copy import Copy
from tasks.formal.parity import Parity
from tasks.language.text import Text


def test_a_causal_model_reads_the_question_and_predicts_the_answer_and_its_end() -> None:
    task = Copy(symbols=3)
    arranged = Causal(task).arrange(Batch(np.array([[0, 2]]), np.array([[0, 2]]), np.ones((1, 2), bool)))
    a, c = len(SPECIAL), len(SPECIAL) + 2
    assert arranged.tokens.tolist() == [[BOS, a, c, SEP, a, c]]
    assert arranged.targets.tolist() == [[a, c, SEP, a, c, EOS]]
    assert arranged.scored.tolist() == [[False, False, False, True, True, True]]
    assert arranged.lengths.tolist() == [6]


def test_shorter_prompts_and_answers_close_up_and_are_padded_behind() -> None:
    task = Copy(symbols=3)
    batch = Batch(
        np.array([[0, 1, 2], [1, ABSENT, ABSENT]]),
        np.array([[2, 1], [0, ABSENT]]),
        np.array([[True, True], [True, False]]),
    )
    arranged = Causal(task).arrange(batch)
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
    arranged, channels = layout.arrange(batch), layout.channels(batch, ("row", "place"))
    none = ABSENT
    assert channels["row"].tolist() == [[none, 1, 2, 3, none, 4, 5], [none, 6, none, 8, none, none, none]]
    assert channels["place"].tolist() == [[none, 1, 2, 3, 0, 4, 5], [none, 6, 9, 8, none, none, none]]
    assert channels["row"].shape == arranged.tokens.shape
    assert layout.channels(batch, ()) == {}


def test_channels_of_running_text() -> None:
    task = Text(targets=2, longest=8)
    batch = Batch(
        np.empty((1, 0), int), np.array([[97, 98, 99]]), np.ones((1, 3), bool), {"row": np.array([[1, 2, 3]])}
    )
    assert Causal(task).channels(batch, ("row",))["row"].tolist() == [[ABSENT, 1, 2]]


def test_running_text_is_read_without_separator_and_end() -> None:
    task = Text(targets=2, longest=8)
    arranged = Causal(task).arrange(
        Batch(np.empty((1, 0), int), np.array([[97, 98, 99]]), np.array([[False, True, True]]))
    )
    assert arranged.tokens.tolist() == [[BOS, 97 + len(SPECIAL), 98 + len(SPECIAL)]]
    assert arranged.scored.tolist() == [[False, True, True]]


@given(length=st.integers(1, 12), count=st.integers(1, 6), seed=st.integers(0, 1000))
def test_the_width_is_enough_and_reading_back_gives_the_example(length: int, count: int, seed: int) -> None:
    task = Addition(operands="plain", answer="plain")
    layout = Causal(task)
    batch = task.sample(np.random.default_rng(seed), length, count)
    arranged = layout.arrange(batch)
    assert arranged.tokens.shape[1] <= layout.width(task, length)
    for row in range(count):
        words = layout.written(arranged.tokens[row, : arranged.lengths[row]])
        last = layout.written([arranged.targets[row, arranged.lengths[row] - 1]])
        question, answer = "".join([*words, *last]).removeprefix("[BOS]").removesuffix("[EOS]").split("[SEP]")
        first, second = question.split("+")
        assert int(first) + int(second) == int(answer)
        scored = [t for t, s in zip(arranged.targets[row], arranged.scored[row], strict=True) if s]
        assert "".join(layout.written(scored)) == answer + "[EOS]"


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
    arranged, n = layout.arrange(batch), len(SPECIAL)
    assert arranged.tokens.tolist() == [[BOS, n + 1, n + 1, n], [BOS, n + 1, n, PAD]]
    assert arranged.targets.tolist() == [[PAD, n + 1, PAD, n], [PAD, n + 1, n + 1, PAD]]
    assert arranged.scored.tolist() == [[False, True, False, True], [False, True, True, False]]
    assert arranged.lengths.tolist() == [4, 3]
    assert layout.channels(batch, ("place",))["place"].tolist() == [[ABSENT, 5, 6, 7], [ABSENT, 8, 9, 0]]
    assert layout.width(EveryParity(), 3) == 4
