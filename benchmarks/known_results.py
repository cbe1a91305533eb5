"""Whether architectures without attention do what is known of them: ``python benchmarks/known_results.py [NAME ...]``.

Trains each on 1 to 40 symbols and tests up to 500, as Deletang et al. (2023), arXiv 2207.02098, do, but for minutes on
a CPU instead of a million steps: recurrent networks learn regular languages, and with a stack deterministic
context-free ones (their table 1). Runs are kept in results/known and not repeated.

Measured with PyTorch 2.13 on a shared CPU core, exact match at 500: rnn and lstm on parity, rnn on cycle_navigation and
stack_rnn on reverse_string 1.00; lstm on cycle_navigation 0.97 at 40 and 0.33 at 500; lstm on reverse_string 0.88 at 20
and 0.00 at 40. The others were not measured.
"""

import sys

import harness

COMMON = (
    "encoding=nope",
    "model=tiny",
    "model.layers=1",
    "lengths.shortest=1",
    "lengths.train=40",
    "lengths.grid=[10,20,40,50,60,80,100,200,500]",
    "train=quick",
    "trainer=cpu",
    "evaluation.examples=64",
    "results=results/known",
)
CELLS = {
    "rnn_parity": ("architecture=rnn", "task=parity", "train.steps=5000"),
    "lstm_parity": ("architecture=lstm", "task=parity", "train.steps=5000"),
    "gru_parity": ("architecture=gru", "task=parity", "train.steps=5000"),
    "rnn_cycle": ("architecture=rnn", "task=cycle_navigation", "train.steps=5000"),
    "lstm_cycle": ("architecture=lstm", "task=cycle_navigation", "train.steps=5000"),
    "lstm_reverse": ("architecture=lstm", "task=reverse_string", "train.steps=5000"),
    "stack_rnn_reverse": ("architecture=stack_rnn", "task=reverse_string", "train.steps=2000"),
    "tape_rnn_duplicate": ("architecture=tape_rnn", "task=duplicate_string", "train.steps=2000"),
}


def main(names: list[str]) -> None:
    """Train and print the named cells, or all."""
    unknown = sorted(set(names) - set(CELLS))
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}. There are: {', '.join(CELLS)}")
    for name in names or CELLS:
        record = harness.run(*COMMON, *CELLS[name]).record
        shares = "  ".join(f"{score.length}: {score.exact / score.examples:.2f}" for score in record.scores)
        seconds = record.cost.training_seconds if record.cost else 0.0
        print(f"{name:<20} {seconds:6.0f} s  exact match {shares}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
