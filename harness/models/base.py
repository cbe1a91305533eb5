"""The base of architectures: tokens and positions in, a hidden vector per token out, and logits from hidden vectors."""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Bounded
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding, Mode
from harness.logits.base import LogitScale
from harness.mixers.base import Layer, Mixer, State


class Layers:
    """Makes the layers of a network's stacks, one at a time.

    ``encodings`` gives the encodings of one stack, from the first layer on; ``logit`` makes the logit scale of a layer
    of this shape; ``mixers`` are the makers of mixers, which the layers of a stack take in turn.
    """

    def __init__(
        self,
        dimensions: Dimensions,
        encodings: Callable[[], Iterator[Encoding]],
        logit: Callable[[Dimensions], LogitScale],
        mixers: Sequence[Callable[[Layer], Mixer]],
    ) -> None:
        self._dimensions = dimensions
        self._encodings = encodings
        self._logit = logit
        self._mixers = mixers

    def stack(self, *, causal: bool = True, biases: bool = False) -> Iterator[Layer]:
        """The layers of one stack, as many as the network's size says. Layers of different stacks share nothing."""
        encodings = self._encodings()
        for number in range(self._dimensions.n_layers):
            here = dataclasses.replace(self._dimensions, layer=number)
            yield Layer(here, next(encodings), self._logit(here), causal, biases)

    def mixers(self, *, causal: bool, biases: bool) -> Iterator[Mixer]:
        """The mixers of one stack."""
        for layer in self.stack(causal=causal, biases=biases):
            yield self._mixers[layer.dimensions.layer % len(self._mixers)](layer)


CHUNK = 1024
"""Tokens that are read at once where memory is constant."""


class Cache(NamedTuple):
    """What the first ``length`` tokens of some sequences left behind, for each layer: all that later tokens need."""

    length: int
    layers: tuple[State, ...]


class Model(Bounded, nn.Module, ABC):
    """A network. Its constructor takes :class:`~harness.dimensions.Dimensions`, the vocabulary size and
    :class:`Layers`, then, keyword-only, the choices that its YAML file lists. The encoding of the first layer changes
    the token embeddings.
    """

    layout: ClassVar[str]
    """The class of :mod:`harness.layouts` that arranges prompt and answer for it."""

    mode: ClassVar[Mode]
    """The kind of attention in it, or ``attention-free``."""

    reads: ClassVar[tuple[str, ...]] = ()
    """The options that say where a saved network lies (:mod:`harness.models.huggingface_folder`), ``name_or_path``,
    ``revision`` and ``local_files_only``: not they but what lies there is part of a run's identity, and its size is
    that of the network.
    """

    further_modes: ClassVar[tuple[Mode, ...]] = ()
    """Other kinds of attention in it, for which an encoding must be defined too."""

    uses_mixers: ClassVar[bool] = False
    """Whether its layers have the mixers that a run chooses (``Layers.mixers``)."""

    stackable: ClassVar[bool] = True
    """Whether ``torch.func.vmap`` can compute several such networks at once (:mod:`harness.training.stack`): not where
    PyTorch has no rule for a kernel, or where a number out of a tensor decides what is done.
    """

    carries: ClassVar[bool] = False
    """Whether its blocks hand on what an encoding carries from one to the next (``Encoding.carries``)."""

    one_block: ClassVar[bool] = False
    """Whether all its layers are one, passed through many times: the first, with the number 0."""

    receptive_field: int | None = None
    """How many tokens an output can depend on, its own among them; ``None`` for all."""

    caches: ClassVar[bool] = False
    """Whether :meth:`forward_with_cache` is there: not where tokens look at later ones, so that all are read again
    whenever one is added.
    """

    @staticmethod
    def objection(dimensions: Dimensions, options: Any) -> str:
        """As :meth:`harness.encodings.base.Encoding.objection`."""
        return ""

    @abstractmethod
    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        """tokens [B, L] -> hidden vectors [B, L, D]."""

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        """Forward for the tokens that ``cache`` does not hold yet. ``tokens`` [B, L] and ``positions`` are those of the
        whole sequences so far -> hidden vectors of the last ones [B, L - cache.length, D], and the cache with them.
        """
        raise LookupError(f"{type(self).__name__} has no cache")

    def can_cache(self) -> bool:
        """Whether earlier tokens need not be read again when one is added. All parts must have a place for it, and what
        earlier tokens came to must still hold: it does not where an encoding is not ``prefix_consistent``, because
        there the number of tokens changes every hidden vector, and with it every key and value.
        """
        mixers = (module for module in self.modules() if isinstance(module, Mixer))
        return (
            self.caches
            and all(mixer.caches for mixer in mixers)
            and all(encoding.prefix_consistent for encoding in self.encodings())
        )

    def constant_memory(self) -> bool:
        """Whether a cache does not grow with the number of tokens."""
        return False

    def forward_in_chunks(self, tokens: Tensor, positions: Positions) -> Iterator[Tensor]:
        """Forward in chunks [B, l, D], where a cache does not grow; otherwise one chunk, that of :meth:`forward`."""
        if not self.constant_memory():
            yield self(tokens, positions)
            return
        cache, length = None, tokens.shape[1]
        for start in range(0, length, CHUNK):
            count = min(start + CHUNK, length)
            hidden, cache = self.forward_with_cache(tokens[:, :count], positions.first(count), cache)
            yield hidden

    def hidden_at(self, tokens: Tensor, positions: Positions, wanted: Tensor) -> Tensor:
        """The hidden vectors of the tokens of ``wanted`` [B, L] in order [S, D]; others are freed at once."""
        order = wanted.flatten().cumsum(dim=0).view_as(wanted) - 1
        vectors, places, start = [], [], 0
        for part in self.forward_in_chunks(tokens, positions):
            here = (slice(None), slice(start, start + part.shape[1]))
            vectors.append(part[wanted[here]])
            places.append(order[here][wanted[here]])
            start += part.shape[1]
        return vectors[0] if len(vectors) == 1 else torch.cat(vectors)[torch.cat(places).argsort()]

    @abstractmethod
    def readout(self, hidden: Tensor) -> Tensor:
        """hidden vectors [..., D] -> logits over the vocabulary [..., V]."""

    def name_tokens(self, tokens: Sequence[str]) -> None:
        """Receives the names of the vocabulary's tokens (``layouts.Causal.vocabulary``) once, before anything is
        computed: for networks that were pretrained on some of them. Raises :class:`ValueError` if the network cannot
        have this vocabulary.
        """

    def encodings(self) -> list[Encoding]:
        """Every encoding in it, each once."""
        return [module for module in self.modules() if isinstance(module, Encoding)]
