"""Every extension of conf/extension keeps what an extension promises, on every encoding that it applies to."""

import copy
import functools

import pytest
import torch
import yaml
from support import ROOT, choices

from harness import declarations
from harness.checks.batteries.extension import Subject, no_look_ahead, nothing_left, nothing_within_training, repeatable
from harness.checks.inputs import sequential, tokens
from harness.composition.compose import composer
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.config.validation import validated
from harness.errors import Refused
from harness.evaluation.scoring import extended
from harness.models.base import Model


def target(encoding: str) -> str:
    return yaml.safe_load((ROOT / "conf" / "encoding" / f"{encoding}.yaml").read_text())["_target_"]


def words(encoding: str, extension: str) -> list[str]:
    return [f"encoding={encoding}", f"extension={extension}", "model=nano", "lengths.test=21"]


@functools.cache
def run(encoding: str, extension: str) -> Run | Refused:
    with composer() as hydra:
        return hydra.attempt(words(encoding, extension))


def possible(extension: str) -> list[str]:
    """The encodings that an extension is for. They are tried as cells of a sweep, which share what they have in common:
    every collection of these tests waits for it.
    """
    with composer() as hydra:
        hydra.cells([])
        return [name for name in ENCODINGS if isinstance(hydra.attempt(words(name, extension)), Run)]


SAME_AT_EVERY_LENGTH = {"base_change", "hierarchical", "rerope"}
"""What these change does not depend on the tested length."""

ENCODINGS = [
    name
    for name in choices("encoding")
    # others are refused for the decoder and positions of one number anyway;
    # tests/harness/test_huggingface_extensions.py has those of saved networks
    if "causal" in declarations.lookup(target(name)).attributes["modes"]
    and declarations.lookup(target(name)).attributes["channels"] == 1
    and not declarations.lookup(target(name)).attributes["pretrained"]
]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_extensions_work_or_are_refused_with_what_is_possible(encoding: str) -> None:
    every = f"extension=[{','.join(choices('extension'))}]"
    with composer() as hydra:
        whole = hydra.run([f"encoding={encoding}", every, "model=nano", "lengths.test=21"], check=lambda run: run)
    for extension, component in whole.extension.items():
        made = _attempt(whole.model_copy(update={"extension": {extension: component}}))
        if isinstance(made, Run):
            _keeps_its_promises(made, extension)
        else:
            assert "Encodings that have: " in str(made)
            assert "extrapolate" in str(made)


def _attempt(run: Run) -> Run | Refused:
    try:
        return validated(run)
    except Refused as refusal:
        return refusal


def _network(made: Run) -> Model:
    torch.manual_seed(0)
    task = instantiation.task(made)
    model = network.model(made, task, instantiation.layout(made, task)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def _keeps_its_promises(made: Run, extension: str) -> None:
    model = _network(made)
    rule = instantiation.extensions(made)[extension]
    for claim in (nothing_within_training, repeatable, nothing_left):
        claim(Subject(rule, made, lambda: _network(made)))
    asked, positions = tokens(2, 60), sequential(60)
    with torch.no_grad():
        plain = model(asked, positions)
        with extended(model, rule, 42, 60) as reader:
            changed = reader(asked, positions)
        with extended(model, rule, 42, 400) as reader:
            further = reader(asked, positions)
    needs = declarations.lookup(made.extension[extension].target).attributes["needs"]
    if declarations.lookup(made.encoding.target).attributes["kind"] != "content":
        # Where tokens decide, float32 can have nothing left for keys that a window would hide.
        assert torch.equal(changed, plain) == (extension == "extrapolate")
    if needs != "distances" or extension in SAME_AT_EVERY_LENGTH:  # far pairs can have no weight left to change
        assert torch.equal(changed, further) == (needs == "" or extension in SAME_AT_EVERY_LENGTH)


@pytest.mark.parametrize("extension", choices("extension"))
def test_with_the_length_declared_outputs_do_not_depend_on_later_tokens(extension: str) -> None:
    """Dynamic rules too: their scale is that of the declared length, whatever has been written so far."""
    made = run("rope", extension)
    if isinstance(made, Refused):
        pytest.skip("not for rotary encodings")
    task = instantiation.task(made)
    model = network.model(made, task, instantiation.layout(made, task)).eval()
    no_look_ahead(Subject(instantiation.extensions(made)[extension], made, lambda: model))


@pytest.mark.parametrize("encoding", possible("ntk"))
def test_ntk_keeps_the_highest_frequency_and_interpolates_the_lowest(encoding: str) -> None:
    made = run(encoding, "[interpolate,ntk]")
    assert isinstance(made, Run)
    task = instantiation.task(made)
    original = network.model(made, task, instantiation.layout(made, task)).encodings()[0]
    squeezed, mixed = copy.deepcopy(original), copy.deepcopy(original)
    extensions = instantiation.extensions(made)
    extensions["interpolate"].extend(squeezed, 40, 160)
    extensions["ntk"].extend(mixed, 40, 160)
    frequencies = original.get_buffer("frequencies")
    torch.testing.assert_close(squeezed.get_buffer("frequencies"), frequencies / 4)
    torch.testing.assert_close(mixed.get_buffer("frequencies")[0], frequencies[0])
    torch.testing.assert_close(mixed.get_buffer("frequencies")[-1], frequencies[-1] / 4)


def test_a_fixed_factor_holds_at_every_length() -> None:
    from harness.dimensions import Dimensions
    from harness.encodings.rope import RoPE
    from harness.extensions.interpolate import Interpolate

    encoding = RoPE(Dimensions(16, 1, 1, 40))
    frequencies = encoding.frequencies.clone()
    Interpolate(factor=2.0).extend(encoding, 40, 400)
    torch.testing.assert_close(encoding.frequencies, frequencies / 2)
