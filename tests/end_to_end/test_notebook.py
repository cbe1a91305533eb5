"""The notebook and the page of docs/ are what the program does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support import ROOT, environment, written_page

NOTEBOOK = json.loads((ROOT / "docs" / "notebook.ipynb").read_text())

SHOWN = """
import ast, sys, warnings
warnings.simplefilter("error", UserWarning)
scope = {"__name__": "__main__"}
for number, cell in enumerate(open(sys.argv[1]).read().split("\\0")):
    body = ast.parse(cell).body
    last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), f"cell {number}", "exec"), scope)
    if last is not None:
        value = eval(compile(last, f"cell {number}", "eval"), scope)
        if hasattr(value, "savefig"):
            value.savefig(f"{number}.png")
        else:
            print(number, value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))
print("all cells done")
"""
"""What Jupyter does with cells: execute them in one scope, and show the value of the last expression."""


def test_the_page_is_what_the_docstrings_say() -> None:
    assert written_page("make_api") == (ROOT / "docs" / "api.md").read_text(), "run python docs/make_api.py"


def test_the_notebook_holds_no_outputs() -> None:
    assert NOTEBOOK["nbformat"] == 4
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in NOTEBOOK["cells"])


@pytest.mark.slow
def test_every_cell_of_the_notebook_runs(tmp_path: Path) -> None:
    cells = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    (tmp_path / "cells").write_text("\0".join(cells))
    done = subprocess.run(
        [sys.executable, "-c", SHOWN, "cells"], cwd=tmp_path, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("all cells done\n")
    assert len(list(tmp_path.glob("*.png"))) == 3
