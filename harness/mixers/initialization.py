"""The initial weights of linear layers that read from or write to the residual stream."""

from torch import nn

from harness.dimensions import Dimensions


def initialize(
    dimensions: Dimensions, *, reads: tuple[nn.Linear, ...] = (), writes: tuple[nn.Linear, ...] = ()
) -> None:
    """N(0, (0.28 / sqrt(D)) ** 2), which trained the tiny model fastest on copying (docs/decisions.md). Matrices that
    write to the residual stream are drawn smaller by sqrt(2 x layers), as in GPT-2. Biases are 0.
    """
    for linear, scale in [*((r, 1.0) for r in reads), *((w, (2 * dimensions.n_layers) ** -0.5) for w in writes)]:
        nn.init.normal_(linear.weight, std=0.28 * dimensions.d_model**-0.5 * scale)
        if linear.bias is not None:
            nn.init.zeros_(linear.bias)
