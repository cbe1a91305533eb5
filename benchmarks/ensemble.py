"""What training several seeds as one program costs, beside as many runs by themselves.

python benchmarks/ensemble.py [--shapes 16x1x4x8 32x2x32x20 ...] [--members 1 4 16] [--encodings rope] [--rounds 5]

A shape is width x layers x batch x longest length of copy. Forward, backward, clipping and AdamW in both, without
data, Lightning and looks; float32, one CPU thread or the GPU if there is one, process time, rounds in turn. Each line
gives the time of one step of all members relative to one step of one run by itself, and how many times as fast as one
after the other that is. ``work`` is what ``launcher.members=auto`` decides by (harness/launch/members.py).
"""

import argparse
import copy
from collections.abc import Callable

import torch
import torch.nn.functional as F
from side_by_side import compare

from harness.composition.compose import composer
from harness.config.schema import Run
from harness.data.training_examples import TrainingBatch
from harness.launch import members as grouping
from harness.runs.job import Job, build, training_data
from harness.system.distributed import World
from harness.training import member_batches
from harness.training.stack import Stack

SHAPES = ("16x1x4x8", "16x2x8x10", "16x2x32x20", "32x2x8x20", "32x2x32x20", "64x3x32x20")
HEADS = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="+", default=list(SHAPES))
    parser.add_argument("--members", nargs="+", type=int, default=[4, 8, 16])
    parser.add_argument("--encodings", nargs="+", default=["rope"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(torch.cuda.get_device_name() if device.type == "cuda" else "one CPU thread")
    print(f"{'encoding':<14} {'shape':<14} {'work':>8} {'members':>8} {'alone':>10} {'times one':>10} {'gain':>6}")
    with composer() as hydra:
        for encoding in arguments.encodings:
            for shape in arguments.shapes:
                width, layers, batch, longest = (int(part) for part in shape.split("x"))
                words = [
                    f"encoding={encoding}", f"model.dimension={width}", f"model.heads={HEADS}",
                    f"model.layers={layers}", f"train.batch={batch}", f"lengths.train={longest}", "task=copy",
                    f"trainer={'gpu' if device.type == 'cuda' else 'cpu'}",
                ]  # fmt: skip
                runs = [hydra.run([*words, f"seed={seed}"]) for seed in range(max(arguments.members))]
                _line(runs, arguments.members, arguments.steps, arguments.rounds, device, f"{encoding:<14} {shape:<14}")


def _line(runs: list[Run], counts: list[int], steps: int, rounds: int, device: torch.device, what: str) -> None:
    jobs = [build(run, World()) for run in runs]
    batches = []
    for job in jobs:
        data = training_data(job, 1)
        data.multiple = data.width
        batches.append([member_batches.on(data(step), device) for step in range(steps)])
    variants: dict[str, Callable[[], None]] = {"one": _alone(jobs[0], batches[0], device)}
    for count in counts:
        variants[str(count)] = _together(jobs[:count], batches[:count], device)
    medians = compare(variants, rounds)
    one = medians["one"]
    work = grouping.work(runs[0]) / 1e6
    for name, seconds in medians.items():
        times, count = seconds / one, 1 if name == "one" else int(name)
        alone = f"{one / steps * 1e3:7.2f} ms" if name == "one" else ""
        print(f"{what} {work:7.2f}M {name:>8} {alone:>10} {times:9.2f}x {count / times:5.2f}x", flush=True)


def _alone(job: Job, batches: list[TrainingBatch], device: torch.device) -> Callable[[], None]:
    model, settings = copy.deepcopy(job.model).to(device), job.run.train
    optimizer = job.optimization.optimizer.build(model, settings)

    def steps() -> None:
        for batch in batches:
            logits = model.readout(model(batch.tokens, batch.positions).flatten(0, 1)[batch.scored])
            loss = F.cross_entropy(logits.float(), batch.targets, reduction="sum") / batch.total
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip)
            optimizer.step()
            optimizer.zero_grad()
        _wait(device)

    return steps


def _together(jobs: list[Job], batches: list[list[TrainingBatch]], device: torch.device) -> Callable[[], None]:
    models = [copy.deepcopy(job.model).to(device) for job in jobs]
    stack = Stack(models, jobs[0].run.train, jobs[0].optimization, seeds=[job.run.seed for job in jobs])

    def steps() -> None:
        for number in range(len(batches[0])):
            stack.train([own[number] for own in batches])
        _wait(device)

    return steps


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
