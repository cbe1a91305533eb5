"""What compiling, bfloat16 and the explicit kernel do to a training step on the CPU.

python benchmarks/compiled.py [--size small|larger] [--encoding rope] [--rounds 15] [--only NAME ...]

The same batch of one width, loss, clipping and AdamW for all; one thread, process time, rounds in turn, ratios to eager
float32 with the kernel that training takes. The last column is what the first step takes, the compiler's processes
included: start with an empty TORCHINDUCTOR_CACHE_DIR to see what a cold cache costs.
"""

import argparse
import os
from collections.abc import Callable

import torch
from side_by_side import compare
from step import SIZES, stepping
from torch import Tensor

from harness.attention import kernels
from harness.attention.module import Attending
from harness.composition.compose import composer
from harness.config import identity, instantiation, network
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.models.base import Model
from harness.training.compilation import Forward, compiled

VARIANTS = {
    f"{how} {precision}, {kernel} kernel": (how == "compiled", precision == "bf16", kernel == "explicit")
    for how in ("eager", "compiled")
    for precision in ("float32", "bf16")
    for kernel in ("fused", "explicit")
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--encoding", default="rope")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=list(VARIANTS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    size = SIZES[arguments.size]
    with composer() as hydra:
        run = hydra.run([*size.settings(), f"encoding={arguments.encoding}"])
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=size.batch)
    batches = [data(0)]
    variants: dict[str, Callable[[], object]] = {}
    first: dict[str, float] = {}
    for name in dict.fromkeys([next(iter(VARIANTS)), *arguments.only]):
        compiles, low, explicit = VARIANTS[name]
        torch.manual_seed(0)
        model = network.model(run, task, layout)
        for module in model.modules() if explicit else ():
            if isinstance(module, Attending):
                module.kernel = kernels.explicit
        forward: Forward = compiled(model) if compiles else model

        def logits(batch: TrainingBatch, model: Model = model, forward: Forward = forward, low: bool = low) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, enabled=low):
                hidden = forward(batch.tokens, batch.positions)
                return model.readout(hidden.flatten(0, 1)[batch.scored]).float()

        variants[name] = stepping(model, logits, batches)
        before = seconds()
        variants[name]()
        first[name] = seconds() - before
        print(f"first step {first[name]:6.1f} s  {name}", flush=True)
    medians = compare(variants, arguments.rounds)
    base = next(iter(medians.values()))
    print(f"per step, {arguments.encoding}, width {size.width}, {batches[0].tokens.shape[1]} tokens")
    for name, value in medians.items():
        print(f"  {name:<34} {value * 1e3:8.1f} ms  {value / base:5.2f}x  first step {first[name]:6.1f} s")


def seconds() -> float:
    """Processor seconds of this process and of those that it started and that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
