"""Length generalization: train a sequence model on short inputs, measure how it does on longer ones."""

TYPE_CHECKING = False
"""Set by type checkers. Nothing is imported here: `python -m harness` would look for it in the working folder first."""

if TYPE_CHECKING:
    from typing import Any

    from harness.notebook import Result

__version__ = "0.1.0"


def run(*overrides: str, **choices: "Any") -> "Result":
    """Do one run from Python: ``harness.run(encoding="rope", task="copy", train={"steps": 200})``.

    Choices and values are those of the command line; a dictionary gives values within a group, a string such as
    ``"encoding.base=500"`` is taken as it is. Raises ``harness.errors.Refused`` where the command line would refuse.
    """
    from harness.notebook import run

    return run(*overrides, **choices)
