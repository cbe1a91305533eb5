"""The least that encodings which look at content cost in a training step: the operations that their definitions need
beside attention without positions, forward and backward, with nothing around them.

python benchmarks/floors.py [--size small|larger] [--rounds 40]

One thread, process time, rounds in turn with a step of nope by benchmarks/step.py; printed are milliseconds of a layer,
and what a step of nope with them in every layer would cost in steps of nope. They are what PyTorch has for these
numbers: products with the vectors of all pairs as they lie in memory, without the gradient of a table; a sum along rows
and two picks per pair, without masks; triangular systems and the products around them.
"""

import argparse
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from side_by_side import compare
from step import SIZES, logits_of, network_and_data, stepping
from torch import Tensor

from harness.composition.compose import composer
from harness.system import allocation


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--rounds", type=int, default=40)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    allocation.keep_freed()
    size = SIZES[arguments.size]
    with composer() as hydra:
        model, batches = network_and_data(hydra, "nope", size, 1)
    tokens = batches[0][0].shape[1]
    work: dict[str, Callable[[], object]] = {"nope": stepping(model, logits_of(model), batches)}
    work |= operations(size.batch, 4, tokens, size.width // 4)
    seconds = compare(work, arguments.rounds)
    step = seconds.pop("nope")
    print(f"width {size.width}, {size.layers} layers, {size.batch} x {tokens} tokens: nope {step * 1e3:.1f} ms")
    for name, value in seconds.items():
        print(f"  {name:<52} {value * 1e3:6.2f} ms  {1 + size.layers * value / step:5.2f}")


def operations(sequences: int, heads: int, tokens: int, width: int) -> dict[str, Callable[[], object]]:
    """By what they are for."""
    q, k, w = torch.randn(3, sequences, heads, tokens, width)
    logits, system = torch.randn(2, sequences, heads, tokens, tokens)
    some, others = torch.randn(2, heads, tokens, width, tokens)
    products = torch.randn(sequences, heads, tokens, tokens + 1)
    row = torch.randint(0, tokens, logits.shape)

    def with_keys(q: Tensor, vectors: Tensor) -> Tensor:
        return torch.einsum("bhid,hidj->bhij", q, vectors)

    def weighted(weights: Tensor, vectors: Tensor) -> Tensor:
        return torch.einsum("bhij,hidj->bhid", weights, vectors)

    def counted(logits: Tensor, products: Tensor) -> Tensor:
        sums = torch.sigmoid(logits).flip(-1).cumsum(-1).flip(-1)
        return torch.lerp(products[..., :-1].gather(-1, row), products[..., 1:].gather(-1, row), sums)

    def solved(system: Tensor, w: Tensor, q: Tensor, k: Tensor) -> Tensor:
        between = torch.linalg.solve_triangular(system, w @ k.mT, upper=False, unitriangular=True)
        return (q @ w.mT) @ between

    return {
        "queries and keys, once more": trained(lambda q, k: [q @ k.mT], q, k),
        "softmax": trained(lambda logits: [F.softmax(logits, dim=-1)], logits),
        "transformer_xl: queries and vectors of pairs": trained(lambda *given: [with_keys(*given)], q, some),
        "deberta: queries and keys with vectors of pairs": trained(
            lambda q, k, some, others: [with_keys(q, some), with_keys(k, others)], q, k, some, others
        ),
        "shaw: queries and weights with vectors of pairs": trained(
            lambda q, weights, some, others: [with_keys(q, some), weighted(weights, others)], q, logits, some, others
        ),
        "cope: a sum along rows, two picks per pair": trained(lambda *given: [counted(*given)], logits, products),
        "path: triangular systems and four products": trained(
            lambda system, w, q, k: [w @ w.mT, solved(system, w, q, k)], 0.2 * system.tril(-1), w, q, k
        ),
    }


def trained(forward: Callable[..., list[Tensor]], *inputs: Tensor) -> Callable[[], object]:
    """A call forward and backward, with gradients of all inputs."""
    leaves: Any = [x.clone().requires_grad_() for x in inputs]
    gradients = [torch.randn_like(x) for x in forward(*leaves)]
    return lambda: torch.autograd.grad(forward(*leaves), leaves, gradients)


if __name__ == "__main__":
    main()
