"""Whether architectures do what is known of them: ``python benchmarks/known_results.py [NAME ...]``.

The first cells train on 1 to 40 symbols and test up to 500, as Deletang et al. (2023), arXiv 2207.02098, do, but for
minutes on a CPU instead of a million steps: recurrent networks learn regular languages, and with a stack deterministic
context-free ones, where a Transformer's encoder stays near chance (their table 1). The last two train BERT (Devlin et
al., 2019) on pairs of 128 tokens of Python's standard library and test up to 512. Runs are kept in results/known and
not repeated.

Measured with PyTorch 2.13 on a shared CPU core, one seed, share of right answers (blind knows length and place only):

- At length 500: rnn and lstm on parity, rnn on cycle_navigation and stack_rnn on reverse_string 1.00; lstm on
  cycle_navigation 0.97 at 40 and 0.33 at 500; lstm on reverse_string 0.88 at 20 and 0.00 at 40; the encoder on parity
  0.51 beyond 40, after 2,500 steps.
- bert_next_sentence 0.72, 0.66 and 0.73 at 128, 256 and 512, of 256 pairs each; blind 0.49, 0.49 and 0.50; word
  overlap 0.79 beyond 128.
- bert_masked_tokens 0.37, 0.36 and 0.36; blind 0.29.
- The others were not measured.
"""

import sys

import harness

COMMON = ("train=quick", "trainer=cpu", "launcher.threads=1", "results=results/known")
TO_500 = (
    "model=tiny",
    "lengths.shortest=1",
    "lengths.train=40",
    "lengths.grid=[10,20,40,50,60,80,100,200,500]",
    "evaluation.examples=64",
)
RECURRENT = (*TO_500, "encoding=nope", "model.layers=1")
BERT = (
    "architecture=bert",
    "architecture.dropout=0.0",
    "encoding=learned",
    "encoding.rows=2048",
    "lengths.grid=[128,256,512]",
    "train.learning_rate=0.001",
    "train.warmup=300",
)
CELLS = {
    "rnn_parity": (*RECURRENT, "architecture=rnn", "task=parity", "train.steps=5000"),
    "lstm_parity": (*RECURRENT, "architecture=lstm", "task=parity", "train.steps=5000"),
    "gru_parity": (*RECURRENT, "architecture=gru", "task=parity", "train.steps=5000"),
    "encoder_parity": (
        *TO_500, "architecture=chomsky_encoder", "encoding=sinusoidal", "task=parity", "train.steps=5000",
    ),
    "rnn_cycle": (*RECURRENT, "architecture=rnn", "task=cycle_navigation", "train.steps=5000"),
    "lstm_cycle": (*RECURRENT, "architecture=lstm", "task=cycle_navigation", "train.steps=5000"),
    "lstm_reverse": (*RECURRENT, "architecture=lstm", "task=reverse_string", "train.steps=5000"),
    "stack_rnn_reverse": (*RECURRENT, "architecture=stack_rnn", "task=reverse_string", "train.steps=2000"),
    "tape_rnn_duplicate": (*RECURRENT, "architecture=tape_rnn", "task=duplicate_string", "train.steps=2000"),
    "bert_next_sentence": (*BERT, "task=next_sentence", "task.unit=wordpiece", "train.steps=6000"),
    "bert_masked_tokens": (*BERT, "task=masked_tokens", "train.steps=2000"),
}  # fmt: skip


def main(names: list[str]) -> None:
    """Train and print the named cells, or all."""
    unknown = sorted(set(names) - set(CELLS))
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}. There are: {', '.join(CELLS)}")
    for name in names or CELLS:
        record = harness.run(*COMMON, *CELLS[name]).record
        exact = record.task.metric == "exact_match"
        shares = "  ".join(
            f"{row.length}: {row.exact / row.examples if exact else row.correct / row.tokens:.2f}"
            for row in record.scores
        )
        blind = record.blind[-1]
        share = blind.exact / blind.examples if exact else blind.correct / blind.tokens
        seconds = record.cost.training_seconds if record.cost else 0.0
        print(f"{name:<20} {seconds:6.0f} s  {shares}  blind: {share:.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
