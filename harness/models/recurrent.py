"""PyTorch's recurrent kernels layer upon layer: what a plain RNN, GRU and LSTM are made of.

On a CPU they compute in float32 also where the rest of the model is in bfloat16: not every processor has an LSTM in
bfloat16, PyTorch has no GRU in it, and what a run computes should not depend on the processor.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from harness.dimensions import Dimensions

STRETCH = 1024
"""Tokens that are read at once where the state is carried on."""


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


def outputs(embedded: Tensor, layers: Iterable[nn.Module], dropout: nn.Module) -> Tensor:
    """What the last layer gives, [B, L, D] -> [B, L, D]; dropout acts on the embedding and on what each layer gives."""
    x = dropout(embedded)
    for layer in layers:
        x = dropout(_read(layer, x, None)[0])  # beside the last state
    return x


def stretches(embedding: nn.Module, layers: nn.ModuleList, dropout: nn.Module, tokens: Tensor) -> Iterator[Tensor]:
    """:func:`outputs` in chunks of ``STRETCH`` tokens; each layer continues from its last state."""
    states: list[Any] = [None] * len(layers)
    for part in tokens.split(STRETCH, dim=1):
        x = dropout(embedding(part))
        for number, layer in enumerate(layers):
            x, states[number] = _read(layer, x, states[number])
            x = dropout(x)
        yield x


def _read(layer: nn.Module, x: Tensor, state: Any) -> tuple[Tensor, Any]:
    """What a layer gives for a stretch of tokens and the state that it is left in."""
    with torch.autocast("cpu", enabled=False):
        return layer(x, state)
