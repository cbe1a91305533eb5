"""Runs from Python, for notebooks."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.composition import suggestions
from harness.composition.compose import composer
from harness.errors import Refused
from harness.launch import slots
from harness.results import finished, metrics
from harness.results.records import Record

if TYPE_CHECKING:
    import pandas
    from matplotlib.figure import Figure


class Result(NamedTuple):
    """A finished run."""

    record: Record

    @property
    def table(self) -> pandas.DataFrame:
        """A row for each extension and length."""
        from harness.results.frames import of
        from harness.results.tables import curves

        return curves(of([self.record]))

    @property
    def summary(self) -> dict[str, metrics.Summary]:
        """The summary of each extension."""
        return {summary.name: summary for summary in metrics.summaries(self.record)}

    def plot(self) -> Figure:
        """The score at each length."""
        from harness.figures.curves import draw

        return draw(self.table)

    def __repr__(self) -> str:
        from harness.results.report import verdict

        return "\n".join(f"{name}: {verdict(self.record, summary)}" for name, summary in self.summary.items())


def run(*overrides: str, **choices: Any) -> Result:
    """The implementation of :func:`harness.run`."""
    for override in overrides:
        if not isinstance(override, str):
            raise Refused(f"{override!r}: an override is a string such as 'encoding=rope'")
    words = [*overrides, *_overrides(choices)]
    with composer() as hydra:
        if hydra.multirun(words):
            raise Refused("a study is many runs: start it from the command line")
        config = hydra.run(words)
    if config.trainer.devices > 1:
        raise Refused(
            "several devices need processes of their own, which a notebook cannot start: run it from the command line"
        )
    paths = finished.paths_of(config)
    record = finished.existing_record(config, paths)
    if record is None:
        slots.check_devices(config)
        from harness.recipe import execute

        record = execute(config)
    assert record is not None
    if record.status == "failed":
        raise RuntimeError(record.reason)
    return Result(record)


def _overrides(choices: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in choices.items():
        if isinstance(value, dict):
            yield from _overrides(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}={_written(value)}"


def _written(value: Any) -> str:
    if hasattr(value, "tolist"):  # numbers and arrays of NumPy and PyTorch
        value = value.tolist()
    if isinstance(value, (list, tuple, range)):
        return f"[{','.join(_written(item) for item in value)}]"
    if isinstance(value, float) and not math.isfinite(value):
        raise Refused(f"{value} is no value")
    if isinstance(value, (bool, type(None))):
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)) or re.fullmatch(r"[A-Za-z0-9_.\-\[\],]+", str(value)):
        return str(value)
    return suggestions.quote_value(str(value))
