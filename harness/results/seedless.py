"""What a record says was run, without its seed: parsed and checked once for all runs of a method."""

import re
from typing import Any, NamedTuple

from harness.files import sealed_json
from harness.results import consistency, cutting, descriptions
from harness.results.cutting import Unusual
from harness.results.descriptions import Description
from harness.results.science import Science

SEED = re.compile(r'\n {1,4}"seed": (0|[1-9][0-9]{0,8})(?=,?\n)')
"""The line of a seed. No line begins within a JSON text, so this is always a member of an object."""
UNUSED_SEED = 8_070_450_532_247_928_832
"""Stands for the seed where the others of a science or a config are remembered. No seed of a record is as large."""
UNUSED = re.compile(str(UNUSED_SEED))
REMEMBERED = 4096
"""Methods that are remembered."""

Split = tuple[str, str]
"""A text before and behind the seed."""


class Method(NamedTuple):
    """A science that agrees with its config, whatever the seed of both."""

    science: Science
    question: str
    """The text of what of it decides the task: what it is, and the lengths that are trained and tested."""
    task: Description
    methods: dict[str, Description]
    values: tuple[dict[str, Any], dict[str, Any]]
    """Of science and config."""
    said: Split
    """The canonical text of the science, of which the name and the seal are made."""
    training: Split
    """The same of what decides the weights."""
    config: Split
    """The same of the config."""


def cut(text: str) -> tuple[Split, int]:
    """The text of a science or config before and behind its seed, and the seed. Raises :class:`Unusual`."""
    found = SEED.search(text)
    if found is None:
        raise Unusual
    return (text[: found.start(1)], text[found.end(1) :]), int(found[1])


def method(science: Split, config: Split) -> Method:
    """What science and config say. Raises :class:`ValueError` and others where they are not right."""
    (ran, said), (configured, set_to) = (
        cutting.value(f"{before}{UNUSED_SEED}{behind}") for before, behind in (science, config)
    )
    if not ran["training"]["seed"] == configured["seed"] == UNUSED_SEED:
        raise Unusual
    plain = with_seed(ran, 0, "training")
    training = ran["training"]
    consistency.check_config(with_seed(configured, 0), plain)
    return Method(
        Science.model_validate(plain),
        sealed_json.canonical([training["task"], training["lengths"], ran["tested"], ran["evaluation"]]),
        descriptions.task(plain),
        descriptions.methods(plain),
        (ran, configured),
        _split(said),
        _split(sealed_json.canonical(training)),
        _split(set_to),
    )


def with_seed(value: dict[str, Any], seed: int, *where: str) -> dict[str, Any]:
    """A science (``where`` is ``"training"``) or a config with another seed."""
    return {**value, where[0]: {**value[where[0]], "seed": seed}} if where else {**value, "seed": seed}


def _split(canonical: str) -> Split:
    before, *others = UNUSED.split(canonical)
    if len(others) != 1:
        raise Unusual
    return before, others[0]
