"""Times variants of the same work in turn, round after round, so that a machine that slows down slows all of them."""

import statistics
import time
from collections.abc import Callable


def compare(variants: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median process seconds of each variant over interleaved rounds, after one that is not counted."""
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for round_number in range(rounds + 1):
        for name, work in variants.items():
            start = time.process_time()
            work()
            if round_number:
                seconds[name].append(time.process_time() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def printed(title: str, medians: dict[str, float]) -> None:
    """A line per variant: milliseconds, and the ratio to the first."""
    base = next(iter(medians.values()))
    print(title)
    for name, value in medians.items():
        print(f"  {name:<32} {value * 1e3:10.1f} ms  {value / base:6.2f}x")
