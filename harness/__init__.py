"""Length generalization: train a sequence model on short inputs, measure how it does on longer ones.

From Python: :func:`run` and :func:`sweep` train and test, :func:`load` reads what runs have written, :func:`model`
gives a trained network, :func:`leaderboard` and :func:`score` make tables of anybody's counts. Each is imported when it
is first used, so that ``import harness`` takes no time; PyTorch is loaded by those that train or read a network.
"""

TYPE_CHECKING = False
"""Set by type checkers. Nothing is imported here: `python -m harness` would look for it in the working folder first."""

if TYPE_CHECKING:
    from typing import Any

    from harness.notebook.counted import leaderboard, score
    from harness.notebook.results import Results, load
    from harness.notebook.runs import Result, run
    from harness.notebook.sweeps import sweep
    from harness.notebook.trained import Inputs, Tokenizer, Trained, model

__version__ = "0.1.0"

__all__ = [
    "Inputs",
    "Result",
    "Results",
    "Tokenizer",
    "Trained",
    "leaderboard",
    "load",
    "model",
    "run",
    "score",
    "sweep",
]

_PLACES = {
    "Inputs": "trained",
    "Result": "runs",
    "Results": "results",
    "Tokenizer": "trained",
    "Trained": "trained",
    "leaderboard": "counted",
    "load": "results",
    "model": "trained",
    "run": "runs",
    "score": "counted",
    "sweep": "sweeps",
}
"""The module of :mod:`harness.notebook` that has each name."""


def __getattr__(name: str) -> "Any":
    if name not in _PLACES:
        raise AttributeError(f"module 'harness' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"harness.notebook.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
