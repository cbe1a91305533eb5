"""A claim about a choice, and what comes of checking it."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from harness.errors import Refused, echoed

Verdict = Literal["holds", "fails", "does not apply"]


class Failed(AssertionError):
    """A claim does not hold. The message says what was seen."""


class DoesNotApply(Exception):
    """There is nothing that the claim could be about. The message says why."""


class Claim(NamedTuple):
    """A sentence, and a function that checks it and gives what it saw, if that is worth a word."""

    sentence: str
    check: Callable[[], str | None]


class Outcome(NamedTuple):
    """What came of a claim, and what was seen."""

    claim: str
    verdict: Verdict
    seen: str

    def __str__(self) -> str:
        return f"{self.verdict}: {self.claim}" + (f" ({self.seen})" if self.seen else "")


def require(true: Any, seen: str) -> None:
    """Raise :class:`Failed` with what was seen unless ``true``."""
    if not true:
        raise Failed(seen)


def about(functions: Iterable[Callable[[Any], str | None]], subject: Any) -> Iterator[Claim]:
    """What these functions claim of a subject."""
    for function in functions:
        yield Claim(sentence(function), lambda function=function: function(subject))  # type: ignore[misc]


def sentence(function: Callable[..., Any]) -> str:
    """What a function claims: the first paragraph of its docstring."""
    return " ".join((inspect.getdoc(function) or function.__name__).split("\n\n")[0].split()).rstrip(".")


def outcome(claim: Claim) -> Outcome:
    """Check one claim. An error of any kind in what is checked is a failure of the claim."""
    try:
        return Outcome(claim.sentence, "holds", claim.check() or "")
    except DoesNotApply as reason:
        return Outcome(claim.sentence, "does not apply", str(reason))
    except (Failed, Refused) as failure:
        return Outcome(claim.sentence, "fails", str(failure))
    except Exception as error:
        lines = str(error).strip().splitlines() or [""]
        return Outcome(claim.sentence, "fails", echoed(f"{type(error).__name__}: {lines[0]}{_place(error)}"))


def _place(error: BaseException) -> str:
    """Where in a file the error was raised, seen from the last function that is none of PyTorch's or Python's."""
    frame, place = error.__traceback__, ""
    while frame is not None:
        file = frame.tb_frame.f_code.co_filename
        if "site-packages" not in file and not file.startswith("<") and "harness/checks" not in file:
            place = f", {file.rpartition('/')[2]} line {frame.tb_lineno}"
        frame = frame.tb_next
    return place
