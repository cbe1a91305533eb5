"""Write docs/api.md, what `import harness` offers, from the docstrings in its source: ``python docs/make_api.py``."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import harness

ROOT = Path(__file__).resolve().parents[1]

HEAD = """\
# From Python

What `import harness` offers, for notebooks and scripts. A test holds this page to the docstrings (`python
docs/make_api.py` writes it). [notebook.ipynb](notebook.ipynb) uses all of it in a few cells; a test executes them.

Importing takes no time: each name is loaded when it is first used, and PyTorch only by `run` and `model`. Choices and
values are those of the command line, and so are errors: `harness.errors.Refused`, one line that says what would be
right. All is typed (`py.typed`).
"""

ORDER = (
    "run", "Result", "sweep", "load", "Results", "leaderboard", "score", "model", "Trained", "Inputs", "Tokenizer",
)  # fmt: skip


def page() -> str:
    """The whole page."""
    assert sorted(ORDER) == sorted(harness.__all__)
    lines = [HEAD]
    for name in ORDER:
        lines += [f"## harness.{name}", "", *_entry(name, _definition(name))]
    return "\n".join(lines).rstrip() + "\n"


def _definition(name: str) -> ast.FunctionDef | ast.ClassDef:
    """What a name of harness is, in the source."""
    source = ROOT / "harness" / "notebook" / f"{harness._PLACES[name]}.py"
    body = ast.parse(source.read_text()).body
    found = [node for node in body if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name]
    return found[0]


def _entry(name: str, node: ast.FunctionDef | ast.ClassDef) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        yield from _code(f"harness.{_signature(node)}")
        yield from _prose(ast.get_docstring(node))
        return
    yield from _prose(ast.get_docstring(node))
    for title, said in _members(node):
        yield from [f"### {title}", "", *_prose(said)]


def _members(node: ast.ClassDef) -> Iterator[tuple[str, str | None]]:
    """The documented public members of a class, as it is used: ``result.table``, ``result.plot()``."""
    own = node.name.lower()
    body = [*node.body, *_assigned(node)]
    for here, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(here, ast.FunctionDef) and not here.name.startswith("_"):
            is_property = any(isinstance(d, ast.Name) and d.id == "property" for d in here.decorator_list)
            returned = f" -> {ast.unparse(here.returns)}" if here.returns else ""
            yield f"`{own}.{here.name + returned if is_property else _signature(here)}`", ast.get_docstring(here)
        elif isinstance(here, ast.AnnAssign | ast.Assign) and isinstance(following, ast.Expr):
            target = here.target if isinstance(here, ast.AnnAssign) else here.targets[0]
            name = target.attr if isinstance(target, ast.Attribute) else ast.unparse(target)
            kind = f": {ast.unparse(here.annotation)}" if isinstance(here, ast.AnnAssign) else ""
            if isinstance(following.value, ast.Constant) and not name.startswith("_"):
                yield f"`{own}.{name}{kind}`", inspect.cleandoc(str(following.value.value))


def _assigned(node: ast.ClassDef) -> list[ast.stmt]:
    """What the constructor says of attributes."""
    made = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
    return made[0].body[1:] if made and ast.get_docstring(made[0]) else made[0].body if made else []


def _signature(node: ast.FunctionDef) -> str:
    arguments = ast.unparse(node.args)
    returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"{node.name}({re.sub(r'^self(, )?', '', arguments)}){returned}"


def _prose(docstring: str | None) -> list[str]:
    """A docstring as Markdown: names between single backquotes, examples in fences."""
    text = docstring or ""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if inside and line and not line.startswith("    "):
            while lines[-1] == "":
                lines.pop()
            lines += ["```", ""]
            inside = False
        if inside:
            lines.append(line[4:])
            continue
        said = re.sub(r":\w+:`~?([^`]*)`", r"`\1`", line).replace("``", "`")
        if said.endswith("::"):
            lines += [said[:-1], "", "```python"]
            inside = True
        else:
            lines.append(said)
    opening = [number for number, line in enumerate(lines) if line == "```python"]
    for number in reversed(opening):  # the blank line after "::"
        if lines[number + 1] == "":
            del lines[number + 1]
    return [*lines, *(["```"] if inside else []), ""]


def _code(text: str) -> list[str]:
    return ["```python", text, "```", ""]


if __name__ == "__main__":
    (ROOT / "docs" / "api.md").write_text(page())
