"""What attention to one long sequence costs with each relative encoding, in time and in memory, against none.

python benchmarks/long_evaluation.py [--lengths 8192 32768] [--encodings t5 alibi ...] [--rounds 3] [--closed]

One layer of attention without projections, one sequence, four heads of 32 channels, causal, forward, float32, one
thread, process time, interleaved rounds. Memory is the most that a process of its own holds during a call, looked up
every 2 ms in Linux's /proc, less what it holds before. With ``--closed`` queries and keys point away from each other,
so that gates which open by a logit stay closed: the worst case of cope and stick_breaking, which otherwise need only
look at near keys.
"""

import argparse
import multiprocessing
import resource
import threading
from collections.abc import Callable
from pathlib import Path

import torch
from side_by_side import compare, printed

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend
from harness.attention.positions import Positions
from harness.composition.compose import composer
from harness.config import instantiation, network
from harness.mixers.attention import Attention
from harness.system import allocation

CONTENT_FREE = ("rope", "alibi", "t5", "kerple_log", "kerple_power", "sandwich")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lengths", type=int, nargs="+", default=[8192, 32768])
    parser.add_argument("--encodings", nargs="+", default=list(CONTENT_FREE))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--closed", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    allocation.keep_freed()
    names = list(dict.fromkeys(["nope", *arguments.encodings]))
    for length in arguments.lengths:
        medians = compare({name: attention(name, length, arguments.closed) for name in names}, arguments.rounds)
        printed(f"length {length}", medians)
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            peaks = [pool.apply(peak, (name, length, arguments.closed)) for name in names]
        print("  extra memory: " + ", ".join(f"{name} {mib:.0f} MiB" for name, mib in zip(names, peaks, strict=True)))


def attention(name: str, length: int, closed: bool = False) -> Callable[[], object]:
    """Attention of one sequence with the encoding of this choice; ``closed``: all logits far below 0."""
    with composer() as hydra:
        run = hydra.run([
            f"encoding={name}", "task=copy", "model.dimension=128", "model.heads=4", "model.layers=1", "trainer=cpu",
        ])  # fmt: skip
    task = instantiation.task(run)
    model = network.model(run, task, instantiation.layout(run, task))
    layer = next(module for module in model.modules() if isinstance(module, Attention))
    positions = Positions(torch.arange(length)[None], True)
    x = torch.randn(1, length, 128)
    q, k, v = torch.randn(3, 1, 4, length, 32)
    if closed:
        q, k = 3 * q.abs(), -3 * k.abs()

    def call() -> torch.Tensor:
        with torch.inference_mode():
            state = layer.encoding.state(x, positions.values) if layer.encoding.uses("state") else {}
            return attend(AttentionInputs.of(q, k, v, positions, layer.encoding, layer.logit, causal=True, state=state))

    return call


def peak(name: str, length: int, closed: bool = False) -> float:
    """How much more memory a call takes at once than there was before it, MiB."""
    torch.set_num_threads(1)
    attention(name, 256)()  # so that the libraries' own buffers are there
    call = attention(name, length, closed)
    seen = [held()]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.002):
            seen.append(held())

    watching = threading.Thread(target=watch)
    watching.start()
    call()
    done.set()
    watching.join()
    return max(seen) - seen[0]


def held() -> float:
    """What this process holds in RAM, MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20


if __name__ == "__main__":
    main()
