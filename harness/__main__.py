"""``python -m harness``."""

import sys

# `python -m` puts the working folder first, where anything could lie under the name of something that is imported here.
# Packages of the user's own are found in it all the same (harness.config.user_packages).
if not sys.flags.safe_path:
    sys.path.pop(0)

from harness.cli import main

if __name__ == "__main__":
    sys.exit(main())
