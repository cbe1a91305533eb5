"""The user's own packages, imported from the working folder, which is not searched for anything else.

Python would search the working folder for whatever is not installed: a plugin of Hydra, an optional library. A folder
with somebody else's files could then run code without the user's consent. So it is not part of ``sys.path``, and only
packages named in ``packages=[...]`` are searched for there, after all other locations.
"""

import importlib
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType


class _Named(MetaPathFinder):
    """Finds the packages that were named, each in the folder that was the working folder then."""

    def __init__(self) -> None:
        self.folders: dict[str, str] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or fullname not in self.folders:
            return None
        return PathFinder.find_spec(fullname, [self.folders[fullname]], target)


_named = _Named()


def make_importable(packages: Iterable[str]) -> None:
    """Make these packages importable from the working folder, if they are not found elsewhere."""
    new = {name: str(Path.cwd()) for name in packages}
    if new.items() <= _named.folders.items():
        return
    _named.folders |= new
    importlib.invalidate_caches()
    if _named not in sys.meta_path:
        sys.meta_path.append(_named)
