"""``python -m harness``."""

import os
import sys

# `python -m` puts the working folder first, where a folder called tasks would hide ours. It goes last, so that packages
# of one's own are found in it; a sweep starts its runs without it in front.
if not sys.flags.safe_path:
    sys.path.pop(0)
sys.path.append(os.getcwd())

from harness.cli import main

if __name__ == "__main__":
    sys.exit(main())
