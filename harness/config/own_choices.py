"""Where the user's own choices come from: ``--config-dir``, the environment, the project, installed packages.

The first of these that says anything gives a folder of choices:

1. ``--config-dir FOLDER`` on the command line,
2. the environment variable ``HARNESS_CONFIG_DIR``; empty, it says that there is none,
3. the table ``[tool.harness]`` of the nearest pyproject.toml, from the working folder upwards.

The table also names the packages whose classes these choices may name, and they lie in its folder. That is as much as
to say that the code of a project that one works in may be run, which pytest says of a conftest.py and Python of a
module in the working folder. So a table is read where the user works, or where HARNESS_CONFIG_DIR points, and nowhere
else: a record, a config or a folder of choices from somebody else names no packages. A table in a file of another user,
such as in a folder above that all can write to, is refused.

Installed packages add choices by an entry point of the group ``harness.choices``. They are code that the user
installed, so the package of an entry point counts as named; nothing of it is imported to find them.
"""

import importlib
import importlib.util
import keyword
import os
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple

from harness.config import user_packages
from harness.errors import Refused, echoed, one_line, unknown
from harness.files import user_paths

VARIABLE = "HARNESS_CONFIG_DIR"
ENTRY_POINTS = "harness.choices"
PROJECT_FILE = "pyproject.toml"
LARGEST = 2**20
"""Bytes of a pyproject.toml."""
RESERVED = ("harness", "tasks", "conf")
"""Packages that nobody else's classes come from."""


class Source(NamedTuple):
    """A folder of choices, and what names it, as messages say."""

    folder: Path
    named_by: str


class Project(NamedTuple):
    """The table ``[tool.harness]`` of a pyproject.toml."""

    file: Path
    config_dir: Path | None
    packages: tuple[str, ...]


class OwnChoices(NamedTuple):
    """All choices that are not the harness's: their folders, and the packages that count as named."""

    sources: tuple[Source, ...]
    packages: tuple[str, ...]


def find(config_dirs: Sequence[str] = ()) -> OwnChoices:
    """The user's own choices; ``config_dirs`` are those of the command line. From then on the packages of the project
    are found in its folder (:mod:`harness.config.user_packages`). Raises :class:`Refused`.
    """
    project, sources = None, []
    if config_dirs:
        sources = [_source(name, "--config-dir ") for name in config_dirs]
    elif (named := os.environ.get(VARIABLE)) is not None:
        if named:
            sources = [_source(named, f"{VARIABLE}=")]
            around = project_of(sources[0].folder, trusted=True)
            if around and around.config_dir and _same(around.config_dir, sources[0].folder):
                project = around
    elif (project := project_of(Path.cwd())) is not None and project.config_dir is not None:
        said = f"{project.file}: [tool.harness] config_dir = "
        sources = [_source(str(project.config_dir), said)]
    user_packages.look_in(project.file.parent if project else None)
    packages = list(project.packages if project else ())
    if project:
        user_packages.make_importable(packages)
        for name in packages:
            _check_importable(name, project)
    for source, package in _installed():
        if not any(_same(source.folder, known.folder) for known in sources):
            sources.append(source)
        if package not in packages:
            packages.append(package)
    return OwnChoices(tuple(sources), tuple(packages))


def project_of(folder: Path, *, trusted: bool = False) -> Project | None:
    """The table of the nearest pyproject.toml, from a folder upwards; ``None`` where that has none.

    Raises :class:`Refused` where it is not as it should be, or belongs to another user unless the user has pointed at
    it (``trusted``).
    """
    folder = folder.absolute()
    file = next((place / PROJECT_FILE for place in (folder, *folder.parents) if (place / PROJECT_FILE).is_file()), None)
    if file is None:
        return None
    table = tables(file, content(file))
    if table is None:
        return None
    project = _read(file, table)
    if project.packages and not trusted and file.stat().st_uid not in (os.geteuid(), 0):
        raise Refused(
            f"{file}: its [tool.harness] names packages whose code would be run, and the file belongs to another user: "
            f"if you trust it, say so with {VARIABLE}={project.config_dir or 'FOLDER'}; {VARIABLE}= leaves it aside"
        )
    return project


def content(file: Path) -> str:
    """The text of a pyproject.toml. Raises :class:`Refused`."""
    try:
        size = file.stat().st_size
        if size > LARGEST:
            raise Refused(f"{file}: it has {size} bytes, and this file has at most {LARGEST}")
        return file.read_bytes().decode("utf-8")
    except OSError as error:
        raise Refused(f"{file}: it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{file}: this is not TOML, which is UTF-8") from error


def tables(file: Path, text: str) -> Any:
    """``[tool.harness]`` as it stands in the text of a file, ``None`` if it is not there. Raises :class:`Refused`."""
    if "harness" not in text:  # whatever is wrong with it is none of our business
        return None
    try:
        parsed = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Refused(f"{file}: this is not TOML: {one_line(error)}") from error
    tool = parsed.get("tool")
    return tool.get("harness") if isinstance(tool, dict) else None


def _read(file: Path, table: Any) -> Project:
    where = f"{file}: [tool.harness]"
    if not isinstance(table, dict):
        raise Refused(f'{where} is a table, with lines such as config_dir = "conf" and packages = ["mine"]')
    for key in table:
        if key not in ("config_dir", "packages"):
            raise unknown(f"key of {where}", key, ("config_dir", "packages"), "keys")
    named, packages = table.get("config_dir"), table.get("packages", [])
    if named is not None and not (isinstance(named, str) and named):
        raise Refused(f'{where} config_dir = {echoed(named)}: it is the path of a folder, such as "conf"')
    if not isinstance(packages, list) or not all(isinstance(name, str) for name in packages):
        raise Refused(f'{where} packages = {echoed(packages)}: it is a list of names, such as ["mine"]')
    for name in packages:
        if objection := unusable(name):
            raise Refused(f"{where} packages: {echoed(name)}: {objection}")
    folder = None
    if named is not None:
        folder = Path(file.parent, user_paths.expanded(named, f"{where} config_dir = "))
    return Project(file, folder, tuple(packages))


def unusable(package: str) -> str:
    """Why a package of the user's cannot have this name; empty if it can."""
    if not package.isidentifier() or keyword.iskeyword(package):
        return "the name of a package is a Python name, without dots"
    if package in RESERVED:
        return "the harness has a package of this name"
    if package in sys.stdlib_module_names:
        return "Python has a module of this name"
    return ""


def _source(name: str, said: str) -> Source:
    folder = Path(user_paths.expanded(name, said))
    if not folder.is_dir():
        raise Refused(f"{said}{echoed(folder)}: there is no such folder")
    return Source(folder, f"{said}{echoed(folder)}")


def _check_importable(name: str, project: Project) -> None:
    if importlib.util.find_spec(name) is None:
        raise Refused(
            f"{project.file}: [tool.harness] packages: there is no package {name}, neither in {project.file.parent} "
            "nor installed"
        )


def _installed() -> Iterator[tuple[Source, str]]:
    """The folder of choices of every entry point, and its package. Nothing is imported."""
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: (str(point.value), point.name)):
        where = f"{point.dist.name if point.dist else 'a package'} (entry point {ENTRY_POINTS})"
        folder, package = _folder_of(point, where)
        if folder is None:
            raise Refused(
                f"{where}: there is no folder {point.value}: it names a package and a folder of choices in it, as in "
                "mine = 'mine:conf'"
            )
        yield Source(folder, where), package


def _folder_of(point: EntryPoint, where: str) -> tuple[Path | None, str]:
    match = re.fullmatch(r"(\w+)((?:\.\w+)*)\s*(?::\s*(\w+(?:\.\w+)*))?", point.value.strip())
    if match is None:
        return None, ""
    package, inside, folder = match[1], match[2].split(".")[1:], (match[3] or "conf").split(".")
    if objection := unusable(package):
        raise Refused(f"{where}: {echoed(package)}: {objection}")
    try:
        spec = importlib.util.find_spec(package)
    except ValueError:  # a module that was made by hand
        spec = None
    for place in (spec.submodule_search_locations if spec else None) or ():
        if (found := Path(place, *inside, *folder)).is_dir():
            return found, package
    return None, package


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()
