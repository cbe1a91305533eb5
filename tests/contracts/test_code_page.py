"""The map of the code names what there is."""

import importlib
import pkgutil
import re

import pytest
from support import ROOT

import harness
from harness import commands

PAGE = (ROOT / "docs" / "code.md").read_text()
NAMES = sorted(set(re.findall(r"`((?:harness|tasks)\.[A-Za-z_.]+)`", PAGE)))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_on_the_map_exists(name: str) -> None:
    parts = name.split(".")
    found = importlib.import_module(parts[0])
    for number, part in enumerate(parts[1:], start=2):
        if not hasattr(found, part):
            importlib.import_module(".".join(parts[:number]))
        found = getattr(found, part)


def test_every_room_is_on_the_map() -> None:
    rooms = {module.name for module in pkgutil.iter_modules(harness.__path__) if module.ispkg}
    first_cells = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    assert rooms == {name for cell in first_cells for name in re.findall(r"`([a-z]+)`", cell)}


def test_at_most_ten_modules_lie_loose() -> None:
    loose = [module.name for module in pkgutil.iter_modules(harness.__path__) if not module.ispkg]
    assert len(loose) <= 10


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(commands.__path__)])
def test_what_lies_among_the_commands_is_a_command(name: str) -> None:
    command = importlib.import_module(f"harness.commands.{name}")
    assert callable(command.main)
    assert command.__doc__
