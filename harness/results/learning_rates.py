"""Methods that differ in their learning rate alone, of which a search has many: one is parsed and checked, and what is
said of it holds for the others but for the rate.
"""

import hashlib
import re
from functools import lru_cache
from typing import Any, NamedTuple

from harness.files import sealed_json
from harness.results import descriptions, seedless
from harness.results.cutting import Unusual
from harness.results.seedless import Method, Split

RATE = re.compile(r'\n {3,4}"learning_rate": ([^\n,]*)(?=,?\n)')
"""The line of a rate. No line begins within a JSON text, so this is always a member of an object."""
STAND_IN = 8.070450532247929e-05
"""Stands for the rate in what is remembered. Where a text has it elsewhere too nothing is."""
SAID = repr(STAND_IN)
REMEMBERED = 512
"""Families of methods that are remembered."""


class _Family(NamedTuple):
    """Methods that differ in their rates alone."""

    example: Method
    """The one with :data:`STAND_IN`."""
    identities: dict[str, str]
    """By extension the text of which a method's id is a digest."""


@lru_cache(seedless.REMEMBERED)
def method(science: Split, config: Split) -> Method:
    """What science and config say. Raises :class:`ValueError` and others where they are not right."""
    (ran, rate), (configured, same) = _cut(science), _cut(config)
    if rate and rate == same and (family := _family(ran, configured)):
        return _with_rate(family, rate)
    return seedless.method(science, config)


def _cut(text: Split) -> tuple[Split, str]:
    """A science or config with :data:`STAND_IN` in the place of its rate, and the rate as it is written; empty where
    the text has not just one, or one that is not written as the program writes it.
    """
    before, behind = text
    rates = RATE.findall(before)
    if len(rates) != 1 or RATE.search(behind) or not _plain(rates[0]):
        return text, ""
    found = RATE.search(before)
    assert found is not None
    return (f"{before[: found.start(1)]}{SAID}{before[found.end(1) :]}", behind), rates[0]


def _plain(rate: str) -> bool:
    """Whether a text is the one that Python writes for a rate that is allowed."""
    try:
        return 0 < float(rate) < 1e300 and repr(float(rate)) == rate
    except ValueError:
        return False


@lru_cache(REMEMBERED)
def _family(science: Split, config: Split) -> _Family | None:
    """What is common to methods; ``None`` where the rate is not that of the training alone, or something is wrong."""
    try:
        example = seedless.method(science, config)
    except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError, Unusual):
        return None
    ran, configured = example.values
    identities = {
        name: sealed_json.canonical(node) for name, node in descriptions.identities(example.values[0]).items()
    }
    once = ("".join(example.said), "".join(example.training), "".join(example.config), *identities.values())
    if (
        any(text.count(SAID) != 1 for text in once)
        or SAID in example.question
        or not ran["training"]["train"]["learning_rate"] == configured["train"]["learning_rate"] == STAND_IN
    ):
        return None
    return _Family(example, identities)


def _with_rate(family: _Family, said: str) -> Method:
    rate, (ran, configured) = float(said), family.example.values
    training = family.example.science.training

    def trained(values: dict[str, Any]) -> dict[str, Any]:
        return {**values, "train": {**values["train"], "learning_rate": rate}}

    def filled(text: Split) -> Split:
        return text[0].replace(SAID, said), text[1].replace(SAID, said)

    return family.example._replace(
        science=family.example.science.model_copy(
            update={"training": training.model_copy(update={"train": {**training.train, "learning_rate": rate}})}
        ),
        methods={
            name: known._replace(id=_digest(family.identities[name].replace(SAID, said)), node=trained(known.node))
            for name, known in family.example.methods.items()
        },
        values=({**ran, "training": trained(ran["training"])}, trained(configured)),
        said=filled(family.example.said),
        training=filled(family.example.training),
        config=filled(family.example.config),
    )


def _digest(text: str) -> str:
    """As :func:`harness.config.identity.digest`."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
