"""The output of ``--cfg``: the config that a command line composes to, or with ``-m`` the config of each run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from omegaconf import Container, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from harness.composition.compose import Composer
from harness.composition.suggestions import shell_quoted
from harness.errors import Refused, echoed


def configs(composer: Composer, parsed: Any) -> Iterator[str]:
    """One document of YAML for each run. Raises :class:`Refused`."""
    if not parsed.multirun:
        yield _document(composer, parsed.overrides, parsed)
        return
    for cell in composer.cells(parsed.overrides):
        yield f"--- # {' '.join(map(shell_quoted, cell))}\n{_document(composer, cell, parsed)}"


def _document(composer: Composer, overrides: list[str], parsed: Any) -> str:
    config = composer.shown(overrides)
    keys = [str(key) for key in config]
    kept = {"job": [key for key in keys if key != "hydra"], "hydra": ["hydra"], "all": keys}[parsed.cfg]
    part: Any = OmegaConf.masked_copy(config, kept)
    OmegaConf.set_readonly(part, False)
    try:
        if parsed.resolve:
            OmegaConf.resolve(part)
        if parsed.package and parsed.package != "_global_":
            part = OmegaConf.select(part, parsed.package)
    except (OmegaConfBaseException, RecursionError) as error:
        raise Refused(f"--cfg {parsed.cfg}: {error}") from error
    if part is None:
        raise Refused(f"--package {echoed(parsed.package)}: the config has no such part")
    if not isinstance(part, Container):
        return f"{part}\n"
    return (f"# @package {parsed.package}\n" if parsed.package else "") + OmegaConf.to_yaml(part)
