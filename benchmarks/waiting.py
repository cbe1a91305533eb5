"""What it costs that the threads of PyTorch spin while they wait for each other, on a machine that has other work.

python benchmarks/waiting.py [--spin default 0 5000] [--threads 2] [--beside 4] [--first] [--rounds 9] [--steps 10]

A process for each length of spinning (the variable GOMP_SPINCOUNT of GNU's OpenMP, which PyTorch uses on Linux; 0 is
what OMP_WAIT_POLICY=passive does) and one with a single thread train the small network of ``step.py``, one after the
other, round after round. ``--beside``: so many processes that only count keep the machine busy. ``--first``: the
process whose turn it is has all processors, by real-time priority, as on a quiet machine; for root, and some 6 steps at
most, because Linux lets no such process run for a whole second.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from harness.system import waiting

DEFAULT = "default"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spin", nargs="+", default=[DEFAULT, "0", str(waiting.SPINS)])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--beside", type=int, default=0)
    parser.add_argument("--first", action="store_true")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=10)
    arguments = parser.parse_args()
    processes = multiprocessing.get_context("spawn")
    lines: dict[str, Connection] = {}
    for name in ("one thread", *arguments.spin):
        threads = 1 if name == "one thread" else arguments.threads
        os.environ.pop(waiting.VARIABLE, None)
        if name.isdecimal():
            os.environ[waiting.VARIABLE] = name
        lines[name], theirs = processes.Pipe()
        processes.Process(target=train, args=(theirs, threads, arguments.steps, arguments.first), daemon=True).start()
        lines[name].recv()
    for _ in range(arguments.beside):
        processes.Process(target=count, daemon=True).start()
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
    for _ in range(arguments.rounds):
        for name, line in lines.items():
            line.send(True)
            seconds[name].append(line.recv())
    for line in lines.values():
        line.send(False)
    base = seconds[arguments.spin[0]]
    print(f"{arguments.steps} steps, {arguments.threads} threads, {arguments.beside} processes beside")
    for name, taken in seconds.items():
        clock, used = (statistics.median(values) for values in zip(*taken, strict=True))
        ratio = statistics.median(own[0] / first[0] for own, first in zip(taken, base, strict=True))
        print(f"  {name:<12} {clock:7.3f} s by the clock, {ratio:5.2f} of {arguments.spin[0]}, {used:7.3f} s of CPU")


def train(line: Connection, threads: int, steps: int, first: bool) -> None:
    """Train so many steps whenever told to, and tell the seconds by the clock and of CPU."""
    work = small_step(threads)
    work()
    line.send(None)
    while line.recv():
        if first:
            prioritise(os.SCHED_RR, 1)
        clock, used = time.perf_counter(), time.process_time()
        for _ in range(steps):
            work()
        taken = time.perf_counter() - clock, time.process_time() - used
        if first:
            prioritise(os.SCHED_OTHER, 0)
            time.sleep(0.5)
        line.send(taken)


def small_step(threads: int) -> Callable[[], None]:
    import torch
    from step import SIZES, stepping
    from torch import Tensor

    from harness.composition.compose import composer
    from harness.config import identity, instantiation, network
    from harness.data.training_examples import TrainingBatch, TrainingData

    torch.set_num_threads(threads)
    size = SIZES["small"]
    with composer() as hydra:
        run = hydra.run([*size.settings(), "encoding=rope"])
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    batch = TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=size.batch)(0)
    model = network.model(run, task, layout)

    def logits(batch: TrainingBatch) -> Tensor:
        return model.readout(model(batch[0], batch[1]).flatten(0, 1)[batch[2]])

    return stepping(model, logits, [batch])


def prioritise(policy: int, priority: int) -> None:
    """Give all threads of this process this kind of scheduling."""
    for thread in os.listdir("/proc/self/task"):
        os.sched_setscheduler(int(thread), policy, os.sched_param(priority))


def count() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
