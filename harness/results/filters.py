"""Filters of runs in pandas' query language, of which they are the harmless part: comparisons of columns with constants
or each other, ``in``, ``and``, ``or``, ``not``. Nothing is called, no attribute is reached.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from harness.errors import Refused, closest_match, echoed
from harness.results import frames, run_facts, tables
from harness.results.frames import Frames

LONGEST = 2_000
"""Characters of a filter."""
LISTED = 30
"""Values of a column that a message lists."""
ORDERED = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)
PLACE = "column_{}"
"""The name that pandas gets for a column, whatever its own is."""


def applied(found: Frames, filters: Sequence[str]) -> tuple[Frames, list[str]]:
    """The runs for which every filter holds, and a line for each text in a filter that no run has.

    Raises :class:`Refused` for what is no filter, and where no run is left.
    """
    if not filters:
        return found, []
    table = columns(found)
    kept = np.ones(len(table), bool)
    remarks: list[str] = []
    for text in filters:
        read = _Filter(text, table)
        chosen = kept & read.mask()
        strange = read.strange()
        if not chosen.any():
            known = "; ".join(strange or read.values())
            raise Refused(f"{text}: no run is left{'; ' + known if known else ''}")
        kept, remarks = chosen, remarks + [f"{text}: {line}" for line in strange]
    return frames.take(found, np.flatnonzero(kept)), remarks


def columns(found: Frames) -> pd.DataFrame:
    """What filters may ask of each run: :func:`harness.results.run_facts.facts` and ``keys``, and ``method``, its label
    among all.
    """
    facts = run_facts.facts(found).assign(method=tables.named(found).method.to_numpy())
    return pd.concat([facts, run_facts.keys(found)], axis=1)


class _Filter:
    """One filter, checked and ready to be asked."""

    def __init__(self, text: str, table: pd.DataFrame) -> None:
        self._text, self._table = text, table
        self._used: dict[str, str] = {}
        self._texts: list[tuple[str, str]] = []
        tree = _parsed(text)
        self._expression = ast.unparse(self._checked(tree))

    def mask(self) -> np.ndarray:
        """For which runs it holds. What is unknown of a run is unequal to everything."""
        asked = pd.DataFrame({place: self._table[name] for name, place in self._used.items()})
        try:
            answer = asked.eval(self._expression, engine="python")
        except Exception as error:  # what pandas raises depends on what meets what
            raise Refused(f"{self._text}: these cannot be compared: {error}") from error
        if not isinstance(answer, pd.Series):
            raise Refused(f"{self._text}: a filter says for which runs it holds, by comparing a column")
        known = answer.astype("boolean").fillna(False) if answer.dtype != bool else answer
        return known.to_numpy(bool)

    def strange(self) -> list[str]:
        """What is said of a column of text that no run has."""
        lines = []
        for name, value in self._texts:
            known = _values(self._table[name])
            if value not in known:
                close = closest_match(value, known, {})
                guess = f", did you mean '{close}'?" if close else ""
                lines.append(f"no run has {name} '{echoed(value)}'{guess or f'; these are: {_list(known)}'}")
        return lines

    def values(self) -> list[str]:
        """What there is in the columns that are asked."""
        return [f"{name} is {_list(_values(self._table[name]))}" for name in self._used]

    def _checked(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.BoolOp):
            return ast.BoolOp(node.op, [self._checked(value) for value in node.values])
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
            return ast.UnaryOp(ast.Not(), self._checked(node.operand))
        if isinstance(node, ast.Compare):
            return self._comparison(node)
        if isinstance(node, ast.Name | ast.Attribute):
            name = self._column(node)
            if self._table[name].dtype != bool:
                raise Refused(f"{self._text}: {name} is not true or false by itself: compare it, as in {name} == ...")
            return ast.Name(self._used[name])
        raise self._refused(node)

    def _comparison(self, node: ast.Compare) -> ast.expr:
        sides = [node.left, *node.comparators]
        made = [self._operand(side) for side in sides]
        for left, operation, right in zip(sides, node.ops, sides[1:], strict=False):
            among = isinstance(operation, ast.In | ast.NotIn)
            if among and not (_is_name(left) and isinstance(right, ast.List | ast.Tuple)):
                raise Refused(f'{self._text}: \'in\' takes a column and a list, as in encoding in ["rope", "nope"]')
            if not among and not isinstance(operation, ORDERED):
                raise self._refused(node)
            if not (_is_name(left) or _is_name(right)):
                raise Refused(f"{self._text}: {echoed(ast.unparse(node))} compares no column")
            if isinstance(operation, ast.Eq | ast.In):
                for name, value in ((left, right), (right, left)):
                    if _is_name(name):
                        self._texts += [(self._column(name), text) for text in _texts(value)]
        return ast.Compare(made[0], node.ops, made[1:])

    def _operand(self, node: ast.expr) -> ast.expr:
        if _is_name(node):
            return ast.Name(self._used[self._column(node)])
        if isinstance(node, ast.List | ast.Tuple):
            return ast.List([self._constant(element) for element in node.elts])
        return self._constant(node)

    def _constant(self, node: ast.expr) -> ast.expr:
        inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd) else node
        allowed = (bool, int, float, str) if inner is node else (int, float)
        if isinstance(inner, ast.Constant) and type(inner.value) in allowed:
            return node
        if _is_name(inner):
            self._column(inner)
        raise self._refused(node)

    def _column(self, node: ast.expr) -> str:
        """The column that a name, or names with dots between, stand for."""
        name = ast.unparse(node)
        if name not in self._table:
            known = [str(column) for column in self._table]
            if name in RESULTS:
                raise Refused(
                    f"{self._text}: {name} is a result: a filter asks what was run, and chooses no run by its score; "
                    f"these can be asked: {', '.join(known)}"
                )
            close = closest_match(name, known, {})
            guess = f"; did you mean '{close}'?" if close else "."
            raise Refused(
                f"{self._text}: there is no column '{echoed(name)}'{guess} Text is written in quotes. "
                f"Columns: {', '.join(known)}"
            )
        self._used.setdefault(name, PLACE.format(len(self._used)))
        return name

    def _refused(self, node: ast.AST) -> Refused:
        return Refused(
            f"{self._text}: {echoed(ast.unparse(node))} is none of what a filter has: columns, numbers, text in "
            "quotes, lists of these after 'in', ==, !=, <, <=, >, >=, and, or, not"
        )


RESULTS = frozenset(
    {
        *("score", "rank", "converged", "in_distribution", "exact_match", "token_accuracy", "bits", "reach", "area"),
        *("above_guess", "farther", "status", "final_loss", "training_seconds", "evaluation_seconds"),
        *("training_tokens", "training_positions", "training_flops"),
    }
)
"""Columns of tables by which runs are not chosen."""


def _parsed(text: str) -> ast.expr:
    """The syntax tree of a filter, in which & and | are ``and`` and ``or``, as pandas reads them."""
    if len(text) > LONGEST:
        raise Refused(f"{text}: a filter has at most {LONGEST} characters")
    if re.search(r"(?<![=!<>])=(?!=)", re.sub(r"\"[^\"]*\"|'[^']*'", "", text)):
        raise Refused(f'{text}: a filter compares with ==, as in task == "copy"')
    words = {"&": "and", "|": "or"}
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(" ".join(text.split("\n"))).readline))
        spelt = [(tokenize.NAME, words[t.string]) if t.string in words else (t.type, t.string) for t in tokens]
        return ast.parse(tokenize.untokenize(spelt).strip(), mode="eval").body
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError) as error:
        raise Refused(f"{text}: this cannot be read as a filter, such as 'task == \"copy\" and seed < 3'") from error


def _is_name(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) or (isinstance(node, ast.Attribute) and _is_name(node.value))


def _texts(node: ast.expr) -> list[str]:
    """The text constants of one side of a comparison."""
    nodes = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return [one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def _values(column: pd.Series) -> list[str]:
    return [str(value) for value in sorted(column.dropna().unique(), key=lambda value: (str(type(value)), value))]


def _list(values: Iterable[str]) -> str:
    known = list(values)
    return ", ".join(known[:LISTED]) + (f" and {len(known) - LISTED} more" if len(known) > LISTED else "")
