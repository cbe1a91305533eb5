"""What a bias by distance costs at long lengths: ours against a materialised mask and against no bias at all.

python benchmarks/attention_bias.py [--lengths 1024 2048 4096] [--rounds 5]

One layer, one sequence, four heads of 32 channels, causal, forward, one thread, process time.
"""

import argparse
from collections.abc import Callable

import torch
import torch.nn.functional as F
from side_by_side import compare, printed

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend, explicit
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.alibi import ALiBi
from harness.encodings.nope import NoPE
from harness.encodings.t5 import T5
from harness.logits.standard import Standard

DIMENSIONS = Dimensions(d_model=128, n_heads=4, n_layers=1, train_tokens=42)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[1024, 2048, 4096])
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    nope, alibi, t5, logit = NoPE(DIMENSIONS), ALiBi(DIMENSIONS), T5(DIMENSIONS), Standard(DIMENSIONS)
    for length in arguments.lengths:
        q, k, v = torch.randn(3, 1, DIMENSIONS.n_heads, length, DIMENSIONS.head_dim)
        where = Positions(torch.arange(length)[None], True)

        def kernel(
            encoding: NoPE | ALiBi | T5, call: Callable = attend, q: torch.Tensor = q, k: torch.Tensor = k,
            v: torch.Tensor = v, where: Positions = where,
        ) -> Callable[[], object]:  # fmt: skip
            return lambda: call(AttentionInputs.of(q, k, v, where, encoding, logit, causal=True, state={}))

        def materialised(
            q: torch.Tensor = q,
            k: torch.Tensor = k,
            v: torch.Tensor = v,
            where: Positions = where,
            length: int = length,
        ) -> torch.Tensor:
            mask = t5.bias(where.values, where.values)
            mask = mask.masked_fill(torch.ones(length, length, dtype=torch.bool).triu(1), -torch.inf)
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)

        with torch.inference_mode():
            medians = compare(
                {
                    "no bias": kernel(nope),
                    "alibi": kernel(alibi),
                    "t5": kernel(t5),
                    "t5, materialised mask": materialised,
                    "t5, explicit": kernel(t5, explicit),
                },
                arguments.rounds,
            )
        printed(f"length {length}", medians)


if __name__ == "__main__":
    main()
