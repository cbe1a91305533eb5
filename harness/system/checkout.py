"""The git checkout that the program runs from."""

import subprocess
from pathlib import Path
from typing import Any


def commit() -> dict[str, Any]:
    """The commit of the code and whether files differ from it; empty outside a git checkout."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return {"commit": "", "modified": False}

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()

    try:
        return {
            "commit": git("rev-parse", "HEAD"),
            "modified": bool(git("status", "--porcelain", "--", "harness", "tasks", "conf")),
        }
    except (OSError, subprocess.SubprocessError):
        return {"commit": "", "modified": False}
