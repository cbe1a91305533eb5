"""Builds a run from a config stored in a file.

The config is validated like one from the command line. Which packages are imported, where results are written and what
is repeated is not read from the file: whoever starts the program says so, with words such as ``packages=[mine]`` or in
the table of a project (:mod:`harness.config.own_choices`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.config import user_packages
from harness.config.schema import Run
from harness.config.validation import explained, validated
from harness.errors import Refused, one_line, unknown
from harness.files import sealed_json

PROJECT = "project"
"""The word that says in which folder the packages of a sweep's project lie: its runs need not read the table again,
which somebody may change meanwhile.
"""

ALLOWED = ("results", "packages", "force", "retry", PROJECT)
"""The keys that words can set."""


def run(
    config: Any,
    words: Sequence[str],
    *,
    results: str,
    allowed: Sequence[str] = ("packages",),
    packages: Sequence[str] = (),
    where: str = "",
) -> Run:
    """The run of a config, for ``results``, with the values that the words set. ``allowed`` names the keys they may
    set, ``packages`` are named besides, ``where`` begins every error message. Raises :class:`Refused` if the config is
    invalid.
    """
    if not isinstance(config, dict):
        raise Refused(f"{where}this is not the config of a run")
    values = {**config, "results": results, "packages": list(packages), "force": False, "retry": False}
    for word in words:
        key, _, value = word.partition("=")
        if key not in allowed:
            raise unknown("word", one_line(key), allowed, "words")
        if key == PROJECT:
            user_packages.look_in(Path(value))
        elif key == "packages":
            values[key] = list(dict.fromkeys([*packages, *_list(value)]))
        else:
            values[key] = _PARSERS[key](value)
    try:
        return validated(Run.model_validate(values))
    except ValidationError as error:
        raise Refused(f"{where}this is not the config of a run: {one_line(explained(error))}") from error
    except Refused as refusal:
        raise Refused(f"{where}{refusal}") from refusal


def job(file: str, words: Sequence[str]) -> Run:
    """A run of a sweep, from its config file and the words that the sweep adds. Raises :class:`Refused`."""
    content = sealed_json.read(Path(file))
    return run(content, words, results="results", allowed=ALLOWED, where=f"{file}: ")


def words(run: Run) -> list[str]:
    """The settings of a run that its config file leaves out, as :func:`run` takes them."""
    result = [f"results={run.results}", f"packages=[{','.join(run.packages)}]"]
    if project := user_packages.project():
        result.append(f"{PROJECT}={project}")
    return result + [f"{key}=true" for key in ("force", "retry") if getattr(run, key)]


def _list(value: str) -> list[str]:
    return [name.strip() for name in value.removeprefix("[").removesuffix("]").split(",") if name.strip()]


_PARSERS: dict[str, Any] = {
    "results": str,
    "force": "true".__eq__,
    "retry": "true".__eq__,
}
"""How the value of each other key is parsed."""
