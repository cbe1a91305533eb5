"""Write docs/encodings.md from what the encodings declare: ``python docs/make_encodings.py``."""

import csv
import importlib
from dataclasses import replace
from pathlib import Path

from harness.attention.kernels import fusible
from harness.config import catalogue
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.logits.standard import Standard

ROOT = Path(__file__).resolve().parents[1]
DIMENSIONS = Dimensions(d_model=64, n_heads=4, n_layers=2, train_tokens=42)

HEAD = """\
# Position encodings

This page is written by `python docs/make_encodings.py` from what the classes declare; a test compares the two.

*Kind* is where an encoding enters the model: added to embeddings (absolute), content times position in the logits
(relative), a number added to the logits (bias), queries and keys rotated (rotary), or anything that depends on the
content of the tokens (content). *Parameters* are those of a model of two layers, width 64 and four heads. *Kernel*:
`fused` is PyTorch's attention without a bias; `strides` keeps one vector per head and never builds a matrix; `chunks`
builds the bias, `explicit` all logits, for some of the queries at a time.

*Sizes.* Defaults are the papers', so that a name means what its paper says and numbers can be compared. Many are made
for long sequences: where training has 42 tokens, 6 of the 8 rotary frequencies of a head of 16 channels never complete
a period, and 8 of T5's 32 buckets are never trained. An option with such a size takes 0 for a value scaled to the
training length (`encoding.base=0`, `encoding.farthest=0`); the class says by which rule. Only the windows of extensions
are scaled by default, because the papers' windows of 512 and more would change nothing at such lengths. Every run
reports what was never trained, and `python -m harness inspect encoding=... 'extension=[...]'` draws it.
"""

PARITY = """\
## Parity

The largest difference from numbers that independent implementations computed (`tests/golden/encodings`), as measured by
`pytest tests/parity --write-parity`, beside the test's tolerance. Every case of that folder is in this table or,
with the reason, in `tests/parity/test_all_cases.py`.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_encodings(), "", *_rest(), PARITY, *_parity(), ""])


def _encodings() -> list[str]:
    columns = ("name", "what it is", "kind", "modes", "shift-invariant", "longest position", "parameters", "kernel")
    rows = [_row(choice) for choice in catalogue.choices("encoding")]
    return _table(columns, rows)


def _row(choice: catalogue.Choice) -> tuple[str, ...]:
    module, _, name = str(choice.target).rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    encoding: Encoding = cls(DIMENSIONS)
    layers = encoding.for_layers(lambda number: cls(replace(DIMENSIONS, layer=number)), DIMENSIONS.n_layers)
    sizes = {parameter: parameter.numel() for layer in layers for parameter in layer.parameters()}
    return (
        f"`{choice.name}`",
        choice.meaning,
        encoding.kind,
        ", ".join(encoding.modes),
        _shifts(encoding),
        str(encoding.longest - 1) if encoding.longest else "any",
        f"{sum(sizes.values()):,}",
        _kernel(encoding),
    )


def _shifts(encoding: Encoding) -> str:
    if not encoding.shift_invariant:
        return ""
    return f"not with `{encoding.shift_variant_with}`" if encoding.shift_variant_with else "yes"


def _kernel(encoding: Encoding) -> str:
    if not fusible(encoding, Standard(DIMENSIONS)):
        return "explicit"
    if encoding.uses("bias"):
        return "chunks"
    return "strides" if encoding.uses("distance_bias") else "fused"


def _rest() -> list[str]:
    """The other axes of position: rules, extensions, logit scales."""
    lines = []
    for group, title in (("positions", "Position rules"), ("extension", "Extensions"), ("logit", "Logit scales")):
        lines += [f"## {title}", ""]
        lines += _table(("name", "what it does"), [(f"`{c.name}`", c.meaning) for c in catalogue.choices(group)])
        lines += [""]
    return lines


def _parity() -> list[str]:
    with (ROOT / "tests" / "golden" / "parity.csv").open(newline="") as file:
        rows = [tuple(row) for row in csv.reader(file)]
    return _table(rows[0], rows[1:])


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    return [_line(columns), _line(tuple("---" for _ in columns)), *map(_line, rows)]


def _line(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    (ROOT / "docs" / "encodings.md").write_text(page())
