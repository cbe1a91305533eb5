"""Stacked layers of PyTorch's recurrent kernels, shared by RNN, GRU and LSTM.

On a CPU they compute in float32 also where the rest of the model is in bfloat16: not every processor has an LSTM in
bfloat16, PyTorch has no GRU in it, and what a run computes should not depend on the processor.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from harness.dimensions import Dimensions
from harness.mixers.base import State
from harness.models.base import Cache


def parts(
    kernel: Callable[..., nn.Module], dimensions: Dimensions, vocabulary: int, dropout: float, **options: str
) -> tuple[nn.Embedding, nn.ModuleList, nn.Dropout, nn.Linear]:
    """Embedding, layers with these ``options`` of the kernel, dropout and readout; weights are drawn in this order."""
    width = dimensions.d_model
    return (
        nn.Embedding(vocabulary, width),
        nn.ModuleList(kernel(width, width, batch_first=True, **options) for _ in range(dimensions.n_layers)),
        nn.Dropout(dropout),
        nn.Linear(width, vocabulary),
    )


def outputs(
    embedding: nn.Module, layers: nn.ModuleList, dropout: nn.Module, tokens: Tensor, cache: Cache | None
) -> tuple[Tensor, Cache]:
    """What the last layer gives for the tokens [B, L] that the cache does not hold [B, l, D], and the cache with them.
    Dropout acts on the embedding and on what each layer gives.
    """
    x = dropout(embedding(tokens[:, cache.length if cache else 0 :]))
    states = []
    for layer, before in zip(layers, cache.layers if cache else [None] * len(layers), strict=True):
        x, state = _read(layer, x, before)
        x = dropout(x)
        states.append(state)
    return x, Cache(tokens.shape[1], tuple(states))


def _read(layer: nn.Module, x: Tensor, before: State | None) -> tuple[Tensor, State]:
    """What a layer gives for some tokens, and the state that it is left in: one tensor, or two of an LSTM."""
    single = not isinstance(layer, nn.LSTM)
    with torch.autocast("cpu", enabled=False):
        y, state = layer(x, before[0] if before and single else before)
    return y, (state,) if single else state
