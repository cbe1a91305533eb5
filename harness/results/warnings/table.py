"""All warnings about a table, as a table."""

from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from harness.errors import counted
from harness.results import frames, measures, tables
from harness.results.frames import Frames
from harness.results.warnings import budgets, guesses, learning, lengths, seeds, versions
from harness.results.warnings.warning import Tabled, Warned

WARNINGS: tuple[Callable[[Tabled], Iterator[Warned]], ...] = (
    budgets.unequal_training,
    budgets.unequal_tokens,
    budgets.unequal_parameters,
    budgets.unequal_tuning,
    seeds.single_seed,
    seeds.learned_by_chance,
    seeds.unequal_seeds,
    seeds.missing_seeds,
    learning.not_learned,
    learning.shared_ceiling,
    guesses.reached_by_a_guess,
    lengths.seen_in_training,
    lengths.other_training_lengths,
    lengths.trained_before,
    versions.several_programs,
    versions.several_data_versions,
)
COLUMNS = ("warning", "task", "methods", "what", "remedy")
SHOWN = 3
"""Warnings of a kind that are printed; a table has all."""


def table(found: Frames) -> pd.DataFrame:
    """A row for each warning about these runs: ``warning`` (its kind), ``task``, ``methods``, ``what`` is wrong and the
    ``remedy``. Empty if there is none.
    """
    found = tables.once(found)
    runs = measures.beside(tables.named(found), found)
    tabled = Tabled(found, runs)
    rows = [
        (one.kind, one.task, "; ".join(one.methods), one.what, one.remedy) for warn in WARNINGS for one in warn(tabled)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def among(found: Frames, runs: pd.DataFrame) -> Frames:
    """The runs of a part of a table: those with the ``record`` and ``extension`` of these rows."""
    wanted = pd.MultiIndex.from_frame(runs[["record", "extension"]].astype(object))
    own = pd.MultiIndex.from_frame(found.runs[["record", "extension"]].astype(object))
    return frames.take(found, np.flatnonzero(own.isin(wanted)))


def lines(warned: pd.DataFrame) -> list[str]:
    """The warnings as they are printed: a few of each kind, and how many more there are."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for row in warned.itertuples():
        kinds[str(row.warning)].append(f"{row.task}: {row.what}")
    found = []
    for kind, said in kinds.items():
        remedy = warned.remedy[warned.warning == kind].iloc[0]
        found += [f"warning, {kind}: {line}" for line in said[:SHOWN]]
        more = f"and {counted(len(said) - SHOWN, 'more task')}; " if len(said) > SHOWN else ""
        found.append(f"  {more}{remedy}")
    return found
