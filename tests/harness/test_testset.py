"""Test examples that were trained on are counted, not hidden."""

import numpy as np

from harness import blind, data, testset
from harness.layouts import Causal
from tasks.copying.copy import Copy
from tasks.formal.parity import Parity
from tasks.language.text import Text


def test_short_strings_of_bits_have_all_been_seen() -> None:
    """Of eight bits there are 256 strings: what is measured there is memory."""
    task = Parity()
    lengths = list(range(1, 41))
    facts = testset.facts(task, Causal(task), lengths, [8, 40, 60], seed=0, drawn=2**17, examples=300)
    assert [(row.length, row.examples, row.longest) for row in facts] == [(8, 300, 11), (40, 300, 43), (60, 300, 63)]
    assert [row.in_training for row in facts] == [300, 0, 0]


def test_the_count_is_that_of_a_plain_search() -> None:
    task = Copy(symbols=3)
    drawn = 1500
    seen = set()
    for block in range(2):
        for _, rows, batch in data.examples(task, range(1, 8), seed=5, block=block):
            seen |= {tuple(prompt) for row, prompt in zip(rows, batch.prompt.tolist(), strict=True)
                     if row + block * data.BLOCK < drawn}  # fmt: skip
    facts = testset.facts(task, Causal(task), range(1, 8), [4, 6, 7], seed=5, drawn=drawn, examples=100)
    known = {
        length: sum(tuple(prompt) in seen for prompt in blind.test_examples(task, length, 100).prompt.tolist())
        for length in (4, 6, 7)
    }
    assert {row.length: row.in_training for row in facts} == known
    assert 0 < known[7] < known[6] < 100


def test_running_text_is_held_out_and_not_compared() -> None:
    task = Text(targets=16, longest=512)
    (row,) = testset.facts(task, Causal(task), [64], [64], seed=0, drawn=100, examples=10)
    assert row.in_training is None
    assert row.longest == 64


def test_training_examples_are_those_of_the_training_data() -> None:
    """What is compared is what was trained on."""
    from harness.positions.sequential import Sequential

    task = Copy(symbols=3)
    trained = data.TrainingData(task, Causal(task), Sequential(), range(1, 8), seed=5, batch=64)(3)
    rows = {}
    for _, places, batch in data.examples(task, range(1, 8), seed=5, block=0):
        rows |= dict(zip(places.tolist(), batch.prompt.tolist(), strict=True))
    read = np.asarray(trained.tokens)
    for row in range(64):
        prompt = rows[3 * 64 + row]
        assert read[row, 1 : 1 + len(prompt)].tolist() == [token + 4 for token in prompt]
