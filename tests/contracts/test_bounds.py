"""Every option has bounds, and within them nothing breaks: a senseless value is refused before PyTorch is loaded."""

import math
from collections.abc import Callable
from typing import Annotated, Literal, get_args, get_origin

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from support import choices

from harness import declarations
from harness.config import catalogue, identity, instantiation, network
from harness.config.options import ANNOTATIONS
from harness.config.schema import Run
from harness.declarations.bounds import Bounded
from harness.dimensions import Dimensions
from harness.errors import Refused
from harness.evaluation import scoring

GROUPS = ("encoding", "positions", "extension", "logit", "architecture")
TRAINING = ("optimizer", "schedule")
CLASSES = sorted(
    {(group, choice.target) for group in (*GROUPS, *TRAINING) for choice in catalogue.choices(group) if choice.target}
)
NUMBERS = [
    (group, target, name)
    for group, target in CLASSES
    for name, option in declarations.lookup(target).options.items()
    if get_origin(eval(option.annotation, {}, ANNOTATIONS)) is not Literal and option.annotation not in ("bool", "str")
]


@pytest.mark.parametrize(("group", "target", "name"), NUMBERS, ids=lambda part: str(part).rpartition(".")[2])
def test_a_number_has_bounds_on_both_sides(group: str, target: str, name: str) -> None:
    """So no table outgrows the memory and no number float32."""
    option = declarations.lookup(target).options[name]
    annotation = eval(option.annotation, {}, ANNOTATIONS)
    item = get_args(annotation)[0] if get_origin(annotation) not in (Annotated, None) else annotation
    if "Sequence" in str(item):
        (item,) = get_args(get_args(item)[0])
    adapter = TypeAdapter(item)
    for value in (-(2**200), 2**200):
        with pytest.raises(ValidationError):
            adapter.validate_python(value)
    default = option.default if isinstance(option.default, tuple) else (option.default,)
    for value in default:
        adapter.validate_python(value)


def test_a_class_that_python_calls_directly_is_held_to_its_bounds() -> None:
    class Made(Bounded):
        def __init__(self, *, share: Annotated[float, ANNOTATIONS["Field"](gt=0, lt=1)] = 0.5) -> None:
            self.share = share

    assert Made(share=0.25).share == 0.25
    with pytest.raises(ValueError, match=r"^share=1\.5: it must be below 1$"):
        Made(share=1.5)


EXTREME = (0, 0.5, 1, 1e-30, 1e6)
TINY = (
    "model.dimension=16",
    "model.heads=2",
    "model.layers=2",
    "lengths.shortest=2",
    "lengths.train=6",
    "lengths.grid=[6,14]",
)


def fitting(group: str, name: str) -> list[str]:
    """A run in which the choice can be."""
    target = next(choice.target for choice in catalogue.choices(group) if choice.name == name)
    declared = declarations.lookup(str(target)).attributes
    if group == "extension":
        table = ["encoding=learned"] if declared["needs"] == "table" else []
        return [*TINY, f"extension=[{name}]", *table]
    if group == "architecture":
        without = declared["mode"] == "attention-free"
        return [*TINY, f"architecture={name}", "encoding=nope" if without else "encoding=sinusoidal"]
    return [*TINY, f"{group}={name}"]


def finite(run: Run) -> bool:
    """Whether the scores of fresh weights at the longest tested length are numbers."""
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    model = network.model(run, task, layout)
    lengths = identity.tested_lengths(run, task)
    scores = scoring.evaluate(
        model,
        task,
        layout,
        instantiation.rule(run),
        instantiation.extensions(run),
        lengths[-1:],
        train_length=run.lengths.train,
        examples=2,
        device=torch.device("cpu"),
    )
    return all(np.isfinite(score.nats) for score in scores)


@pytest.mark.slow
@pytest.mark.parametrize("group", GROUPS)
def test_what_is_not_refused_works(group: str, composed: Callable[..., Run], capfd: pytest.CaptureFixture[str]) -> None:
    """Each option of each choice at extreme values: refused without PyTorch, or finite scores."""
    tried = 0
    one_per_class = {choice.target: choice.name for choice in catalogue.choices(group)}
    for name in one_per_class.values():
        base = fitting(group, name)
        try:
            run = composed(*base)
        except Refused:  # it needs other positions or another architecture: its bounds are those of its class
            continue
        component = run.extension[name] if group == "extension" else getattr(run, group)
        for option, default in component.options.items():
            if not isinstance(default, (int, float)) or isinstance(default, bool):
                continue
            path = f"extension.{name}.{option}" if group == "extension" else f"{group}.{option}"
            for value in EXTREME:
                try:
                    made = composed(*base, f"{path}={value}")
                except Refused:
                    continue
                assert finite(made), f"{name} {path}={value}"
                tried += 1
    assert tried > 10 or group == "logit"


OBJECTIONS = {
    ("model.dimension=15", "model.heads=5", "encoding=rope"): "encoding=rope: 3 channels of a head do not make pairs",
    ("model.dimension=15", "model.heads=5", "encoding=sinusoidal"): "encoding=sinusoidal: 15 channels of the model do",
    (
        "model.heads=1",
        "encoding=alibi",
        "encoding.later=one_sided",
    ): "encoding=alibi: later=one_sided: it needs an even",
    ("encoding.fraction=0.35",): "encoding=rope: fraction=0.35: it must make an even number of the 16 channels",
    ("encoding.kept=0.01",): "encoding=rope: kept=0.01: it must keep at least one of 8 pairs",
    ("lengths.train=1", "encoding.base=0"): "encoding=rope: base=0: it must be set where training has 4 tokens",
    (
        "lengths.train=2",
        "encoding=fope",
    ): "encoding=fope: none of the pairs that 16 channels of a head make can be used",
    ("encoding=t5", "encoding.farthest=9"): "encoding=t5: farthest=9: it must be above 16",
    ("encoding=deberta", "encoding.buckets=80", "encoding.farthest=9"): "encoding=deberta: farthest=9: it must be at",
    ("encoding=xpos", "encoding.scale_base=1"): "encoding=xpos can compute with positions at most 59 apart, but at",
    (
        "architecture=cnn",
        "encoding=nope",
        "architecture.dilation=5",
        "model.layers=12",
    ): "architecture=cnn: dilation=5:",
    ("extension=[longrope]", "extension.longrope.long=[1,2]"): "extension=longrope: long: 2 factors are given for 8",
    ("extension=[longrope]", "extension.longrope.short=[1,2]"): "extension=longrope: short: 2 factors are given for 8",
    ("extension=[leaky_rerope]", "extension.leaky_rerope.window=50"): "extension=leaky_rerope: window=50: it must be",
    (
        "extension=[self_extend]",
        "extension.self_extend.window=50",
    ): "extension=self_extend: window=50: it must be below",
    ("extension=[yarn]", "extension.yarn.factor=-2"): "extension.yarn.factor=-2: it must be 0 or at least 1",
    ("extension=[llama3]", "extension.llama3.factor=-2"): "extension.llama3.factor=-2: it must be 0 or at least 1",
    (
        "extension=[longrope]",
        "extension.longrope.factor=-2",
    ): "extension.longrope.factor=-2: it must be 0 or at least 1",
}


@pytest.mark.parametrize("overrides", OBJECTIONS, ids=" ".join)
def test_sizes_that_do_not_fit_are_refused_before_anything_is_built(
    overrides: tuple[str, ...], composed: Callable[..., Run]
) -> None:
    with pytest.raises(Refused) as refused:
        composed(*overrides)
    assert OBJECTIONS[overrides] in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", [name for name in choices("encoding") if not name.startswith("pretrained")])
@pytest.mark.parametrize("fraction", [{}, {"fraction": 0.5}])
def test_the_number_of_frequencies_is_known_in_advance(name: str, fraction: dict[str, float]) -> None:
    """Extensions with a number for each are checked by it."""
    from support import component

    target = next(str(choice.target) for choice in catalogue.choices("encoding") if choice.name == name)
    declared = declarations.lookup(target)
    if "frequencies" not in declared.attributes["offers"]:
        pytest.skip("it offers none")
    if fraction and "fraction" not in declared.options:
        pytest.skip("it turns all channels")
    from types import SimpleNamespace

    dimensions = Dimensions(24, 3, 2, 42)
    options = {**{key: option.default for key, option in declared.options.items()}, **fraction}
    made = component("encoding", name, dimensions, **fraction)
    assert declared.functions["frequency_count"](dimensions, SimpleNamespace(**options)) == len(
        made.get_buffer("frequencies")
    )


def test_the_span_of_xpos_is_where_it_stops_by_itself() -> None:
    from types import SimpleNamespace

    from harness.encodings.xpos import XPos

    dimensions = Dimensions(16, 2, 2, 42)
    span = XPos.widest_span(dimensions, SimpleNamespace(scale_base=2.0, gamma=0.4))
    assert span is not None
    encoding = XPos(dimensions, scale_base=2.0)
    q = torch.ones(1, 2, 2, 8)
    encoding.rotate(q, q, *[torch.tensor([[0, span]])] * 2, {})
    with pytest.raises(IndexError, match="scale_base higher"):
        encoding.rotate(q, q, *[torch.tensor([[0, span + 2]])] * 2, {})
    assert math.isfinite(span)
