"""Bounds of options, stated once, in the signature of the constructor: ``base: Base = 10000.0``, ``width: Count = 32``.

The command line checks them before PyTorch is loaded, and a constructor called directly from Python checks them too
(:class:`Bounded`). Anything that pydantic understands as ``Annotated[float, Field(gt=0, lt=1)]`` is a bound; here are
those that several classes need. The upper bounds, far above useful values, keep memory and float32 from overflowing.
"""

import functools
import inspect
import typing
from collections.abc import Callable
from types import SimpleNamespace
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticCustomError

LARGEST = 2**22
"""Rows of a table, or a position: about four times the longest length that a task can have."""


def _zero_or(least: float) -> AfterValidator:
    def check(value: float) -> float:
        if value != 0 and value < least:
            raise PydanticCustomError("zero_or", "Input should be 0 or at least {least}", {"least": least})
        return value

    return AfterValidator(check)


Count = Annotated[int, Field(ge=1, le=LARGEST)]
"""A number of things: at least one."""
CountOrZero = Annotated[int, Field(ge=0, le=LARGEST)]
"""The same, where 0 means none, or a number derived from other sizes."""
PairOrZero = Annotated[int, Field(le=LARGEST, json_schema_extra={"zero_or": 2}), _zero_or(2)]
"""At least two, or 0 for a number derived from other sizes."""
Taps = Annotated[int, Field(ge=1, le=4096)]
"""Tokens that a convolution spans."""
Width = Annotated[int, Field(ge=1, le=2**14)]
"""The width of a layer."""
WidthOrZero = Annotated[int, Field(ge=0, le=2**14)]
"""The same, where 0 means one derived from other sizes."""
Few = Annotated[int, Field(ge=1, le=64)]
"""The number of parts that a network holds as separate modules."""
Base = Annotated[float, Field(ge=1.01, le=1e30)]
"""The base of a geometric series of frequencies. With a smaller one all would be the same."""
BaseOrZero = Annotated[float, Field(le=1e30, json_schema_extra={"zero_or": 1.01}), _zero_or(1.01)]
"""The same, where 0 means one fitted to the training length."""
Deviation = Annotated[float, Field(ge=0, le=100)]
"""The standard deviation of initial weights."""
Positive = Annotated[float, Field(gt=1e-30, le=1e6)]
"""Above 0."""
NotNegative = Annotated[float, Field(ge=0, le=1e6)]
"""0 or above."""
Start = Annotated[float, Field(ge=-100, le=100)]
"""The initial value of a learned number."""
Dropout = Annotated[float, Field(ge=0, lt=1)]
"""The share of numbers that dropout sets to 0: never all."""
Share = Annotated[float, Field(ge=0, le=1)]
"""A fraction."""
Momentum = Annotated[float, Field(ge=0, lt=1)]
"""The decay rate of a running mean."""
Tiny = Annotated[float, Field(ge=1e-30, le=1)]
"""A small number that keeps a denominator from being 0."""
Expansion = Annotated[float, Field(ge=0.01, le=64)]
"""A multiple of the width of the model, or of a head."""
Factor = Annotated[float, Field(ge=1, le=1e6)]
"""A multiple of the training length."""
FactorOrZero = Annotated[float, Field(le=1e6, json_schema_extra={"zero_or": 1}), _zero_or(1)]
"""The same, where 0 means that of the tested length."""
Text = Annotated[str, Field(max_length=4096)]
"""A name, a path or a pattern."""
Norm = Literal["pre", "post", "sandwich"]
"""Whether a sublayer of a block reads a normalised input, its sum with the input is normalised, or what it reads and
what it adds are.
"""
Normalizer = Literal["layer_norm", "rms_norm"]
Activation = Literal["gelu", "gelu_tanh", "relu", "swiglu", "geglu"]
"""Of a feed-forward layer. ``gelu_tanh`` is the approximation in GPT-2; ``swiglu`` and ``geglu`` have a gate."""
Biases = Literal["feed_forward", "everywhere", "nowhere"]
"""Which linear layers of a block have biases."""


class Bounded:
    """Makes constructors check the bounds in their signatures and the objections of the class, also when Python calls
    them directly. They raise :class:`ValueError` with one line.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = _checked(cls.__init__)  # type: ignore[method-assign]


def _checked(constructor: Callable[..., None]) -> Callable[..., None]:
    signature = inspect.signature(constructor)
    options = [p.name for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY]

    @functools.wraps(constructor)
    def checking(self: Any, *arguments: Any, **given: Any) -> None:
        for name, adapter in _adapters(constructor).items():
            if name in given:
                try:
                    adapter.validate_python(given[name])
                except ValidationError as error:
                    raise ValueError(f"{name}={given[name]}: {complaint(error)}") from error
        objection = getattr(type(self), "objection", None)
        if objection and arguments and type(self).__init__ is checking:  # a subclass of the user's checks its own
            defaults = {name: signature.parameters[name].default for name in options}
            dimensions = getattr(arguments[0], "dimensions", arguments[0])  # mixers are made for a layer, which has one
            if said := objection(dimensions, SimpleNamespace(**{**defaults, **given})):
                raise ValueError(said)
        constructor(self, *arguments, **given)

    return checking


@functools.cache
def _adapters(constructor: Callable[..., None]) -> dict[str, TypeAdapter[Any]]:
    """A validator for each option that has bounds."""
    names = getattr(constructor, "__globals__", {})
    adapters = {}
    for parameter in inspect.signature(constructor).parameters.values():
        annotation = parameter.annotation
        if isinstance(annotation, str):
            try:
                annotation = eval(annotation, names)  # noqa: S307 - the source of the class at hand
            except NameError:  # a name that exists for a type checker only
                continue
        if _is_bounded(annotation):
            adapters[parameter.name] = TypeAdapter(annotation)
    return adapters


def _is_bounded(annotation: Any) -> bool:
    if typing.get_origin(annotation) is Annotated:
        return True
    return any(_is_bounded(part) for part in typing.get_args(annotation))


def complaint(error: ValidationError) -> str:
    """The first error of pydantic, as the end of a line that begins with the option."""
    first = error.errors(include_url=False)[0]
    it = str(first["input"]) if any(isinstance(part, int) for part in first["loc"]) else "it"  # an item of a list
    for kind, words in _WORDS.items():
        if first["type"] == kind:
            (bound,) = first["ctx"].values()
            return f"{it} must be {words} {bound if isinstance(bound, int) else _shown(bound)}"
    return first["msg"].removeprefix("Value error, ").replace("Input should be", f"{it} should be")


def _shown(bound: float) -> str:
    return "0" if 0 < bound < 1e-12 else f"{bound:g}"  # the least float that is more than 0 in float32 too


_WORDS = {
    "greater_than": "above",
    "greater_than_equal": "at least",
    "less_than": "below",
    "less_than_equal": "at most",
    "zero_or": "0 or at least",
}
"""Words for the kinds of bounds."""
