"""Facts about the test examples: how many tokens the longest has, how many are distinct, and how many occur in the
training data.

Training data is not stored, so it is generated again for the comparison. Where the space of examples is large no
overlap should be found; where it is small (there are 510 strings of at most eight bits) a score in distribution also
measures memorisation.
"""

from collections.abc import Sequence

import numpy as np

from harness.data import blocks, test_examples, training_examples
from harness.evaluation import blind
from harness.layouts.base import Layout
from harness.results.records import TestFacts
from tasks.base import ABSENT, Task

MOST = 2**20
"""Training examples that are compared, from the first on."""


def test_facts(
    task: Task,
    layout: Layout,
    trained: Sequence[int],
    tested: Sequence[int],
    *,
    seed: int,
    trained_examples: int,
    examples: int,
) -> list[TestFacts]:
    """The facts of each tested length for a run trained on ``trained_examples`` examples. Only the first :data:`MOST`
    of these are compared, and none of running text, whose test documents are held out.
    """
    found: list[TestFacts] = []
    prompts: dict[int, np.ndarray] = {}
    for length in tested:
        batch = blind.test_examples(task, length, examples)
        if length in set(trained):
            prompts[length] = batch.prompt
        found.append(
            TestFacts(
                length=length,
                examples=len(batch.answer),
                longest=test_examples.longest(layout, batch, length),
                in_training=None if task.form == "stream" else 0,
                **({} if task.form == "stream" else test_examples.repetition(batch.prompt)),
            )
        )
    known = in_training(task, trained, prompts, seed=seed, trained_examples=min(trained_examples, MOST))
    return [row.model_copy(update={"in_training": known.get(row.length, row.in_training)}) for row in found]


def in_training(
    task: Task, trained: Sequence[int], prompts: dict[int, np.ndarray], *, seed: int, trained_examples: int
) -> dict[int, int]:
    """How many of the prompts [N, P] of each length occur among the first ``trained_examples`` training examples."""
    if task.form == "stream":
        return {}
    new = {length: set(_bytes(prompt, task.prompt_length(length))) for length, prompt in prompts.items()}
    size = blocks.size(task, trained)
    for block in range(-(-trained_examples // size)):
        for length, rows, batch in training_examples.examples(task, trained, seed=seed, block=block, only=new):
            within = rows < trained_examples - block * size
            new[length].difference_update(_bytes(batch.prompt[within], task.prompt_length(length)))
    return {
        length: sum(row not in new[length] for row in _bytes(prompt, task.prompt_length(length)))
        for length, prompt in prompts.items()
    }


def _bytes(prompt: np.ndarray, width: int) -> list[bytes]:
    """Each prompt as bytes that are equal for equal prompts."""
    padded = np.pad(prompt, ((0, 0), (0, width - prompt.shape[1])), constant_values=ABSENT)
    return [row.tobytes() for row in padded.astype(np.int32)]
