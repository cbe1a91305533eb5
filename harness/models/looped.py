"""Looped Transformers: one block, many times."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from harness.attention.positions import Positions
from harness.declarations.bounds import Activation, Norm
from harness.dimensions import Dimensions
from harness.encodings.precision import at_least_float32
from harness.layouts.special_tokens import SEP
from harness.mixers.base import State
from harness.models.base import Cache, Layers
from harness.models.block import Block
from harness.models.transformer import Transformer, embedded, entering


class Looped(Transformer):
    """A causal Transformer whose blocks all have the same weights, so that their number can grow with the input.

    A token is read out after ``steps`` passes through the block (0: the number of layers of the model's size) and
    ``per_token`` more, rounded up, for every token up to ``[SEP]``, or up to itself where it stands before ``[SEP]`` or
    there is none. The number depends on nothing behind the token, so one pass over an answer still says what decoding
    says. Other tokens go on being read until the last one is done.

    Before every pass ``each_step`` adds something to each token. ``coordinates``: what the encoding adds to embeddings
    and a sinusoid of the pass's number (Dehghani et al., 2019, arXiv 1807.03819, section 2.1; the choice ``universal``,
    with ``encoding=sinusoidal`` as there; their halting by a learned threshold is left out). ``input``: its embedding,
    as Fan et al. (2024), arXiv 2409.15647, do in a loop whose number of passes follows from the problem's length (the
    choice ``looped``; there that number is known for each task, a block may have several layers, and answers are
    predicted all at once). ``nothing``.
    """

    stackable = False
    layout = "Causal"
    mode = "causal"
    one_block = True
    caches = True

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        steps: Annotated[int, Field(ge=0, le=2**10)] = 0,
        per_token: Annotated[float, Field(ge=0, le=100)] = 0.0,
        each_step: Literal["nothing", "input", "coordinates"] = "coordinates",
        norm: Norm = "post",
        activation: Activation = "relu",
        **block: Any,
    ) -> None:
        super().__init__(dimensions, vocabulary, norm=norm, activation=activation, **block)
        self.steps = steps or dimensions.n_layers
        self.per_token = per_token
        self.each_step = each_step
        mixer = next(layers.mixers(causal=True, biases=self.style.mixer_biases))
        self.block = Block(dimensions, mixer, self.style)
        self.norm = self.style.last_norm(dimensions.d_model)
        self.read_out(dimensions, [self.block])

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self._read(tokens, positions, None, lambda x, step, carried: self.block(x, positions, carried))

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        """The states are those of every pass. Where a new token takes more passes than tokens so far did, these are
        read again with it: before ``[SEP]``, with ``per_token``.
        """
        before = cache if cache and len(cache.layers) == int(self.passes(tokens).max()) else None
        states: list[State] = []

        def passed(x: Tensor, step: int, carried: Tensor | None) -> tuple[Tensor, Tensor | None]:
            state = before.layers[step - 1] if before else None
            x, state, carried = self.block.forward_with_cache(x, positions, state, carried)
            states.append(state)
            return x, carried

        hidden = self._read(tokens, positions, before, passed)
        new = tokens.shape[1] - (cache.length if cache else 0)
        return hidden[:, hidden.shape[1] - new :], Cache(tokens.shape[1], tuple(states))

    def _read(
        self,
        tokens: Tensor,
        positions: Positions,
        cache: Cache | None,
        block: Callable[[Tensor, int, Tensor | None], tuple[Tensor, Tensor | None]],
    ) -> Tensor:
        """Hidden vectors of the tokens that the cache does not hold, where ``block`` passes them, and what the encoding
        carries, through the block for the first, the second, ... time.
        """
        taken = self.passes(tokens)
        new = slice(cache.length if cache else 0, None)
        embedding = self.embedding(tokens[:, new])
        if self.each_step != "coordinates":
            embedding = embedded(embedding, [self.block], tokens, positions)
        x = out = self.dropout(embedding)
        carried = entering([self.block], positions.last(x.shape[1]))
        for step in range(1, int(taken.max()) + 1):
            if self.each_step == "input" and step > 1:
                x = x + embedding
            if self.each_step == "coordinates":
                x = embedded(x, [self.block], tokens, positions) + sinusoid(step, x)
            x, carried = block(x, step, carried)
            out = torch.where((taken[:, new] >= step)[..., None], x, out)
        return self.norm(out)

    def passes(self, tokens: Tensor) -> Tensor:
        """How many passes each token takes, same shape."""
        before = (tokens == SEP).cumsum(dim=1) == 0
        places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device)
        counted = torch.minimum(places, before.sum(dim=1, keepdim=True) + 1)
        return self.steps + torch.ceil(counted * self.per_token).long()


def sinusoid(step: int, like: Tensor) -> Tensor:
    """The vector [D] of a number: sines in the first half of the channels, cosines in the second."""
    pairs = -(-like.shape[-1] // 2)
    angles = step * 10000.0 ** (-torch.arange(pairs, dtype=at_least_float32(like).dtype, device=like.device) / pairs)
    return torch.cat([angles.sin(), angles.cos()])[: like.shape[-1]].to(like.dtype)
