"""Decoding with a key-value cache and without one, compared token by token."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from encoding_cases import shaken
from torch import Tensor

from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.evaluation.decoding import write
from harness.layouts.base import TokenBatch
from harness.layouts.special_tokens import EOS, SEP
from harness.models.base import Model

Composed = Callable[..., Run]
CPU = torch.device("cpu")
EXACT = {"atol": 1e-8, "rtol": 1e-8}
"""In float64, so that what is left is no mistake hidden in rounding."""
PROMPT, ANSWER = 66, 6
"""Tokens: more than a block of PaTH, and enough to see every kind of far distance at the sizes below."""
LEVELS = {1: [], 2: ["task=multiple_addition_scratchpad", "positions=coupled_levels"]}


def network_of(composed: Composed, *overrides: str) -> Model:
    run = composed("model=nano", "model.layers=3", "lengths.train=8", "lengths.test=21", *overrides)
    task = instantiation.task(run)
    torch.manual_seed(0)
    made = network.model(run, task, instantiation.layout(run, task))
    shaken(made)
    return made.double().eval()


def questions(vocabulary: int) -> TokenBatch:
    """Four rows of random tokens, of two numbers of tokens before the answer."""
    rng = np.random.default_rng(0)
    tokens = rng.integers(4, vocabulary, (4, PROMPT + ANSWER))
    places = np.arange(PROMPT + ANSWER)
    start = np.array([PROMPT, PROMPT - 4, PROMPT, PROMPT - 4])[:, None]
    tokens[places == start] = SEP
    return TokenBatch(tokens, np.roll(tokens, -1, axis=1), places >= start, np.full(4, PROMPT + ANSWER))


def hidden_at_the_start(positions: Positions) -> Positions:
    """The same where the first tokens of some rows are padding."""
    visible = torch.arange(positions.values.shape[1]) >= torch.tensor([0, 0, 5, 9])[:, None]
    return positions._replace(visible=visible)


@torch.no_grad()
def decoded(model: Model, asked: TokenBatch, positions: Positions, patch: pytest.MonkeyPatch) -> tuple[Tensor, Tensor]:
    """What is written, and the logits of every step one below the other."""
    steps: list[Tensor] = []
    readout = model.readout

    def read(hidden: Tensor) -> Tensor:
        steps.append(readout(hidden))
        return steps[-1].index_fill(-1, torch.tensor([EOS]), -torch.inf)  # so that no answer ends before the others

    with patch.context() as here:
        here.setattr(model, "readout", read)
        written = write(model, asked, positions, CPU)
    return written, torch.cat(steps)


def agrees(model: Model, positions: Positions, patch: pytest.MonkeyPatch, vocabulary: int = 12) -> None:
    """Decoding with a cache gives what decoding without gives, and does not fall back on reading all tokens."""
    assert model.can_cache()
    asked = questions(vocabulary)
    with patch.context() as here:
        here.setattr(type(model), "forward", lambda *_: pytest.fail("all tokens were read again"))
        if type(model).__name__ == "CNN":  # which keeps nothing: its tokens see a few others
            here.undo()
        with_cache = decoded(model, asked, positions, patch)
    with patch.context() as here:
        here.setattr(type(model), "caches", False)
        without = decoded(model, asked, positions, patch)
    torch.testing.assert_close(with_cache[1], without[1], **EXACT)
    assert torch.equal(with_cache[0], without[0])
    assert len(without[1].unique(dim=0)) > ANSWER, "every step has logits of its own"
