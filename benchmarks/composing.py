"""CPU seconds in which a thousand cells of a sweep are composed and validated, beside Hydra composing each of them.

python benchmarks/composing.py [--cells 10000] [--alone 40] [--rounds 3]

Cells are composed as a sweep does it, in a fresh composer each time, with the Hydra compositions that this needs and
the names of the records. Some of them, evenly spread, are composed one by one by Hydra in turn with that.
"""

import argparse
import statistics
import time
from collections.abc import Sequence

from harness.composition.compose import composer
from harness.config.schema import Run
from harness.errors import Refused
from harness.launch.cells import cell

ENCODINGS = "encoding=nope,rope,alibi,t5,fire,cope,path,sinusoidal,learned,fox"
TASKS = "task=copy,reverse,addition,sort_symbols,scan,dyck,parity,mqar,listops,flip_flop"
SWEEPS = {
    "2 encodings, 2 tasks, 2 rates, seeds": (
        *("encoding=rope,alibi", "task=copy,reverse", "train.learning_rate=1e-3,3e-4"),
        "seed=range(1250)",
    ),
    "10 encodings, 10 tasks, 100 seeds": (ENCODINGS, TASKS, "seed=range(100)"),
    "10 encodings, 10 tasks, 10 rates, 10 batches": (
        *(ENCODINGS, TASKS, "train.learning_rate=range(0.001,0.011,0.001)"),
        "train.batch=range(8,88,8)",
    ),
    "study=kazemnejad2023": ("study=kazemnejad2023",),
    "study=core": ("study=core",),
}


def together(words: Sequence[str], most: int) -> tuple[float, int, list[list[str]]]:
    """Seconds that composing a sweep takes, the number of its cells, and the cells."""
    start = time.process_time()
    with composer() as hydra:
        cells = hydra.cells(words)[:most]
        for one in cells:
            attempt = hydra.attempt(one)
            if isinstance(attempt, Run):
                cell(one, attempt)
        return time.process_time() - start, len(cells), cells


def alone(cells: Sequence[list[str]]) -> float:
    """Seconds that Hydra takes to compose these cells, each by itself, without what an earlier one has composed."""
    start = time.process_time()
    for words in cells:
        with composer() as hydra:
            try:
                cell(words, hydra.run(words))
            except Refused:
                continue
    return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=10_000, help="at most so many of a sweep")
    parser.add_argument("--alone", type=int, default=40, help="so many of them are composed by Hydra")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print("sweep | cells | s | s per 1,000 | s per 1,000 by Hydra | ratio")
    for name, words in SWEEPS.items():
        rounds = []
        for _ in range(arguments.rounds):
            seconds, count, cells = together(words, arguments.cells)
            some = cells[:: max(1, count // arguments.alone)]
            rounds.append((seconds, 1000 * seconds / count, 1000 * alone(some) / len(some)))
        whole, each, single = (statistics.median(column) for column in zip(*rounds, strict=True))
        ratio = statistics.median(one[2] / one[1] for one in rounds)
        print(f"{name} | {count:,} | {whole:.1f} | {each:.2f} | {single:.0f} | {ratio:.0f}", flush=True)


if __name__ == "__main__":
    main()
