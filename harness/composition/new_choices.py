"""The files of a new choice of the user's own: a Python file, a YAML file and a test, from ``harness/templates``."""

import importlib.util
import keyword
import os
import re
from collections.abc import Sequence
from pathlib import Path
from string import Template

from harness.composition import folders
from harness.config import catalogue, own_choices, project_table
from harness.errors import Refused, echoed, unknown

TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
PACKAGE = "my_choices"
"""The package of whoever names none."""
CONFIG_DIR = "conf"


def groups() -> list[str]:
    """The groups of which a choice can be written."""
    return [group for group in catalogue.GROUPS if (TEMPLATES / group).is_dir()]


def files(group: str, name: str, folder: Path, package: str | None) -> dict[Path, str]:
    """What is to be written, by its path; a pyproject.toml among it where its table is not complete.

    Raises :class:`Refused` where the choice cannot have this name or a file is there already.
    """
    if group not in groups():
        raise unknown("group", group, groups(), "groups of which a choice can be written")
    _check_name(group, name)
    project = _project(folder)
    package = package or (project.packages[0] if project and project.packages else PACKAGE)
    _check_package(package, folder)
    conf = project.config_dir if project and project.config_dir else folder / CONFIG_DIR
    title = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    places = {"choice.yaml": conf / group / f"{name}.yaml", "test.py": folder / "tests" / f"test_{group}_{name}.py"}
    if group != "study":
        places["choice.py"] = folder / package / group / f"{name}.py"
    values = {"name": name, "title": title, "package": package}
    written = {
        place: Template((TEMPLATES / group / f"{part}.txt").read_text(encoding="utf-8")).substitute(values)
        for part, place in places.items()
    }
    for place in written:
        if os.path.lexists(place):
            raise Refused(f"{place}: this file is there already, and nothing is overwritten: choose another name")
    for inside, says in ((package, "Choices of our own."), (f"{package}/{group}", f"Choices of the group {group}.")):
        if group != "study" or inside == package:
            place = folder / inside / "__init__.py"
            if not os.path.lexists(place):
                written[place] = f'"""{says}"""\n'
    table = project_table.completed(folder / own_choices.PROJECT_FILE, CONFIG_DIR, package)
    if table is not None:
        written[folder / own_choices.PROJECT_FILE] = table
    return written


def home(folder: Path | None) -> Path:
    """The folder that choices are written to: the given one, or that of the project, or the working folder."""
    if folder is not None:
        return folder.absolute()
    project = own_choices.project_of(Path.cwd())
    return project.file.parent if project else Path.cwd()


def commands(group: str, name: str) -> Sequence[str]:
    """What to do next."""
    chosen = f"'extension=[extrapolate,{name}]'" if group == "extension" else f"{group}={name}"
    beside = " encoding=nope" if group == "architecture" else ""
    return (f"python -m harness check {group}={name}", f"python -m harness {chosen}{beside}")


def _project(folder: Path) -> own_choices.Project | None:
    """The table of the folder itself. Raises :class:`Refused` where another one would hide what is written."""
    if own_choices.VARIABLE in os.environ:
        raise Refused(
            f"{own_choices.VARIABLE} is set, so the table [tool.harness] that is written would not be read: unset it"
        )
    project = own_choices.project_of(folder)
    return project if project and project.file.parent == folder else None


def _check_name(group: str, name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,63}", name) or keyword.iskeyword(name):
        raise Refused(
            f"{echoed(name)}: the name of a choice is made of small letters, digits and _, and begins with a letter"
        )
    folders.check_name(name)
    known = catalogue.names(folders.folders([]))
    if name in known[group]:
        raise Refused(f"there is {group}={name} already: choose another name")


def _check_package(package: str, folder: Path) -> None:
    if objection := own_choices.unusable(package):
        raise Refused(f"--package {echoed(package)}: {objection}")
    if package == "tests":
        raise Refused("--package tests: this is where tests are written")
    spec = importlib.util.find_spec(package)
    places = [Path(place).resolve() for place in (spec.submodule_search_locations if spec else None) or ()]
    if spec is not None and (folder / package).resolve() not in places:
        raise Refused(
            f"--package {package}: a package of this name is installed, and would be found instead of "
            f"{folder / package}: --package gives yours another name"
        )
