"""The evidence by which tasks are chosen for a leaderboard: do they tell methods apart, and by more than chance?

    python benchmarks/candidates.py results/core results/core_candidates

Every task of the folders gets a row in Markdown. *Spread* is the standard deviation between the methods' mean scores
beyond training, *noise* that between the seeds of one method, pooled over methods. *Signal* is the share of the
variance between the methods' means that is not noise: 1 - noise squared / (seeds x spread squared), at least 0; near 0
the order of methods is that of their seeds. *Shortcut* is the best score of a listed shortcut or of a guess, and
*explained* that score as a share of the best method's. A task is worth its place if methods learn it, if the spread is
wide and mostly signal, and if no shortcut explains the best score.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import pandas as pd

import harness

COLUMNS = ("task", "methods", "seeds", "converged", "spread", "noise", "signal", "best", "shortcut", "explained")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="folders of records")
    found = harness.load(*parser.parse_args().folders)
    board = found.leaderboard()
    rows = [_row(task, of_task) for task, of_task in board.groupby("task", sort=False)]
    for row in (COLUMNS, ["---"] * len(COLUMNS), *rows):
        print(f"| {' | '.join(row)} |")


def _row(task: str, of_task: pd.DataFrame) -> list[str]:
    methods = of_task[(of_task.kind == "method") & of_task.score.notna()]
    guesses = of_task[(of_task.kind == "baseline") & (of_task.method != "(oracle)")]
    several = methods[methods.seeds > 1]
    freedom = several.seeds - 1
    spread = methods.score.std()
    noise = math.sqrt((several.score_deviation**2 * freedom).sum() / freedom.sum()) if len(several) else math.nan
    signal = np.maximum(1 - noise**2 / (methods.seeds.mean() * spread**2), 0) if spread > 0 else 0.0
    best, shortcut = methods.score.max(), guesses.score.max()
    converged, seeds = int(methods.converged.sum()), int(methods.seeds.sum())
    fewest, most = int(methods.seeds.min()), int(methods.seeds.max())
    return [
        str(task),
        str(len(methods)),
        str(most) if fewest == most else f"{fewest} to {most}",
        f"{converged}/{seeds}",
        *(_number(value) for value in (spread, noise, signal, best, shortcut)),
        _number(min(1.0, shortcut / best) if best > 0 else math.nan),
    ]


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}".removeprefix("0")


if __name__ == "__main__":
    main()
