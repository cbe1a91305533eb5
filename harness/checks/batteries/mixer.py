"""Every mixer keeps what a network relies on, whatever it computes."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from harness.checks.claims import DoesNotApply, require
from harness.checks.inputs import largest, sequential, tokens
from harness.checks.numerics import bfloat16, trained_everywhere
from harness.checks.tried import Tried
from harness.dimensions import Dimensions
from harness.encodings.nope import NoPE
from harness.logits.standard import Standard
from harness.mixers.base import Layer, Mixer, Recurrent, State
from harness.models.base import Model

DIMENSIONS = Dimensions(16, 4, 2, 64)


class Subject(NamedTuple):
    """How a mixer is made for a layer of ``DIMENSIONS``, the same every time, and a network of it alone."""

    make: Callable[[], Mixer]
    network: Callable[[], Model]


def layer() -> Layer:
    """The layer that mixers are made for."""
    return Layer(DIMENSIONS, NoPE(DIMENSIONS), Standard(DIMENSIONS))


def subject(tried: Tried) -> Subject:
    """The mixer of a choice."""
    made, options = tried.component_class(), tried.component().options

    def make() -> Mixer:
        torch.manual_seed(0)
        return made(layer(), **options)

    return Subject(make, tried.network)


def recurrent(mixer: Mixer) -> Recurrent:
    """The same. Raises :class:`DoesNotApply` for one that is not recurrent."""
    if not isinstance(mixer, Recurrent):
        raise DoesNotApply("it is not recurrent")
    return mixer


def one_at_a_time(subject: Subject) -> str:
    """All tokens at once give what one at a time gives"""
    mixer = recurrent(subject.make()).double()
    assert isinstance(mixer, Recurrent)
    for length in (1, 63, 64, 65, 200):
        x = torch.randn(2, length, DIMENSIONS.d_model, dtype=torch.float64)
        parts: list[Tensor] = []
        state: State | None = None
        for token in x.split(1, dim=1):
            y, state = mixer.run(token, state)
            parts.append(y)
        found, whole = torch.cat(parts, dim=1), mixer(x, sequential(length))
        same = torch.allclose(found, whole, rtol=1e-9, atol=1e-10)
        require(same, f"{length} tokens: {largest(found, whole)}")
    return "1 to 200 tokens"


@torch.no_grad()
def no_look_ahead(subject: Subject) -> None:
    """No token sees later ones"""
    mixer, x = subject.make(), torch.randn(1, 90, DIMENSIONS.d_model)
    changed = x.clone()
    changed[:, 70:] = torch.randn(1, 20, DIMENSIONS.d_model)
    here, there = mixer(x, sequential(90))[:, :70], mixer(changed, sequential(90))[:, :70]
    require(torch.allclose(here, there, rtol=0, atol=2e-6), largest(here, there))


@torch.no_grad()
def state_of_constant_size(subject: Subject) -> None:
    """The state does not grow"""
    mixer, x = recurrent(subject.make()), torch.randn(1, 90, DIMENSIONS.d_model)
    first, last = ([list(part.shape) for part in mixer.run(x[:, :length], None)[1]] for length in (5, 90))
    require(first == last, f"{first} after 5 tokens, {last} after 90")


@torch.no_grad()
def rounds_in_bfloat16(subject: Subject) -> str:
    """Mixed precision rounds 2,000 tokens and does nothing else"""
    mixer, x = subject.make(), torch.randn(1, 2000, DIMENSIONS.d_model)
    exact = mixer(x, sequential(2000))
    with bfloat16():
        rounded = mixer(x, sequential(2000)).float()
    share = float((rounded - exact).abs().max() / exact.abs().max())
    require(share < 0.05, f"{share:.3f} of the largest number: what is summed over tokens is summed in float32")
    return f"{share:.3f} of the largest number"


def trains(subject: Subject) -> None:
    """A gradient reaches every parameter"""
    mixer, x = subject.make(), torch.randn(2, 80, DIMENSIONS.d_model)
    mixer.initialize_weights(DIMENSIONS)
    mixer(x, sequential(80)).square().sum().backward()
    trained_everywhere(mixer)


@torch.no_grad()
def read_in_parts(subject: Subject) -> str:
    """A network of it reads a long sequence in parts, with the same result"""
    recurrent(subject.make())
    model = subject.network()
    if not model.constant_memory():
        raise DoesNotApply("the network that was tried has other layers besides")
    asked = tokens(1, 2500)
    parts = list(model.forward_in_chunks(asked, sequential(2500)))
    require(len(parts) > 1, "it was read at once")
    found, whole = torch.cat(parts, dim=1), model(asked, sequential(2500))
    require(torch.allclose(found, whole, rtol=1e-3, atol=1e-4), largest(found, whole))
    return f"{len(parts)} parts"


CLAIMS = (one_at_a_time, no_look_ahead, state_of_constant_size, trains, rounds_in_bfloat16, read_in_parts)
"""In the order in which they are checked."""
