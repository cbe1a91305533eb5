"""Write a choice of your own, ready to run: a Python file, its YAML, a test, and the table that finds them.

python -m harness new encoding far                        in the folder of your project, or the working folder
python -m harness new task sums --folder ~/mine --package my_tasks

The groups are task, encoding, positions, extension, architecture and study. What is written is an example that works:
run it, then change it. Nothing is overwritten.
"""

import argparse

from harness import atomic
from harness.composition import new_choices
from harness.composition.arguments import Parser, path
from harness.files import user_paths


def main(arguments: list[str]) -> int:
    parser = Parser(
        prog="python -m harness new", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("group", help=", ".join(new_choices.groups()))
    parser.add_argument("name", help="the name of the choice: small letters, digits and _")
    parser.add_argument("--folder", type=path, help="your own folder (default: that of the project you are in)")
    parser.add_argument(
        "--package", help=f"the Python package (default: the project's first, or {new_choices.PACKAGE})"
    )
    parsed = parser.read(arguments)
    folder = new_choices.home(parsed.folder)
    files = new_choices.files(parsed.group, parsed.name, folder, parsed.package)
    for place in files:
        user_paths.check_folder(place.parent, f"new {parsed.group} {parsed.name}")
    for place, text in files.items():  # the table last, so that it names nothing that is not there
        atomic.write(place, text)
        print(f"wrote {place}")
    print("next, in that folder or below:")
    for line in new_choices.commands(parsed.group, parsed.name):
        print(f"  {line}")
    return 0
