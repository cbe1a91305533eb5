"""How fast every task makes its training data, beside what a training step on it costs.

python benchmarks/task_data.py [task ...] [--size tiny] [--rounds 3]

One thread, process time. First the sampler alone, as training draws from it: a few examples of each length at a time;
then with the examples laid out and their positions. Data is made ahead in the background while the model trains: as
long as its share of a step is below 100 % on a free core, training never waits.
"""

import argparse
import itertools

import torch
import torch.nn.functional as F
from side_by_side import compare

from harness.composition.compose import composer
from harness.config import catalogue, identity, instantiation, network
from harness.config.schema import Run
from harness.data.training_examples import TrainingData, examples


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", default=[choice.name for choice in catalogue.choices("task")])
    parser.add_argument("--size", default="tiny")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    step_of = f"step, model={arguments.size}"
    print(f"{'task':<28} {'sampled/s':>12} {'laid out/s':>12} {'data of a step':>15} {step_of:>18} {'share':>7}")
    for name in arguments.tasks:
        with composer() as hydra:
            run = hydra.run([f"task={name}", f"model={arguments.size}", "trainer=cpu"])
        sampled, data, step = measured(run, arguments.rounds)
        per_step = data * run.train.batch
        print(
            f"{name:<28} {1 / sampled:>12,.0f} {1 / data:>12,.0f} {per_step * 1e3:>12.2f} ms {step * 1e3:>15.1f} ms "
            f"{per_step / step:>7.1%}",
            flush=True,
        )


def measured(run: Run, rounds: int) -> tuple[float, float, float]:
    """Seconds that an example takes to sample, and to make, arranged and with its positions, and seconds of a step."""
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=run.train.batch)
    torch.manual_seed(0)
    model = network.model(run, task, layout)
    optimizer = torch.optim.AdamW(model.parameters(), lr=run.train.learning_rate, fused=True)
    batches = [data(step) for step in range(4)]
    numbers = itertools.count()

    def steps() -> None:
        for tokens, positions, scored, targets, _ in batches:
            logits = model.readout(model(tokens, positions).flatten(0, 1)[scored])
            F.cross_entropy(logits, targets).backward()
            optimizer.step()
            optimizer.zero_grad()

    medians = compare(
        {
            "sampled": lambda: list(examples(task, lengths, seed=0, block=next(numbers))),
            "data": lambda: data._make_block(next(numbers)),
            "steps": steps,
        },
        rounds,
    )
    return medians["sampled"] / data.block, medians["data"] / data.block, medians["steps"] / len(batches)


if __name__ == "__main__":
    main()
