"""The HTML document: the data, the style and the script in one file, under a policy that allows nothing else.

The policy names the style and the script by their digests and forbids all requests. With Trusted Types no text can be
parsed as HTML: whatever a record says is shown as text.
"""

import base64
import hashlib
import html
import json
from pathlib import Path
from string import Template
from typing import Any

from harness.figures.colours import COLOURS, ON_DARK

FILES = Path(__file__).with_name("files")
SCRIPTS = ("data", "elements", "state", "colours", "chart", "details", "heat", "rows", "views", "filters", "main")
"""The parts of the script, in the order in which they are joined."""
STEPS = 21
"""Colours of the heat map."""
TURNS = (16, 13)
"""The first of them on which text has the other colour, on a light and on a dark ground: contrasts are above 4.5."""
UNSAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What could end the element that the data stands in, or a line of a script, as JSON writes it otherwise."""


def document(data: dict[str, Any], title: str) -> str:
    """The page of this data. The same data give the same text."""
    style = Template(_file("style.css")).substitute(heat=_heat() + _methods())
    script = "\n".join(['"use strict";', "(() => {", *[_file(f"{name}.js") for name in SCRIPTS], "})();"])
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {_digest(script)}",
            f"style-src {_digest(style)}",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    return Template(_file("page.html")).substitute(
        policy=html.escape(policy, quote=True).replace("&#x27;", "'"),
        title=html.escape(title),
        style=style,
        script=script,
        data=json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(UNSAFE),
    )


def _file(name: str) -> str:
    return (FILES / name).read_text("utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _heat() -> str:
    """The rules of the heat map's colours, from low over middle to high."""
    half = (STEPS - 1) // 2
    lines = []
    for step in range(STEPS):
        low, high = ("low", "middle") if step <= half else ("middle", "high")
        share = 100 * (step if step <= half else step - half) // half
        ground = f"color-mix(in oklab, var(--heat-{high}) {share}%, var(--heat-{low}))"
        text = f"light-dark({'#fff' if step >= TURNS[0] else '#000'}, {'#000' if step >= TURNS[1] else '#fff'})"
        lines.append(f".v{step} {{ background-color: {ground}; color: {text}; }}")
    return "\n".join(lines) + "\n"


def _methods() -> str:
    """The rules of the methods' colours, for lines and for what they enclose."""
    return "".join(
        f".m{number} {{ stroke: light-dark({light}, {dark}); color: light-dark({light}, {dark}); }}\n"
        f".f{number} {{ fill: light-dark({light}, {dark}); }}\n"
        for number, (light, dark) in enumerate(zip(COLOURS, ON_DARK, strict=True))
    )
