"""Show in which keys configs differ, and nothing else.

python -m harness diff A.json B.json                      two records
python -m harness diff 5c19114e 392cf6b9                  two runs in results/, by the ids in their names
python -m harness diff 'encoding=rope' 'encoding=alibi'   two command lines
python -m harness diff A.json 'encoding=rope task=copy'   a record and what it would be now
"""

import argparse
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.composition.arguments import Parser, path
from harness.errors import Refused, echoed
from harness.files import sealed_json


def main(arguments: list[str]) -> int:
    """Print the keys that differ; the exit code is 0 whether there are any."""
    parser = Parser(
        prog="python -m harness diff", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    said = "a record, the config.json of a run, an id or a name in --results, or the words of a command line in quotes"
    parser.add_argument("configs", nargs="*", metavar="CONFIG", help=said)
    parser.add_argument("--results", type=path, default=Path("results"), help="folder in which ids are looked for")
    parser.add_argument("--config-dir", help="a folder with choices of your own, for command lines")
    parsed = parser.read(arguments)
    if len(parsed.configs) < 2:
        raise Refused("diff takes two configs or more: records, ids, or command lines in quotes")
    from harness.results import config_differences
    from harness.results.report import table
    from harness.results.side_by_side import LETTERS

    found = [config(word, parsed.results, parsed.config_dir) for word in parsed.configs[: len(LETTERS)]]
    letters = list(LETTERS[: len(found)])
    heading = "\n".join(f"{letter}  {word}" for letter, word in zip(letters, parsed.configs, strict=False))
    if not (differing := config_differences.differing(found)):
        print(f"{heading}\nno key differs that decides a result")
        return 0
    table(heading, ["key", *letters], [[key, *values] for key, values in differing.items()], left=1)
    return 0


def config(word: str, results: Path, config_dir: str | None) -> Mapping[str, Any]:
    """The config that a word stands for. Raises :class:`Refused`."""
    from harness.results import named_records

    if found := named_records.paths(word, results):
        if len(found) > 1:
            raise Refused(f"{echoed(word)} is {len(found)} records: name one of them, such as {found[0]}")
        return _saved(found[0])
    words = shlex.split(word)
    if not words or not all("=" in one.lstrip("+~") or one.startswith("~") for one in words):
        raise Refused(
            f"{echoed(word)}: it is no file, no id of a record in {results}, and no command line, such as "
            "'encoding=rope task=copy'"
        )
    return _composed(words, config_dir)


def _saved(file: Path) -> Mapping[str, Any]:
    """The config of a record, or of a run that was begun."""
    content = sealed_json.read(file)
    inside = content.get("config", content)
    if not isinstance(inside, dict) or not isinstance(inside.get("task"), dict):
        raise Refused(f"{file}: this is neither a record nor the config of a run")
    return inside


def _composed(words: Sequence[str], config_dir: str | None) -> Mapping[str, Any]:
    from harness.composition.compose import composer

    with composer([] if config_dir is None else [config_dir]) as hydra:
        return hydra.run(words).model_dump(mode="json")
