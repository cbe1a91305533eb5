"""``python -m harness``."""

import sys

# `python -m` puts the working folder first, where a folder called tasks would hide ours.
if not sys.flags.safe_path:
    sys.path.append(sys.path.pop(0))

from harness.cli import main

if __name__ == "__main__":
    sys.exit(main())
