"""One run from Python."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from harness import declarations
from harness.composition.compose import composer
from harness.errors import Refused
from harness.launch import slots
from harness.notebook import overrides as written
from harness.results import finished, metrics
from harness.results.records import Record
from harness.results.statistics.shares import wilson

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

SHOWN = ("extension", "length", "exact_match", "exact_low", "exact_high", "token_accuracy", "bits", "distribution")
"""The columns that a notebook shows of a run."""


class Result(NamedTuple):
    """A finished run: its record, and where that lies. A notebook shows its verdicts and its table."""

    record: Record
    path: Path
    """The file of the record, for :func:`harness.model`."""

    @property
    def table(self) -> pd.DataFrame:
        """A row for each extension and tested length, with the counts and what follows from them (the columns of
        ``curves.csv``).
        """
        from harness.results.frames import of
        from harness.results.tables import curves

        return curves(of([self.record]))

    @property
    def learning(self) -> pd.DataFrame:
        """A row for each look at held-out examples during training: ``step``, ``in_distribution`` and, with
        ``evaluation={"every": 50}``, ``out_of_distribution``.
        """
        from harness.results.frames import of
        from harness.results.learning_curves import learning_curves

        return learning_curves(of([self.record]))

    @property
    def summary(self) -> dict[str, metrics.Summary]:
        """The summary of each extension, by its name."""
        return {summary.name: summary for summary in metrics.summaries(self.record)}

    def plot(self) -> Figure:
        """The scores at each length, a line for each extension."""
        from harness.figures.curves import draw

        return draw(self.table)

    def plot_learning(self) -> Figure:
        """What was right of held-out examples against steps. Raises ``harness.errors.Refused`` where nothing was
        looked at.
        """
        from harness.figures.learning import draw

        if (table := self.learning).empty:
            raise Refused("this run has no learning curve: evaluation={'every': 50} makes one")
        return draw(table)

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {said}" for name, said in self._verdicts().items())

    def _repr_html_(self) -> str:
        table = self.table
        if (table.metric != "bits_per_byte").all():
            table = table.drop(columns="bits")
        ends = [wilson(right, total) for right, total in zip(table.exact, table.examples, strict=True)]
        table = table.assign(exact_low=[low for low, _ in ends], exact_high=[high for _, high in ends])
        shown = table[[column for column in SHOWN if column in table]]
        lines = "<br>".join(
            f"<b>{html.escape(name)}</b>: {html.escape(said)}" for name, said in self._verdicts().items()
        )
        return f"<p>{lines}</p>{shown.to_html(index=False, na_rep='', float_format='{:.3f}'.format)}"

    def _verdicts(self) -> dict[str, str]:
        from harness.results.report import verdict

        return {name: verdict(self.record, summary) for name, summary in self.summary.items()}


def run(*overrides: str, config_dir: str | Path | None = None, packages: Sequence[str] = (), **choices: Any) -> Result:
    """Do one run, or find the record of it if it was done before.

    Choices and values are those of the command line; a dictionary gives values within a group, a string such as
    ``"encoding.base=500"`` is taken as it is::

        result = harness.run(encoding="rope", task="copy", train={"steps": 200}, extension=["extrapolate", "ntk"])

    ``config_dir`` is a folder with choices of your own (``--config-dir``), ``packages`` are the packages that have
    their classes. Training shows its progress on standard error. Raises ``harness.errors.Refused`` where the command
    line would refuse, and ``RuntimeError`` where training fails.
    """
    words = written.words(overrides, choices, packages, several=False)
    with composer([] if config_dir is None else [str(config_dir)]) as hydra:
        if hydra.multirun(words):
            raise Refused("a study or a search is many runs: harness.sweep does them")
        config = hydra.run(words)
    if config.trainer.devices > 1:
        raise Refused(
            "several devices need processes of their own, which a notebook cannot start: use harness.sweep, "
            "or run it from the command line"
        )
    if declarations.lookup(config.launcher.target).attributes["elsewhere"]:
        raise Refused(f"launcher={config.launcher.name} does runs elsewhere: harness.sweep submits them")
    paths = finished.paths_of(config)
    record = finished.existing_record(config, paths)
    if record is None:
        slots.check_devices(config)
        from harness.recipe import execute

        record = execute(config)
    assert record is not None
    if record.status == "failed":
        raise RuntimeError(record.reason)
    return Result(record, paths.record)
