"""The run of a config that lies in a file: the one way by which such a config becomes a run.

It is checked as one from the command line is. What decides whose code is run, where results go and what is done again
is not taken from it: these come from whoever starts the program, as words such as ``packages=[mine]``.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from harness.config.schema import Run
from harness.config.validation import explained, validated
from harness.errors import Refused, one_line, unknown

ALLOWED = ("results", "packages", "force", "retry")
"""All that words can say."""


def run(
    config: Any, words: Sequence[str], *, results: str, allowed: Sequence[str] = ("packages",), where: str = ""
) -> Run:
    """The run of a config, for ``results``, with what the words say. ``said`` names what they may say, ``where`` begins
    every refusal. Raises :class:`Refused` if it makes no sense.
    """
    if not isinstance(config, dict):
        raise Refused(f"{where}this is not the config of a run")
    values = {**config, "results": results, "packages": [], "force": False, "retry": False}
    for word in words:
        key, _, value = word.partition("=")
        if key not in allowed:
            raise unknown("word", one_line(key), allowed, "words")
        values[key] = _PARSERS[key](value)
    try:
        return validated(Run.model_validate(values))
    except ValidationError as error:
        raise Refused(f"{where}this is not the config of a run: {one_line(explained(error))}") from error
    except Refused as refusal:
        raise Refused(f"{where}{refusal}") from refusal


def words(run: Run) -> list[str]:
    """What a config does not say for its run, as :func:`run` takes it."""
    result = [f"results={run.results}", f"packages=[{','.join(run.packages)}]"]
    return result + [f"{key}=true" for key in ("force", "retry") if getattr(run, key)]


def _list(value: str) -> list[str]:
    return [name.strip() for name in value.removeprefix("[").removesuffix("]").split(",") if name.strip()]


_PARSERS: dict[str, Any] = {
    "results": str,
    "packages": _list,
    "force": "true".__eq__,
    "retry": "true".__eq__,
}
"""How each word's value is read."""
