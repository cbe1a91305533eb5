"""Complete words in a shell, with the key Tab.

eval "$(python -m harness completion bash)"     for ~/.bashrc
eval "$(python -m harness completion zsh)"      for ~/.zshrc, after compinit
python -m harness completion fish | source      for ~/.config/fish/config.fish
"""

import argparse
import os

from harness.composition.arguments import Parser
from harness.errors import Refused

ANSWER = "answer"
"""What a shell asks: it says in COMP_LINE what is written, and in COMP_POINT where the cursor stands."""


def main(arguments: list[str]) -> int:
    """Print what a shell has to evaluate, or as it asks, a completion per line."""
    from harness.composition import completion

    parser = Parser(
        prog="python -m harness completion", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shell", choices=completion.shells(), metavar="SHELL", help=", ".join(completion.shells()))
    if arguments == [ANSWER]:
        line = os.environ.get("COMP_LINE", "")
        point = os.environ.get("COMP_POINT", "")
        for found in completion.answers(line[: int(point)] if point.isdecimal() else line):
            print(found)
        return 0
    if not arguments:
        raise Refused("name a shell: python -m harness completion bash, zsh or fish; --help says where it belongs")
    print(completion.script(parser.read(arguments).shell), end="")
    return 0
