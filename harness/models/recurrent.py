"""PyTorch's recurrent kernels layer upon layer: what a plain RNN, GRU and LSTM are made of."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn

from harness.shape import Shape


def parts(
    kernel: Callable[..., nn.Module], shape: Shape, vocabulary: int, dropout: float, **options: str
) -> tuple[nn.Embedding, nn.ModuleList, nn.Dropout, nn.Linear]:
    """Embedding, layers with these ``options`` of the kernel, dropout and readout; weights are drawn in this order."""
    width = shape.dimension
    return (
        nn.Embedding(vocabulary, width),
        nn.ModuleList(kernel(width, width, batch_first=True, **options) for _ in range(shape.layers)),
        nn.Dropout(dropout),
        nn.Linear(width, vocabulary),
    )


def outputs(embedded: Tensor, layers: Iterable[nn.Module], dropout: nn.Module) -> Tensor:
    """What the last layer gives, [B, L, D] -> [B, L, D]; dropout acts on the embedding and on what each layer gives."""
    x = dropout(embedded)
    for layer in layers:
        x = dropout(layer(x)[0])  # beside the last state
    return x
