"""Extensions with which weights are trained further, in the networks that are trained."""

import functools
from typing import Any

import pytest
import torch
from golden_cases import golden, logits
from support import choices, component
from torch import Tensor

from harness import declarations
from harness.attention.positions import Positions
from harness.composition.compose import composer
from harness.config import instantiation, network
from harness.config.schema import Origin, Run
from harness.config.validation import validated
from harness.encodings.base import Encoding
from harness.encodings.rope import RoPE
from harness.errors import Refused
from harness.evaluation.scoring import extended
from harness.extensions.yarn import YaRN
from harness.models.base import Model


@functools.cache
def composed(*words: str) -> Run:
    with composer() as hydra:
        return hydra.run(["model=nano", "trainer=cpu", *words], check=lambda run: run)


def further(*words: str, trained: int = 22, built_for: int = 0) -> Run:
    """A run that goes on from weights trained on so many tokens."""
    from harness.config import fine_tuning
    from harness.config.options import typed

    plain = typed(composed(*words))
    said = fine_tuning.network(plain, instantiation.task(plain))
    origin = Origin(
        record="r.json", training="t", method="m", tokens=trained, built_for=built_for or trained, network=said
    )
    return validated(plain.model_copy(update={"weights_from": origin}))


def built(run: Run) -> Model:
    torch.manual_seed(0)
    task = instantiation.task(run)
    return network.model(run, task, instantiation.layout(run, task))


def parameters_after_training(model: Model, positions: Tensor) -> list[Tensor]:
    tokens = torch.randint(4, 12, (4, positions.shape[1]), generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        hidden = model(tokens, Positions(positions, False))
        torch.nn.functional.cross_entropy(model.readout(hidden).flatten(0, 1), tokens.flatten()).backward()
        optimizer.step()
    return [parameter.detach().clone() for parameter in model.parameters()]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["rope", "sinusoidal"])
def test_position_interpolation_in_training_is_training_at_divided_positions(encoding: str) -> None:
    """By the definition of Chen et al. (2023): f(x, m / s), with s the longer length over the shorter one."""
    words = (f"encoding={encoding}", "lengths.train=20")  # 42 tokens
    squeezed = built(further(*words, "train_extension=interpolate", trained=14))
    plain = built(further(*words, trained=14))
    positions = torch.arange(42)[None]
    ours = parameters_after_training(squeezed, positions)
    oracle = parameters_after_training(plain, positions / 3)
    start = list(built(further(*words, trained=14)).parameters())
    assert any(not torch.equal(mine, before) for mine, before in zip(ours, start, strict=True))
    torch.testing.assert_close(ours, oracle, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("case", "extension"),
    [
        ("rope_linear", "interpolate"),
        ("rope_ntk", "ntk"),
        ("rope_yarn_long", "yarn"),
        ("rope_yarn_short", "yarn"),
        ("rope_llama3_long", "llama3"),
    ],
)
def test_the_trained_network_has_the_published_frequencies(case: str, extension: str) -> None:
    known = golden(case)
    hyper = known.meta["hyper"]
    original = hyper.get("original_max_position_embeddings", 64)
    run = further(
        f"train_extension={extension}",
        f"train_extension.factor={hyper['factor']}",
        f"encoding.base={hyper['base']}",
        "model.dimension=64",
        "model.heads=4",
        trained=original,
    )
    for encoding in built(run).encodings():
        assert isinstance(encoding, RoPE)
        known.match("inv_freq", encoding.frequencies)
        known.match("attention_factor", torch.tensor([encoding.attention_factor]))
        order = known["to_half"].long()
        half = {"q": known["q"][..., order], "k": known["k"][..., order]}
        known.match("logits", logits(encoding, known._replace(arrays={**known.arrays, **half})))


def test_the_scale_in_training_is_the_length_trained_now_over_the_original_one() -> None:
    plain = built(further("lengths.train=20", trained=14)).encodings()[0]
    run = further("lengths.train=20", "train_extension=interpolate", trained=14)
    torch.testing.assert_close(frequencies(built(run).encodings()[0]), frequencies(plain) / 3)
    stated = further("lengths.train=20", "lengths.original=10", "train_extension=interpolate", trained=14)
    torch.testing.assert_close(frequencies(built(stated).encodings()[0]), frequencies(plain) * 22 / 42)


@pytest.mark.parametrize("options", [{}, {"kept": 0.5}, {"fraction": 0.5}])
def test_another_base_is_rope_with_that_base(options: dict[str, float]) -> None:
    words = [f"encoding.{key}={value}" for key, value in options.items()]
    run = further(*words, "train_extension=base_change", "train_extension.base=500000")
    direct = component("encoding", "rope", dimensions_of(run), base=500000.0, **options)
    torch.testing.assert_close(frequencies(built(run).encodings()[0]), frequencies(direct))


def test_a_base_changed_after_interpolation_leaves_positions_divided() -> None:
    encoding = component("encoding", "rope", dimensions_of(further()))
    component("extension", "interpolate", factor=4.0).extend(encoding, 20, 40)
    component("extension", "base_change", base=1e6).extend(encoding, 20, 40)
    direct = component("encoding", "rope", dimensions_of(further()), base=1e6)
    torch.testing.assert_close(frequencies(encoding), frequencies(direct) / 4)


@pytest.mark.parametrize("extension", ["yarn", "longrope"])
def test_extensions_in_the_tests_act_on_what_was_trained(extension: str) -> None:
    """On the frequencies and on the factor of attention: one that was trained must not be lost."""
    model = built(further("lengths.train=20", f"train_extension={extension}", trained=14))
    own: Any = model.encodings()[0]
    before, factor = frequencies(own).clone(), own.attention_factor
    assert factor > 1
    with extended(model, component("extension", "extrapolate"), 42, 84):
        read: Any = model.encodings()[0]
        assert (read.attention_factor, read.frequencies.tolist()) == (factor, before.tolist())
    with extended(model, component("extension", "interpolate"), 42, 84):
        torch.testing.assert_close(frequencies(model.encodings()[0]), before / 2)
        assert model.encodings()[0].attention_factor == factor
    plain: Any = component("encoding", "rope", dimensions_of(further()))
    YaRN().extend(plain, 42, 84)
    with extended(model, YaRN(), 42, 84):
        assert model.encodings()[0].attention_factor == pytest.approx(factor * plain.attention_factor)


def test_what_depends_on_the_training_length_is_that_of_the_first_training() -> None:
    """FIRE's threshold, a base that fits the training length, log n: the weights were trained with these."""
    run = further("encoding=rope", "encoding.base=0", "logit=log_n", "lengths.train=20", trained=30, built_for=14)
    dimensions = dimensions_of(run)
    assert dimensions.train_tokens == 14
    own = component("encoding", "rope", dimensions, base=0.0)
    torch.testing.assert_close(frequencies(built(run).encodings()[0]), frequencies(own))
    assert dimensions_of(composed("lengths.train=20")).train_tokens == 42


@pytest.mark.parametrize("encoding", ["rope", "xpos", "pope", "transformer_xl", "scaled_sinusoidal", "rope_nope", "t5"])
@pytest.mark.parametrize("extension", choices("train_extension"))
def test_everything_learned_goes_on_being_trained(extension: str, encoding: str) -> None:
    words = (f"encoding={encoding}", "lengths.train=20", "model.layers=4")
    attributes = declarations.lookup(composed(f"train_extension={extension}").train_extension.target).attributes
    offers = declarations.lookup(composed(f"encoding={encoding}").encoding.target).attributes["offers"]
    chosen = (*words, f"train_extension={extension}")
    if attributes["needs"] and attributes["needs"] not in offers:
        with pytest.raises(Refused, match=f"changes an encoding's {attributes['needs']}"):
            further(*chosen, trained=14)
        return
    run = further(*chosen, trained=14)
    model, plain = built(run), built(further(*words, trained=14))
    assert model.state_dict().keys() == plain.state_dict().keys(), "weights go from one to the other"
    tokens, positions = torch.randint(4, 12, (2, 42)), Positions(torch.arange(42)[None], True)
    results = []
    for one in (model, plain):
        one.load_state_dict(plain.state_dict())
        hidden = one(tokens, positions)
        one.readout(hidden).logsumexp(-1).sum().backward()
        results.append(hidden)
    assert torch.equal(*results) == (extension == "extrapolate")
    trained = [
        {name for name, p in one.named_parameters() if p.grad is not None and p.grad.any()} for one in (model, plain)
    ]
    assert trained[0] == trained[1]


def frequencies(encoding: Encoding) -> Tensor:
    return encoding.get_buffer("frequencies")


def dimensions_of(run: Run) -> Any:
    task = instantiation.task(run)
    return instantiation.dimensions_of(run, task, instantiation.layout(run, task))
