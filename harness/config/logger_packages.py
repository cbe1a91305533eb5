"""Whether the packages are installed that the loggers of a run need. Nothing is imported."""

from __future__ import annotations

import importlib.util

from harness import declarations
from harness.config.schema import Run
from harness.errors import Refused


def check(run: Run) -> None:
    """Raise :class:`Refused` where one is not."""
    for name, component in run.logger.items():
        package = declarations.lookup(component.target).attributes.get("package", "")
        if package and importlib.util.find_spec(package) is None:
            raise Refused(
                f"logger={name} needs the package {package}: pip install 'length-generalization-harness[{package}]'"
            )
