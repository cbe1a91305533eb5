"""Reads the YAML file of a choice, which may contain mistakes: they are reported in one line that names the file,
before Hydra reads it.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from harness.errors import Refused, echoed

LARGEST = 2**18
"""Bytes of a file."""
DEEPEST = 20
"""Nesting depth of lists and mappings."""
MOST = 20_000
"""Values of a file; those repeated by an alias (``*name``) count each time."""
DIGITS = 300
"""Digits of a number."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def content(path: Path) -> dict[str, Any]:
    """The content of a file. Raises :class:`Refused`."""
    try:
        return parsed(text(path))
    except (ValueError, OverflowError) as error:
        raise Refused(f"{path}: {_reason(error)}") from error
    except yaml.YAMLError as error:
        raise Refused(f"{path}: this is not YAML: {_reason(error)}") from error


def text(path: Path) -> str:
    """A file as text. Raises :class:`ValueError`."""
    try:
        facts = path.stat()
        if stat.S_ISDIR(facts.st_mode):
            raise ValueError("this is a folder and no file")
        if not stat.S_ISREG(facts.st_mode):
            raise ValueError("this is not an ordinary file")
        if facts.st_size > LARGEST:
            raise ValueError(f"it has {facts.st_size} bytes, and the file of a choice has at most {LARGEST}")
        raw = path.read_bytes()
    except OSError as error:
        if path.is_symlink() and not path.exists():
            raise ValueError("this link points nowhere") from error
        raise ValueError(f"it cannot be read: {error.strerror}") from error
    if raw.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):
        raise ValueError("it begins with a byte order mark: save it as UTF-8 without one")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ValueError(f"it is not UTF-8 in line {line}: save it as UTF-8") from error


def parsed(text: str) -> dict[str, Any]:
    """YAML as plain values under keys that are text. Raises :class:`ValueError` and ``yaml.YAMLError``."""
    _check_extent(text)
    root = yaml.compose(text, Loader=LOADER)
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode):
        raise ValueError("it should hold keys with their values, such as 'base: 500'")
    for node in _mappings(root):
        _check_keys(node)
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - a safe loader


def _check_extent(text: str) -> None:
    """Check that nesting and repetition are bounded and that there are no custom types, in the stream of parser events,
    whose cost is linear in the text.
    """
    sizes: dict[str, int] = {}
    opened: list[tuple[str | None, int]] = []
    total = 0
    for event in yaml.parse(text, Loader=LOADER):
        place = f"in line {event.start_mark.line + 1}" if event.start_mark else ""
        if isinstance(event, yaml.DocumentStartEvent) and total:
            raise ValueError(f"a second document begins {place}: a file is one choice")
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = opened.pop()
            if anchor:
                sizes[anchor] = total - before
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        node: Any = event
        if getattr(node, "tag", None):
            raise ValueError(f"the tag {echoed(node.tag)} {place}: a value is a number, text, true, false, or a list")
        if isinstance(node, yaml.AliasEvent):
            if node.anchor not in sizes:
                raise ValueError(f"*{echoed(node.anchor)} {place} repeats nothing that ends before it")
            total += sizes[node.anchor]
        elif isinstance(node, yaml.CollectionStartEvent):
            opened.append((node.anchor, total))
            total += 1
        else:
            total += 1
            if node.anchor:
                sizes[node.anchor] = 1
            if len(node.value) > DIGITS and node.implicit[0] and node.value.lstrip("+-").isdigit():
                raise ValueError(f"the number {echoed(node.value)} {place} has more than {DIGITS} digits")
        if len(opened) > DEEPEST:
            raise ValueError(f"more than {DEEPEST} lists and mappings lie within one another {place}")
        if total > MOST:
            raise ValueError(f"these are more than {MOST} values {place}")


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    """All mappings of a document, which is small by now."""
    if isinstance(node, yaml.MappingNode):
        yield node
        for key, value in node.value:
            yield from _mappings(key)
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def _check_keys(node: yaml.MappingNode) -> None:
    keys = set()
    for key, _ in node.value:
        place = f"in line {key.start_mark.line + 1}"
        if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
            raise ValueError(
                f"the key {echoed(getattr(key, 'value', key))} {place} is not read as text: put it in quotes"
            )
        if key.value in keys:
            raise ValueError(f"the key {echoed(key.value)} occurs a second time {place}")
        keys.add(key.value)


def _reason(error: Exception) -> str:
    """The error of YAML or Python in one line."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem:
        mark = error.problem_mark or error.context_mark
        context = f"{error.context}, " if error.context else ""
        return f"{context}{error.problem}" + (f" in line {mark.line + 1}" if mark else "")
    return " ".join(str(error).split())
