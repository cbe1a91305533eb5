"""Every architecture holds what the program relies on."""

from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from harness.checks.claims import DoesNotApply, require
from harness.checks.inputs import largest, sequential
from harness.checks.numerics import bfloat16, same_in_parts, trained_everywhere
from harness.checks.tried import Tried
from harness.config import instantiation
from harness.config.identity import training_lengths
from harness.config.schema import Run
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.layouts.base import Layout
from harness.layouts.special_tokens import PAD
from harness.mixers.attention import Attention
from harness.models.base import Model


class Subject(NamedTuple):
    """A run with the architecture, and how its network is made, the same every time."""

    run: Run
    network: Callable[[], Model]
    dropped: Callable[[], Model]
    """The network with a dropout of .5. Raises :class:`DoesNotApply` where it has none."""

    def layout(self) -> Layout:
        """How questions and answers are laid out for it."""
        return instantiation.layout(self.run, instantiation.task(self.run))

    def batch(self) -> TrainingBatch:
        """Training examples of many lengths."""
        task, layout = instantiation.task(self.run), self.layout()
        lengths = training_lengths(self.run, task)
        return TrainingData(task, layout, instantiation.rule(self.run), lengths, seed=0, batch=16)(0)


def subject(tried: Tried) -> Subject:
    """The architecture of a choice."""
    run = tried.valid()

    def dropped() -> Model:
        if "dropout" not in run.architecture.options:
            raise DoesNotApply("it has none")
        options = {**run.architecture.options, "dropout": 0.5}
        other = run.model_copy(update={"architecture": run.architecture.model_copy(update={"options": options})})
        return tried._replace(whole=other).network()

    return Subject(run, tried.network, dropped)


def _left_to_right(subject: Subject) -> Model:
    model = subject.network()
    if model.further_modes:
        raise DoesNotApply("it has two sides")
    if subject.layout().bidirectional:
        raise DoesNotApply("it looks both ways, as its layout says")
    return model


def gives_a_distribution(subject: Subject) -> str:
    """It gives a distribution over the vocabulary for every token"""
    model, asked, size = subject.network(), subject.batch(), len(subject.layout().vocabulary)
    hidden = model(asked.tokens, asked.positions)
    require(hidden.shape[:2] == asked.tokens.shape, f"{list(hidden.shape)} for tokens {list(asked.tokens.shape)}")
    logits = model.readout(hidden)
    require(logits.shape == (*asked.tokens.shape, size), f"logits {list(logits.shape)} for {size} tokens")
    require(torch.isfinite(logits).all(), "logits are not finite")
    alone = model.readout(hidden[0, 0])
    require(torch.allclose(alone, logits[0, 0], atol=1e-6), f"one token read out alone: {largest(alone, logits[0, 0])}")
    return f"{size} tokens"


def attention_where_it_says_so(subject: Subject) -> str:
    """It has attention if and only if its mode says so"""
    model = subject.network()
    layers = [module for module in model.modules() if isinstance(module, Attention)]
    said = f"mode = {model.mode}, and it has {len(layers)} layers of attention"
    require((model.mode == "attention-free") == (not layers), said)
    require(bool(layers) == bool(model.encodings()), f"{said} and {len(model.encodings())} encodings")
    return said


@torch.no_grad()
def no_look_ahead(subject: Subject) -> None:
    """Later tokens and the length change nothing, and earlier tokens something"""
    model = _left_to_right(subject)
    first, second = torch.randint(1, len(subject.layout().vocabulary), (2, 40))
    second[:17] = first[:17]
    whole = model(torch.stack([first, second]), sequential(40))
    short = model(first[None, :17], sequential(17))
    require(
        torch.allclose(whole[0, :17], whole[1, :17], atol=1e-6),
        f"later tokens: {largest(whole[0, :17], whole[1, :17])}",
    )
    require(torch.allclose(whole[:1, :17], short, atol=1e-5), f"the length: {largest(whole[:1, :17], short)}")
    require(not torch.allclose(whole[0, 17:], whole[1, 17:], atol=1e-3), "other tokens give the same")


@torch.no_grad()
def alone_in_a_batch(subject: Subject) -> None:
    """Padding and the other rows of a batch change nothing"""
    model, asked = subject.network(), subject.batch()
    if model.further_modes:
        raise DoesNotApply("it has two sides")
    lengths = (asked.tokens != PAD).sum(dim=1).tolist()
    require(len(set(lengths)) > 2, "the task gave too few lengths to try it")
    together = model(asked.tokens, asked.positions)
    for row, length in enumerate(lengths):
        alone = model(asked.tokens[row : row + 1, :length], sequential(length))
        same = torch.allclose(together[row, :length], alone[0], atol=1e-5)
        require(same, f"{length} tokens: {largest(together[row, :length], alone[0])}")


def trains(subject: Subject) -> None:
    """A gradient reaches every parameter"""
    if type(subject.layout()).__name__ == "Sentences":
        raise DoesNotApply("each form of task has a head of its own")
    model, asked = subject.network(), subject.batch()
    logits = model.readout(model(asked.tokens, asked.positions).flatten(0, 1)[asked.scored])
    F.cross_entropy(logits, asked.targets).backward()
    trained_everywhere(model)


@torch.no_grad()
def seeded_dropout(subject: Subject) -> None:
    """Dropout is drawn where training can seed it

    Training seeds every step of a model with ``nn.Dropout`` in it, so that a resumed run drops the same; dropout inside
    of a kernel of PyTorch's, such as that of ``nn.LSTM``, it would not see. No evaluation drops anything.
    """
    plain, model, asked = subject.network(), subject.dropped(), subject.batch()
    whole = plain(asked.tokens, asked.positions)
    require(torch.equal(model(asked.tokens, asked.positions), whole), "an evaluation drops something")
    model.train()
    first, second = (model(asked.tokens, asked.positions) for _ in range(2))
    require(not torch.equal(first, second), "training drops nothing")
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    left = model(asked.tokens, asked.positions)
    require(torch.allclose(left, whole, atol=1e-6), "something is dropped that is no nn.Dropout")


def rounds_in_bfloat16(subject: Subject) -> str:
    """Bfloat16 is rounded and no more, and trains"""
    model, asked = subject.network(), subject.batch()
    exact = model(asked.tokens, asked.positions)
    with bfloat16():
        rounded = model(asked.tokens, asked.positions)
        model.readout(rounded).float().logsumexp(dim=-1).sum().backward()
    share = float((rounded.detach().float() - exact.detach()).abs().max() / exact.detach().abs().max())
    require(share < 0.05, f"{share:.3f} of the largest number")
    finite = all(p.grad is None or bool(torch.isfinite(p.grad).all()) for p in model.parameters())
    require(finite, "a gradient is not finite")
    return f"{share:.3f} of the largest number"


def seeded_weights(subject: Subject) -> None:
    """The same seed gives the same weights"""
    first, second = (subject.network().state_dict() for _ in range(2))
    other = [key for key in first if not torch.equal(first[key], second[key])]
    require(not other, f"{other[:1]} is another one")


@torch.no_grad()
def cache(subject: Subject) -> None:
    """With a cache it gives what it gives without"""
    model = _left_to_right(subject).double()
    if not model.can_cache():
        raise DoesNotApply("caches = False")
    asked = torch.randint(4, len(subject.layout().vocabulary), (2, 40))
    same_in_parts(model, asked, model(asked, sequential(40)), sequential(40), (1, 2, 9, 30, 40))


CLAIMS = (
    gives_a_distribution, attention_where_it_says_so, trains, no_look_ahead, alone_in_a_batch, seeded_weights,
    seeded_dropout, cache, rounds_in_bfloat16,
)  # fmt: skip
"""In the order in which they are checked."""
