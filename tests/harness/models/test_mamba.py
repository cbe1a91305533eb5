"""Mamba is that of its authors: against a recurrence of plain loops, and against the transformers library."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT, layers

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.nope import NoPE
from harness.mixers.mamba import selective_scan
from harness.mixers.scan import scan
from harness.models.mamba import Mamba

NAMES = {
    "norm.weight": "norm.weight",
    "mixer.in_proj.weight": "mixer.project.weight",
    "mixer.conv1d.weight": "mixer.convolution.weight",
    "mixer.conv1d.bias": "mixer.convolution.bias",
    "mixer.x_proj.weight": "mixer.select.weight",
    "mixer.dt_proj.weight": "mixer.step.weight",
    "mixer.dt_proj.bias": "mixer.step.bias",
    "mixer.A_log": "mixer.log_rate",
    "mixer.D": "mixer.skip",
    "mixer.out_proj.weight": "mixer.output.weight",
}
"""Their names of a block's weights, and mine."""


def test_logits_are_those_of_the_transformers_library() -> None:
    golden = np.load(ROOT / "tests" / "golden" / "architectures" / "mamba.npz")
    config = json.loads(str(golden["meta"]))["config"]
    dimensions = Dimensions(config["hidden_size"], 1, config["num_hidden_layers"], 10)
    model = Mamba(
        dimensions, config["vocab_size"], layers(dimensions, lambda _: NoPE(dimensions)), state=config["state_size"]
    )
    weights = {
        "embedding.weight": golden["weights/backbone.embeddings.weight"],
        "norm.weight": golden["weights/backbone.norm_f.weight"],
        "head.weight": golden["weights/lm_head.weight"],
        **{
            f"blocks.{i}.{mine}": golden[f"weights/backbone.layers.{i}.{theirs}"]
            for i in range(dimensions.n_layers)
            for theirs, mine in NAMES.items()
        },
    }
    own = model.state_dict()
    model.load_state_dict({name: torch.from_numpy(value).view_as(own[name]) for name, value in weights.items()})
    tokens = torch.from_numpy(golden["tokens"]).long()
    logits = model.readout(model(tokens, Positions(torch.arange(tokens.shape[1])[None], True)))
    expected = torch.from_numpy(golden["logits"])
    assert expected.std() > 0.1
    assert torch.allclose(logits, expected, atol=2e-6)


@settings(deadline=None, max_examples=30)
@given(length=st.integers(1, 70), seed=st.integers(0, 2**32 - 1))
def test_the_scan_is_the_recurrence_one_token_after_the_other(length: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    decay = torch.rand(2, length, 3, 2, generator=generator, dtype=torch.float64)
    decay[:, ::5] = 0  # forgets everything: a product of decays that nothing may be divided by
    drive = torch.randn(2, length, 3, 2, generator=generator, dtype=torch.float64)
    state = torch.randn(2, 3, 2, generator=generator, dtype=torch.float64)
    expected, h = [], state
    for t in range(length):
        h = decay[:, t] * h + drive[:, t]
        expected.append(h)
    assert torch.allclose(scan(decay, drive, state), torch.stack(expected, dim=1), atol=1e-12)


def test_the_selective_scan_is_its_definition_across_segments() -> None:
    """Every channel and every number of its state in plain Python, over more tokens than a segment has."""
    length, channels, states = 300, 2, 3
    u, delta = torch.randn(1, length, channels), torch.rand(1, length, channels)
    rate, write, read = torch.rand(channels, states) * 4, torch.randn(1, length, states), torch.randn(1, length, states)
    nothing = torch.zeros(1, channels, states)
    y, _ = selective_scan(*(x.double() for x in (u, delta, rate, write, read, nothing)))
    for e in range(channels):
        h = [0.0] * states
        for t in range(length):
            step = delta[0, t, e].item()
            for n in range(states):
                drive = step * write[0, t, n].item() * u[0, t, e].item()
                h[n] = math.exp(-step * rate[e, n].item()) * h[n] + drive
            assert y[0, t, e].item() == pytest.approx(sum(h[n] * read[0, t, n].item() for n in range(states)), abs=1e-9)


def test_gradients_through_the_scan_are_those_of_the_recurrence() -> None:
    decay = torch.rand(1, 7, 2, dtype=torch.float64, requires_grad=True)
    drive = torch.randn(1, 7, 2, dtype=torch.float64, requires_grad=True)
    state = torch.randn(1, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(scan, (decay, drive, state))


def test_steps_start_between_a_thousandth_and_a_tenth_and_rates_at_one_to_n() -> None:
    """The initial weights of the published code, which decide how long a state is kept."""
    torch.manual_seed(0)
    dimensions = Dimensions(64, 1, 1, 10)
    block = Mamba(dimensions, 5, layers(dimensions, lambda _: NoPE(dimensions))).blocks[0].mixer
    steps = torch.nn.functional.softplus(block.step.bias.detach())
    assert steps.min() > 0.00099
    assert steps.max() < 0.1001
    assert steps.log10().mean() == pytest.approx(-2, abs=0.15)
    rates = block.log_rate.view(128, 16).exp()
    assert torch.allclose(rates, torch.arange(1.0, 17).expand(128, 16))


def test_sizes_below_one_are_refused() -> None:
    dimensions = Dimensions(8, 1, 1, 10)
    for name in ("state", "convolution", "expand"):
        with pytest.raises(ValueError, match=f"{name}=0: it must be at least 1"):
            Mamba(dimensions, 5, layers(dimensions, lambda _: NoPE(dimensions)), **{name: 0})
