"""Length generalization: train a sequence model on short inputs, measure how it does on longer ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.notebook import Result

__version__ = "0.1.0"


def run(*overrides: str, **choices: Any) -> Result:
    """Do one run from Python: ``harness.run(encoding="rope", task="copy", train={"steps": 200})``.

    Choices and values are those of the command line; a dictionary gives values within a group, a string such as
    ``"encoding.base=500"`` is taken as it is. Raises ``harness.suggest.Refused`` where the command line would refuse.
    """
    from harness.notebook import run

    return run(*overrides, **choices)
