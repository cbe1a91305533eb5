"""The user's own packages, imported from the folder of the project or the working folder, which are not searched for
anything else.

Python would search the working folder for whatever is not installed: a plugin of Hydra, an optional library. A folder
with somebody else's files could then run code without the user's consent. So it is not part of ``sys.path``, and only
packages named in ``packages=[...]`` or in the project's table (:mod:`harness.config.own_choices`) are searched for
there, after all other locations.
"""

import importlib
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class _Named(MetaPathFinder):
    """Finds the packages that were named, each in the project's folder and in what was the working folder then."""

    def __init__(self) -> None:
        self.folders: dict[str, list[str]] = {}
        self.project: Path | None = None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or fullname not in self.folders:
            return None
        return PathFinder.find_spec(fullname, self.folders[fullname], target)


_named = _Named()


def look_in(project: Path | None) -> None:
    """Packages that are named from now on are found in the project's folder too, and first there."""
    _named.project = project


def project() -> Path | None:
    """The folder of the project, if there is one."""
    return _named.project


def places() -> list[str]:
    """Where packages that are named now are searched for, after all other locations."""
    return list(dict.fromkeys(str(folder) for folder in (_named.project, Path.cwd()) if folder is not None))


def make_importable(packages: Iterable[str]) -> None:
    """Make these packages importable from there, if they are not found elsewhere."""
    new = {name: places() for name in packages}
    if new.items() <= _named.folders.items():
        return
    _named.folders |= new
    importlib.invalidate_caches()
    if _named not in sys.meta_path:
        sys.meta_path.append(_named)
