"""docs/architectures.md shows what models really read."""

import numpy as np
import pytest
from support import ROOT

from harness import layouts
from harness.layouts.base import Layout
from tasks.base import Batch, Task
from tasks.copying.reverse import Reverse
from tasks.formal.running_parity import RunningParity


class Pair(Task):
    """Two short sentences that are alike."""

    alphabet = ("a", "b", "[NEXT]", "[yes]", "[no]")

    def prompt_length(self, length: int) -> int:
        return 5

    def answer_length(self, length: int) -> int:
        return 1

    def sample(self, *arguments: object) -> Batch:  # type: ignore[override]
        return batch([0, 1, 2, 0, 1], [3])

    def solve(self, prompt: object) -> list[str]:
        return ["[yes]"]


def batch(prompt: list[int], answer: list[int]) -> Batch:
    return Batch(np.array([prompt]), np.array([answer]), np.ones((1, len(answer)), bool))


ANSWER, LABELS = batch([0, 1, 2], [2, 1, 0]), batch([1, 1, 1, 0], [1, 0, 1, 1])
SHOWN = {
    "Causal, answer": (layouts.Causal, Reverse(symbols=3), ANSWER),
    "Causal, labels": (layouts.Causal, RunningParity(), LABELS),
    "Blanks, answer": (layouts.Blanks, Reverse(symbols=3), ANSWER),
    "Blanks, labels": (layouts.Blanks, RunningParity(), LABELS),
    "Sentences, answer": (layouts.Sentences, Pair(), batch([0, 1, 2, 0, 1], [3])),
    "Sentences, labels": (layouts.Sentences, RunningParity(), LABELS),
    "Translation, answer": (layouts.Translation, Reverse(symbols=3), ANSWER),
}


@pytest.mark.parametrize("name", SHOWN)
def test_its_examples_are_what_the_layouts_make(name: str) -> None:
    page = (ROOT / "docs" / "architectures.md").read_text()
    cls, task, example = SHOWN[name]
    layout = cls(task)
    assert not cls.objection(task)
    arranged = layout.arrange(example, example.prompt.shape[1])
    read, targets = layout.symbols(arranged.tokens[0]), layout.symbols(arranged.targets[0])
    out = [token if scored else "." for token, scored in zip(targets, arranged.scored[0], strict=True)]
    assert f"| {name} | `{' '.join(read)}` | `{' '.join(out)}` |" in page


def test_every_layout_is_shown() -> None:
    made = {cls.__name__ for cls in vars(layouts).values() if isinstance(cls, type) and issubclass(cls, Layout)}
    assert made - {"Layout"} == {name.partition(",")[0] for name in SHOWN}
