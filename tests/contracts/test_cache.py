"""What a model computes with a key-value cache is what it computes without one, whatever it is made of.

Everything goes through :func:`harness.evaluation.decoding.write`, which decodes with a cache wherever a model has one:
here it decodes twice, and what the model read out for every token is compared.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cached_decoding import ANSWER, EXACT, LEVELS, PROMPT, Composed, agrees, hidden_at_the_start, network_of, questions
from encoding_cases import Variant, make, sequential, variants
from support import choices, node
from torch import Tensor

from harness import declarations
from harness.attention import flex, kernels
from harness.attention.inputs import AttentionInputs
from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.checks.numerics import same_in_parts
from harness.config import instantiation
from harness.errors import Refused
from harness.evaluation import scoring
from harness.models.base import Model
from harness.models.encoder_decoder import EncoderDecoder
from harness.positions.base import Sequences


def causal(variant: Variant) -> bool:
    encoding = make(variant.name, **variant.options)
    return "causal" in encoding.modes and not encoding.pretrained and encoding.channels in LEVELS


@pytest.fixture(
    params=[pytest.param(one, marks=[pytest.mark.slow] if one.options else [], id=str(one)) for one in variants()]
)
def variant(request: pytest.FixtureRequest) -> Variant:
    if not causal(request.param):
        pytest.skip("no decoder of ours has it")
    return request.param


def of_encoding(composed: Composed, variant: Variant) -> tuple[Model, Positions]:
    channels = make(variant.name, **variant.options).channels
    model = network_of(composed, *variant.overrides(), *LEVELS[channels])
    return model, sequential(PROMPT + ANSWER, 0, channels)


def test_with_every_encoding(variant: Variant, composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    model, positions = of_encoding(composed, variant)
    for where in (positions, hidden_at_the_start(positions)):
        agrees(model, where, monkeypatch)
        read_in_parts(model, where, monkeypatch)


def with_flex(inputs: AttentionInputs) -> Tensor:
    """FlexAttention's call where there is a past, of which it has no compiled kernel."""
    return flex.attend(inputs) if inputs.past else kernels.attend(inputs)


@torch.no_grad()
def read_in_parts(model: Model, positions: Positions, patch: pytest.MonkeyPatch) -> None:
    """Several queries behind a past, by every kernel and in chunks of queries."""
    tokens = torch.from_numpy(questions(12).tokens)
    whole = model(tokens, positions)
    with patch.context() as here:
        here.setattr(kernels, "CHUNK", 5)
        for kernel in (kernels.attend, kernels.explicit, with_flex):
            for module in model.modules():
                if isinstance(module, Attending):
                    here.setattr(module, "kernel", kernel)
            same_in_parts(model, tokens, whole, positions, (1, 2, 9, 30, 67, 72))


@pytest.mark.parametrize("encoding", ["rope", "alibi", "cope"])
@pytest.mark.parametrize("logit", choices("logit"))
def test_with_every_logit_scale(logit: str, encoding: str, composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scales count the keys that a query sees."""
    model = network_of(composed, f"logit={logit}", f"encoding={encoding}")
    positions = sequential(PROMPT + ANSWER)
    agrees(model, positions, monkeypatch)
    agrees(model, hidden_at_the_start(positions), monkeypatch)


TASKS = {"abacus": "addition", "coupled": "addition", "coupled_levels": "multiple_addition_scratchpad"}


@pytest.mark.parametrize("encoding", ["rope", "fire", "learned", "multi_channel_rope"])
@pytest.mark.parametrize("rule", choices("positions"))
def test_with_every_position_rule(
    rule: str, encoding: str, composed: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TASKS.get(rule, "copy")
    try:
        run = composed(f"encoding={encoding}", f"positions={rule}", f"task={task}", "model=nano", "lengths.test=21")
    except Refused as refused:
        pytest.skip(str(refused))
    position_rule, width = instantiation.rule(run), PROMPT + ANSWER
    rng = np.random.default_rng(1)
    channels = {name: rng.integers(0, 9, (4, width)) for name in position_rule.needs}
    model = network_of(composed, f"encoding={encoding}", f"positions={rule}", f"task={task}")
    for training in (False, True):
        drawn = position_rule.sample(rng, Sequences(np.full(4, width), width, training=training, channels=channels))
        agrees(model, Positions(torch.from_numpy(drawn), position_rule.consecutive), monkeypatch)


MIXERS = [
    *((f"mixer=[{name}] encoding=nope") for name in choices("mixer")),
    *((f"mixer=[{name},attention]") for name in choices("mixer") if name != "attention"),
    "mixer.attention.kv_heads=1",
    "mixer.attention.kv_heads=2 mixer.attention.qk_norm=true model=tiny encoding=fox",
]


@pytest.mark.parametrize("overrides", MIXERS)
def test_with_every_mixer(overrides: str, composed: Composed, monkeypatch: pytest.MonkeyPatch) -> None:
    agrees(network_of(composed, *overrides.split()), sequential(PROMPT + ANSWER), monkeypatch)


def attributes(group: str, name: str) -> dict[str, Any]:
    return declarations.lookup(node(group, name)["_target_"]).attributes


ARCHITECTURES = [
    name
    for name in choices("architecture")
    if attributes("architecture", name)["caches"] and not attributes("architecture", name)["reads"]
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("encoding", ["nope", "segment", "fox"])
def test_with_every_architecture(
    architecture: str, encoding: str, composed: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        model = network_of(composed, f"architecture={architecture}", f"encoding={encoding}")
    except Refused as refused:
        pytest.skip(str(refused))
    for positions in (sequential(PROMPT + ANSWER), sequential(PROMPT + ANSWER)._replace(consecutive=False)):
        agrees(model, positions, monkeypatch)


@pytest.mark.parametrize("each_step", ["nothing", "input", "coordinates"])
@pytest.mark.parametrize("encoding", ["sinusoidal", "segment", "rope"])
def test_with_passes_for_every_token(
    each_step: str, encoding: str, composed: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A looped network reads earlier tokens again where a new one takes more passes than they did."""
    model = network_of(
        composed, "architecture=looped", f"encoding={encoding}", f"architecture.each_step={each_step}",
        "architecture.per_token=0.1",
    )  # fmt: skip
    agrees(model, sequential(PROMPT + ANSWER), monkeypatch)
    tokens = torch.from_numpy(questions(12).tokens)
    parts, cache = [], None
    with torch.no_grad():
        for stop in (1, 40, 41, 66, 67, 72):  # before [SEP] passes go on growing: what later tokens add is not in parts
            part, cache = model.forward_with_cache(tokens[:, :stop], sequential(stop), cache)
            parts.append(part)
            whole = model(tokens[:, :stop], sequential(stop))
            torch.testing.assert_close(part, whole[:, whole.shape[1] - part.shape[1] :], **EXACT)


@torch.no_grad()
def test_prompts_of_several_lengths_are_read_again(composed: Composed) -> None:
    """An encoder-decoder has a cache for prompts of one length; without it, it says the same."""
    model = network_of(composed, "architecture=encoder_decoder")
    assert isinstance(model, EncoderDecoder)
    tokens = torch.from_numpy(questions(12).tokens)
    cache = None
    for stop in (10, PROMPT + 1, PROMPT + 2, PROMPT + ANSWER):
        part, cache = model.forward_with_cache(tokens[:, :stop], sequential(stop), cache)
        torch.testing.assert_close(part, model(tokens[:, :stop], sequential(stop))[:, -part.shape[1] :], **EXACT)


@pytest.mark.parametrize("encoding", ["rope", "learned"])
@pytest.mark.parametrize("extension", choices("extension"))
def test_with_every_extension(
    extension: str, encoding: str, composed: Composed, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = f"encoding={encoding}", f"extension={extension}"
    try:
        run = composed(*chosen, "model=nano", "lengths.test=21")
    except Refused as refused:
        pytest.skip(str(refused))
    model = network_of(composed, *chosen)
    (made,) = instantiation.extensions(run).values()
    with scoring.extended(model, made, 20, PROMPT + ANSWER) as reader:
        if made.truncates:
            assert not reader.can_cache(), "every window is read anew"
        else:
            agrees(reader, sequential(PROMPT + ANSWER), monkeypatch)


@pytest.mark.parametrize("family", ["Llama", "GPT2"])
def test_with_saved_networks(family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pretrained import library, ours

    encoding = "pretrained_table" if family == "GPT2" else "pretrained_rotary"
    options: dict[str, Any] = {"n_positions": 1024} if family == "GPT2" else {"num_key_value_heads": 2}
    model = ours(library(family, **options), tmp_path, encoding).double().eval()
    agrees(model, sequential(PROMPT + ANSWER), monkeypatch)
