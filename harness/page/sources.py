"""What the page says of a run beyond its counts: its config, the command that does it again, where its record lies."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from harness.composition import reproduction
from harness.config.schema import Run
from harness.errors import Refused
from harness.files import sealed_json
from harness.files.escaping import escape, escape_all
from harness.results.paths import records_folder


class Source(NamedTuple):
    """Of one record: its path as the command line has it, when it was finished, on what, its config without the seed by
    groups, and the command that does the run again, or why there is none.
    """

    path: str
    finished: str
    device: str
    modified: bool
    """Whether the program had been changed after the commit that it names."""
    config: dict[str, Any]
    command: str
    refusal: str


class Sources:
    """Reads the records of these folders once more, which have been checked before."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._commands: dict[str, tuple[str, str]] = {}

    def of(self, record: str, status: str) -> Source:
        """What the record of this name and status says. Raises :class:`Refused` if it is gone."""
        for folder in self._folders:
            path = records_folder(folder) / f"{record}.json"
            if not path.is_file():
                continue
            document = sealed_json.read(path)
            if document.get("status") != status:
                continue
            provenance = document.get("provenance", {})
            config = escape_all(document.get("config", {}))
            seed = config.pop("seed", 0)
            threads = (document.get("cost") or {}).get("threads") or [0]
            command, refusal = self._command(config, max(threads) if len(set(threads)) == 1 else 0)
            return Source(
                escape(path.as_posix()),
                escape(str(document.get("finished", ""))),
                escape(str(provenance.get("device", ""))),
                bool(provenance.get("modified", False)),
                config,
                f"{command} seed={seed}" if command else "",
                refusal,
            )
        raise Refused(f"{record}: its record was there a moment ago, and is no more")

    def _command(self, config: dict[str, Any], threads: int) -> tuple[str, str]:
        """The command of a config without its seed, and why there is none; computed once for all seeds."""
        key = json.dumps([config, threads], sort_keys=True)
        if key not in self._commands:
            try:
                run = Run.model_validate({**config, "seed": 0, "results": "results"})
                self._commands[key] = reproduction.command(reproduction.words(run, threads=threads)[:-1]), ""
            except Refused as refusal:
                self._commands[key] = "", escape(str(refusal))
            except ValidationError:
                self._commands[key] = "", "its config is not that of a run of this version of the harness"
        return self._commands[key]
