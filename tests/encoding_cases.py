"""Every encoding of conf/encoding with the options that change what it does, for the contract tests."""

import ast
from typing import Any, NamedTuple

import torch
from support import component

from harness import declarations
from harness.checks.inputs import DIMENSIONS, sequential, shaken
from harness.config import catalogue
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding

__all__ = ["DIMENSIONS", "Variant", "make", "plain", "sequential", "shaken", "variants"]

GRID = {"swin": {"window": 200}}
"""Options with which encodings of a grid know all cells that occur here."""


NUMBERS: dict[str, list[dict[str, Any]]] = {
    "bert_relative": [{"rows": 400}],
    "cope": [{"positions": 0}],
    "dape": [{"bias": "fire", "threshold": 0}],
    "deberta": [{"buckets": 16, "farthest": 64}, {"buckets": 32, "farthest": 512}, {"farthest": 0}],
    "digits": [{"base": 2}],
    "fire": [{"threshold": 0}],
    "grape_m": [{"base": 0.0}],
    "learned": [{"offset": 2}],
    "multi_channel_rope": [{"channels": 3}, {"channels": 3, "split": "all"}],
    "nezha": [{"clip": 0}],
    "path": [{"window": 1}],
    "pope": [{"base": 0.0}],
    "rope": [{"fraction": 0.5}, {"kept": 0.5}, {"base": 0.0}],
    "rope_nope": [{"interval": 2}, {"base": 0.0}],
    "shaw": [{"left": 0, "right": 0}],
    "swin_v2": [{"window": 0}, {"columns": 5}],
    "t5": [{"farthest": 0}],
    "xpos": [{"base": 0.0, "scale_base": 0.0}],
}
"""Numbers that switch something on or off; options with a few values are all tried anyway."""


class Variant(NamedTuple):
    """An encoding with options other than its defaults, or with those."""

    name: str
    options: dict[str, Any]

    def __str__(self) -> str:
        return ",".join([self.name, *(f"{key}={value}" for key, value in self.options.items())])

    def overrides(self) -> list[str]:
        return [f"encoding={self.name}", *(f"encoding.{key}={value}" for key, value in self.options.items())]


def variants() -> list[Variant]:
    """Every encoding as it is, with every other value of each option that has a few, and with numbers that matter."""
    found = []
    for choice in catalogue.choices("encoding"):
        found.append(Variant(choice.name, {}))
        for key, option in declarations.lookup(str(choice.target)).options.items():
            values: tuple[Any, ...] = ()
            if option.annotation == "bool":
                values = (True, False)
            elif option.annotation.startswith("Literal"):
                values = ast.literal_eval(f"({option.annotation.removeprefix('Literal')[1:-1]},)")
            found += [Variant(choice.name, {key: value}) for value in values if value != option.default]
        found += [Variant(choice.name, options) for options in NUMBERS.get(choice.name, [])]
    return found


def plain(name: str, dimensions: Dimensions, **options: Any) -> Encoding:
    """An encoding as it is before training."""
    return component("encoding", name, dimensions, **{**GRID.get(name, {}), **options})


def make(name: str, **options: Any) -> Encoding:
    torch.manual_seed(0)
    encoding = plain(name, DIMENSIONS, **options)
    shaken(encoding)
    return encoding
