"""The command that a record leads to does the same run again."""

import math
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from support import ROOT, choices

from harness.composition import reproduction, suggestions
from harness.composition.compose import composer
from harness.config import identity, instantiation
from harness.config.options import typed
from harness.config.schema import Component, Run
from harness.errors import Refused
from harness.results import records

Compose = Callable[..., Run]
PUBLISHED = sorted(
    path for folder in ("core_candidates", "six_encodings") for path in ROOT.glob(f"results/{folder}/records/*.json")
)
PUBLISHED += sorted(ROOT.glob("results/huang2025/records/*-seed0-*.json"))


def same_id(path: Path, compose: Callable[[list[str]], Run]) -> None:
    record = records.read(path)
    run = Run.model_validate({**record.config, "results": "results"})
    line = reproduction.command(reproduction.words(run))
    program, *overrides = line.split(" ", 3)[:3], *shlex.split(line)[3:]
    assert program == ["python", "-m", "harness"]
    made = compose(overrides)
    assert identity.run_name(made, instantiation.task(made)) == record.name, line


@pytest.mark.slow
def test_published_runs_get_their_id_again(composed: Compose) -> None:
    paths = [path for path in PUBLISHED if "-seed0-" in path.name][::4]
    assert len(paths) > 15
    for path in paths:
        same_id(path, lambda overrides: composed(*overrides))


def test_a_published_run_gets_its_id_again(composed: Compose) -> None:
    same_id(PUBLISHED[0], lambda overrides: composed(*overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        ["task=copy", "encoding=rope", "seed=0"],
        ["task=scan", "encoding=alibi", "schedule=cosine", "train=quick", "train.steps=7", "seed=3"],
        ["task=copy", "encoding=nope", "architecture=hybrid", "seed=0"],
        ["task=copy", "encoding=rope", "architecture=hybrid", "mixer=[mamba2,attention]", "pattern=[]", "seed=0"],
        ["task=copy", "encoding=rope", "extension=[extrapolate,ntk]", "extension.ntk.factor=8.0", "seed=0"],
        ["task=copy", "encoding=rope", "trainer=cpu", "trainer.deterministic=true", "launcher.threads=2", "seed=0"],
        ["task=copy", "encoding=rope", "evaluation.every=50", "lengths.train=10", "lengths.grid=[1,10,40]", "seed=0"],
        ["task=copy", "encoding=rope", "task.symbols=10", "train.learning_rate=1e-05", "seed=0"],
    ],
    ids=" ".join,
)
def test_the_words_are_what_was_typed(overrides: list[str], composed: Compose) -> None:
    assert reproduction.words(composed(*overrides)) == overrides


@pytest.mark.slow
def test_choices_are_named_and_nothing_else() -> None:
    """One choice of each group in turn, whether or not they go together."""
    groups = {group: choices(group) for group in ("encoding", "positions", "logit", "architecture", "model", "train")}
    groups |= {group: choices(group) for group in ("task", "optimizer", "schedule", "evaluation")}
    extensions, count = choices("extension"), max(len(groups["encoding"]), len(groups["architecture"]))
    usual = {"positions": "sequential", "logit": "standard", "architecture": "decoder", "model": "tiny"}
    usual |= {"train": "until_learned", "optimizer": "adamw", "schedule": "restarts", "evaluation": "standard"}
    with composer() as hydra:
        for number in range(0, count, 2):
            typed_words = {
                group: names[(number + number // len(names)) % len(names)] for group, names in groups.items()
            }
            if typed_words["architecture"] == "huggingface" or typed_words["task"] == "text":
                continue
            words = {f"{group}={name}" for group, name in typed_words.items() if usual.get(group) != name}
            extension = extensions[number % len(extensions)]
            words |= {f"extension=[{extension}]"} if extension != "extrapolate" else set()
            made = reproduction.words(hydra.run(sorted(words), check=typed))
            assert set(made) == words | {"seed=0"}


def test_threads_are_named_where_they_are_known(composed: Compose) -> None:
    assert "launcher.threads=3" in reproduction.words(composed(), threads=3)


def test_a_choice_of_ones_own_is_refused_with_what_it_needs(composed: Compose) -> None:
    run = composed()
    for own in (
        Component(name="mine", target="mine.Encoding"),
        Component(name="rope", target="mine.Encoding"),
        run.encoding.model_copy(update={"options": {**run.encoding.options, "gone": 1}}),
    ):
        with pytest.raises(Refused, match=r"--config-dir|no option of this version"):
            reproduction.words(run.model_copy(update={"encoding": own}))


def test_a_shell_reads_the_command_as_it_is_meant(composed: Compose) -> None:
    hostile = "a'b\"c$(touch gone);`id`\\ d"
    run = composed()
    words = reproduction.words(run.model_copy(update={"packages": [hostile]}))
    assert shlex.split(reproduction.command(words))[3:] == words


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=("Cc", "Cs", "Zl", "Zp")))
    | st.sampled_from(["true", "null", "Nan", "inf", "1e5", "1_000", "0", "a b", "[a]", "a,b", "it's", "\\", "\\'"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(VALUES)
def test_hydra_reads_a_value_as_it_was(value: object) -> None:
    [override] = OverridesParser.create().parse_overrides([f"key={suggestions.written(value)}"])
    read = override.value()
    assert read == value
    assert type(read) is type(value) or (isinstance(value, float) and math.isclose(read, value))
