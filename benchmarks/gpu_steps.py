"""Steps per second of training on a GPU: a run, a bare loop, and a bare loop in one CUDA graph.

python benchmarks/gpu_steps.py [--size tiny] [--steps 300] [--precision bf16-mixed]

The graph replays one step on one batch that lies on the GPU already, so nothing waits for the processor: what the run
reaches of its rate is what Python, Lightning and the making of data leave.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.composition.compose import composer
from harness.config import identity, instantiation, network
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.training import loop


def rate(work: Callable[[], object], steps: int) -> float:
    """Steps per second of the work, which takes so many, on a GPU that has done them before."""
    torch.cuda.synchronize()
    start = time.monotonic()
    work()
    torch.cuda.synchronize()
    return steps / (time.monotonic() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--precision", default="bf16-mixed", choices=["bf16-mixed", "32-true"])
    arguments = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("this compares ways to train on a GPU, and PyTorch sees none here")
    steps = arguments.steps
    with composer() as hydra:
        words = [
            "trainer=gpu",
            f"model={arguments.size}",
            f"train.steps={steps}",
            f"train.precision={arguments.precision}",
        ]
        run = hydra.run(words)
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)

    def data() -> TrainingData:
        return TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=run.train.batch)

    def training(compile: bool) -> None:
        with tempfile.TemporaryDirectory() as folder:
            model = network.model(run, task, layout)
            loop.train(
                model, data(), run.train, run.trainer, seed=0, checkpoints=Path(folder), loggers=[], compile=compile
            )

    def on_gpu(batch: TrainingBatch) -> TrainingBatch:
        device = torch.device("cuda")
        moved = (batch.scored.to(device), batch.targets.to(device))
        return TrainingBatch(batch.tokens.to(device), batch.positions.to(device), *moved, batch.total)

    model = network.model(run, task, layout).cuda()
    optimizer = torch.optim.AdamW(model.parameters(), lr=run.train.learning_rate, fused=True, capturable=True)

    def step(batch: TrainingBatch) -> Tensor:
        with torch.autocast("cuda", torch.bfloat16, enabled=arguments.precision == "bf16-mixed"):
            logits = model.readout(model(batch.tokens, batch.positions).flatten(0, 1)[batch.scored])
        loss = F.cross_entropy(logits.float(), batch.targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), run.train.clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return loss

    one = on_gpu(data()(0))
    beside = torch.cuda.Stream()
    with torch.cuda.stream(beside):
        for _ in range(5):
            step(one)
    torch.cuda.current_stream().wait_stream(beside)

    def bare() -> None:
        for _ in range(steps):
            step(one)

    rates = {"bare loop on one batch": rate(bare, steps)}
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step(one)

    def replayed() -> None:
        for _ in range(steps):
            graph.replay()

    rates["the same as a CUDA graph"] = rate(replayed, steps)
    for compile in (False, True):
        training(compile)
        rates[f"training of a run{', compiled' if compile else ''}"] = rate(lambda c=compile: training(c), steps)
    most = rates["the same as a CUDA graph"]
    print(f"model={arguments.size} train.precision={arguments.precision}, {torch.cuda.get_device_name()}")
    for name, value in rates.items():
        print(f"  {name:<32} {value:9.1f} steps/s  {value / most:6.2f}x")


if __name__ == "__main__":
    main()
