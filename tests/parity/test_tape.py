"""TAPE against two layers of its published code, forwards and backwards. The file with their numbers says how the code
was run: what is carried out of the second layer is part of the loss, so every weight of both layers has a gradient.
"""

from collections.abc import Iterator
from typing import cast

import pytest
import torch
from golden_cases import Golden, golden
from torch import Tensor, nn

from harness.attention import kernels
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.tape import TAPE
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.base import Layer
from harness.models.block import Block, Style
from harness.models.transformer import entering, through

NAMES = {
    "mixer_norm.weight": "input_layernorm",
    "mixer.output.weight": "self_attn.o_proj",
    "mixer.encoding.gate": "pe.x_proj",
    "mixer.encoding.widen": "pe.up_proj",
    "mixer.encoding.narrow": "pe.down_proj",
    "feed_forward_norm.weight": "post_attention_layernorm",
    "gate.weight": "mlp.gate_proj",
    "widen.weight": "mlp.up_proj",
    "narrow.weight": "mlp.down_proj",
}
"""Parameters of a block, by their names here and there."""


def blocks(case: Golden) -> nn.ModuleList:
    """The two layers with the published weights, in float64, in which the case was computed. They count three, so that
    the second one hands on what it makes of positions.
    """
    hyper = case.meta["hyper"]
    width, heads = hyper["num_heads"] * hyper["head_dim"], hyper["num_heads"]
    style = Style("pre", "rms_norm", "swiglu", "nowhere", 0.0)
    made = nn.ModuleList()
    for number in range(hyper["layers"]):
        dimensions = Dimensions(width, heads, hyper["layers"] + 1, 64, layer=number)
        encoding = TAPE(dimensions, base=float(hyper["base"]), width=hyper["position_size"])
        made.append(Block(dimensions, Attention(Layer(dimensions, encoding, Standard(dimensions))), style))
    made.double()
    with torch.no_grad():
        for _, mine, theirs in compared(made, case, ""):
            mine.copy_(theirs)
    return made


def compared(made: nn.ModuleList, case: Golden, prefix: str) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Every parameter, with what the case has for it under ``prefix``: the published weight, or its gradient."""
    for number, block in enumerate(made):
        parameters = dict(block.named_parameters())
        start = f"{prefix}{number}"
        three = [case[f"{start}.self_attn.{part}_proj.weight"] for part in "qkv"]
        yield f"{start} project", parameters.pop("mixer.project.weight"), torch.cat(three).double()
        # Their matrix acts by the sum of each row, and every number of a row has the gradient of that sum.
        matrix = case[f"{start}.post_attention_linear.weight"].double()
        of_rows = matrix[:, 0] if prefix else matrix.sum(1)
        yield f"{start} attended", parameters.pop("mixer.encoding.attended"), of_rows
        for name, parameter in parameters.items():
            yield f"{start} {name}", parameter, case[f"{start}.{NAMES[name]}.weight"].double()


@pytest.mark.parametrize("kernel", [kernels.attend, kernels.explicit])
def test_two_layers_of_the_published_code(kernel: object) -> None:
    case = golden("tape")
    made = blocks(case)
    for block in made:
        cast(Block, block).mixer.kernel = kernel  # type: ignore[assignment]
    x = case["x"].double().requires_grad_()
    positions = Positions(case["pos_q"].long()[None], True)
    carried = entering(made, positions)
    hidden = x
    for number, block in enumerate(made):
        hidden, carried = block(hidden, positions, carried)
        case.match(f"hidden_{number}", hidden)
        case.match(f"carried_{number}", carried)
    assert torch.equal(hidden, through(made, x, positions))
    loss = (hidden * case["direction"]).sum() + (carried * case["pull"]).sum()
    case.match("loss", loss)
    loss.backward()
    case.match("gradient_x", cast(Tensor, x.grad))
    for name, parameter, expected in compared(made, case, "gradient_"):
        error = (cast(Tensor, parameter.grad) - expected).abs().max()
        assert error <= 2e-6 * expected.abs().max(), name
