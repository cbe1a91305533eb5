"""Tables of counts that were made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.errors import Refused

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = (
    "task_id", "method_id", "encoding", "positions", "extension", "logit", "architecture", "mixer", "guess",
    "above_guess", "farther", "farther_share", "parameters", "steps", "examples", "training_tokens",
    "training_positions", "training_flops", "training_seconds", "unsealed", "task_version", "record", "family",
    "evaluation_seconds", "peak_memory_bytes", "dimension", "heads", "layers", "batch", "learning_rate", "optimizer",
    "schedule", "encoding_options", "trials", "learning_rates_tried", "version", "commit", "device",
)  # fmt: skip
"""Columns of the tables of records that counts alone do not have."""


def leaderboard(counts: pd.DataFrame) -> pd.DataFrame:
    """Rank methods by counts from anywhere, as ``python -m harness leaderboard`` ranks those of its own records: a row
    for each task and method, best first, with intervals over seeds and the ranks that these leave possible::

        counts = pandas.DataFrame(rows, columns=["method", "seed", "length", "examples", "exact"])
        harness.leaderboard(counts.assign(train_length=20))

    ``counts`` has a row for each method, seed and tested length:

    - ``method``: its name; ``seed``: which run of it, a whole number;
    - ``length``: the tested length; ``train_length``: the longest length trained on, the same for a whole task. Some
      lengths must be up to it, because a method that has not learned these has no rank, and some beyond it;
    - ``examples``: how many were tested; ``exact``: how many of them were answered right as a whole;
    - ``tokens`` and ``correct`` (optional): how many tokens were scored, and how many of them were right;
    - ``nats`` (optional): the sum of the tokens' losses; ``bytes`` (optional): of how many bytes of text, if not one
      each;
    - ``exact_given_length`` (optional): the share of answers that are right where the end of the answer is known;
    - ``task`` (optional): its name, where there are several; every run of a task must have the same lengths;
    - ``metric`` (optional): ``exact_match``, as without the column, ``token_accuracy`` or ``bits_per_byte``;
    - ``blind_exact_match``, ``blind_token_accuracy``, ``blind_bits`` (optional): the scores of a predictor that does
      not see the input, the same for all runs of a task. No method has a rank where none is above them.

    Other columns are ignored, so ``curves.csv`` and ``harness.load(...).table`` will do. Raises
    ``harness.errors.Refused`` with the first thing that is wrong. Columns are those of ``leaderboard.csv`` that counts
    can tell. PyTorch is not loaded.
    """
    from harness.results import tables
    from harness.results.counted import frames_of

    return _told(tables.leaderboard(frames_of(_table(counts, "leaderboard()"))))


def score(counts: pd.DataFrame) -> pd.DataFrame:
    """A row for each task, method and seed, with the measures that ``python -m harness`` has of a run: the score beyond
    the training length, the one up to it, whether training converged, reach, area. ``counts`` is that of
    :func:`leaderboard`.
    """
    from harness.results.counted import frames_of
    from harness.results.run_scores import run_scores

    return _told(run_scores(frames_of(_table(counts, "scores or .summary"))))


def _table(counts: Any, own: str) -> pd.DataFrame:
    """The same table. Raises :class:`Refused` for results, which have what is wanted themselves."""
    if hasattr(counts, "_repr_html_") and hasattr(counts, "table"):
        raise Refused(f"this takes a table of counts, such as the .table of results, which have .{own} themselves")
    return counts


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """A table without the columns that counts cannot tell, and without baselines that are unknown."""
    if "kind" in table:
        table = table[(table.kind == "method") | (table.method.eq("(blind)") & table.score.notna())]
    return table.drop(columns=[name for name in UNKNOWN if name in table]).reset_index(drop=True)
