"""Which models have a key-value cache, what it holds, and how exact it is."""

import itertools
from typing import Any

import pytest
import torch
from cached_decoding import (
    ANSWER,
    PROMPT,
    Composed,
    network_of,
    questions,
)
from encoding_cases import sequential
from support import choices, node

from harness import declarations

NOT_LEFT_TO_RIGHT = {"bert", "chomsky_encoder", "cnn_bidirectional", "encoder"}
"""Architectures whose tokens look at later ones: all is read again when a token is added, and nothing is decoded."""


def test_those_without_a_cache_are_those_that_say_so(composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    def attributes(group: str, name: str) -> dict[str, Any]:
        return declarations.lookup(node(group, name)["_target_"]).attributes

    without = {name for name in choices("architecture") if not attributes("architecture", name)["caches"]}
    bidirectional = {
        name
        for name in choices("architecture")
        if attributes("architecture", name)["layout"] in ("Blanks", "Sentences")
    }
    assert without == bidirectional == NOT_LEFT_TO_RIGHT
    assert {name for name in choices("mixer") if not attributes("mixer", name)["caches"]} == set()
    assert {name for name in choices("encoding") if not attributes("encoding", name)["prefix_consistent"]} == set()
    model = network_of(composed, "encoding=rope")
    assert model.can_cache()
    monkeypatch.setattr(type(model.encodings()[0]), "prefix_consistent", False)
    assert not model.can_cache(), "the number of tokens changes every key, so none can be kept"


@torch.no_grad()
def test_a_cache_holds_keys_and_values_and_grows_by_the_tokens(composed: Composed) -> None:
    """Nothing in it has the size of pairs of tokens."""
    sizes = []
    for length in (100, 200):
        total = 0
        for variant in ("rope", "fox", "path", "t5"):
            model = network_of(composed, f"encoding={variant}")
            tokens = torch.randint(4, 12, (1, length))
            _, cache = model.forward_with_cache(tokens, sequential(length), None)
            total += sum(part.numel() for part in itertools.chain(*cache.layers))
        sizes.append(total)
    assert sizes[1] == 2 * sizes[0]


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("encoding", ["rope", "alibi", "fox", "learned"])
@torch.no_grad()
def test_in_low_precision_it_rounds_and_nothing_else(encoding: str, precision: torch.dtype, composed: Composed) -> None:
    model = network_of(composed, f"encoding={encoding}").float()
    tokens = torch.from_numpy(questions(12).tokens)
    exact = model(tokens, sequential(PROMPT + ANSWER))
    parts, cache = [], None
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
        for stop in range(60, PROMPT + ANSWER + 1):
            part, cache = model.forward_with_cache(tokens[:, :stop], sequential(stop), cache)
            parts.append(part.float())
    largest = 0.05 if precision == torch.bfloat16 else 1e-5
    assert (torch.cat(parts, dim=1) - exact).abs().max() < largest * exact.abs().max()
