"""Every mixer of conf/mixer: what a network relies on, whatever it computes."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from shell import Command, only_record
from support import QUICK, choices, component, held, node

from harness import declarations
from harness.attention.positions import Positions
from harness.checks.batteries.mixer import CLAIMS, Subject, layer
from harness.composition.compose import composer
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.errors import Refused
from harness.mixers.base import Mixer, Recurrent
from harness.models.base import Model


def made(name: str, **options: Any) -> Mixer:
    torch.manual_seed(0)
    return component("mixer", name, layer(), **options)


def composed(*overrides: str) -> Run:
    with composer() as hydra:
        return hydra.run([*QUICK, *overrides])


def positions(length: int) -> Positions:
    return Positions(torch.arange(length)[None], True)


def network_of(name: str) -> Model:
    run = composed(f"mixer=[{name}]", "encoding=nope")
    task = instantiation.task(run)
    return network.model(run, task, instantiation.layout(run, task)).eval()


@pytest.mark.parametrize("name", choices("mixer"))
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_it_keeps(claim: Callable[[Subject], object], name: str) -> None:
    held(claim, Subject(lambda: made(name), lambda: network_of(name)))


@pytest.mark.parametrize("name", choices("mixer"))
def test_what_attends_is_what_is_not_recurrent(name: str) -> None:
    """Claims about states are skipped for what has none."""
    attends = declarations.lookup(node("mixer", name)["_target_"]).attributes["attends"]
    assert attends != isinstance(made(name), Recurrent)


def test_layers_take_mixers_in_turn_or_by_pattern() -> None:
    def names(*overrides: str) -> list[str]:
        run = composed(*overrides)
        task = instantiation.task(run)
        model: Any = network.model(run, task, instantiation.layout(run, task))
        return [type(block.mixer).__name__ for block in model.blocks]

    assert names("model.layers=3", "mixer=[mamba2,attention]") == ["Mamba2", "Attention", "Mamba2"]
    pattern = ("model.layers=5", "mixer=[mamba2,attention]", "pattern=[mamba2,mamba2,attention]")
    assert names(*pattern) == ["Mamba2", "Mamba2", "Attention", "Mamba2", "Mamba2"]
    assert names("model.layers=3", "architecture=hybrid") == ["GatedDeltaNet", "GatedDeltaNet", "Attention"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (("mixer=[delta_net]",), "encoding=rope is not defined for architecture=decoder with mixer=[delta_net]"),
        (("mixer=[delta_net]", "architecture=encoder"), "mixer=delta_net is not defined for architecture=encoder"),
        (("mixer=[delta_net]", "architecture=lstm", "encoding=nope"), "architecture=lstm has layers of its own"),
        (("mixer=[mamba,attention]", "model.layers=1"), "no layer of model.layers=1 has attention"),
        (("pattern=[mamba]",), "mixer=[attention] has no mamba"),
        (("mixer.attention.kv_heads=3", "model=tiny"), "kv_heads=3: it must divide the 4 heads"),
        (("mixer=[mamba2,attention]", "mixer.mamba2.groups=3", "model=tiny"), "groups=3 does not divide the 4 heads"),
        (("mixer=[mamba2,attention]", "mixer.mamba2.state=0"), "mixer.mamba2.state=0"),
        (("mixer.attention.window=-1",), "mixer.attention.window=-1: it must be at least 0"),
        (("mixer.attention.window=2.5",), "mixer.attention.window=2.5: it should be a valid integer"),
        (
            ("mixer=[local_attention,attention]", "mixer.attention.sinks=true", "encoding=stick_breaking"),
            "mixer.attention.sinks is for attention weights that are a softmax, and those of encoding=stick_breaking "
            "are none. Possible: alibi, ",
        ),
        (
            ("mixer.attention.window=8", "architecture=lstm", "encoding=nope"),
            "architecture=lstm has layers of its own: mixer.attention.window is not for it",
        ),
    ],
)
def test_what_cannot_be_is_refused(overrides: tuple[str, ...], said: str) -> None:
    with pytest.raises(Refused) as refusal:
        composed(*overrides)
    assert said in str(refusal.value)


def test_layers_have_windows_and_sinks_of_their_own() -> None:
    """Five local layers to a global one, as in Gemma 3, with sinks in the local ones alone."""
    pattern = f"pattern=[{'local_attention,' * 5}attention]"
    words = ("mixer=[local_attention,attention]", pattern, "model.layers=8", "mixer.local_attention.sinks=true")
    run = composed(*words, "mixer.local_attention.window=9", "mixer.local_attention.sink_start=3.0")
    task = instantiation.task(run)
    model: Any = network.model(run, task, instantiation.layout(run, task))
    assert [block.mixer.window for block in model.blocks] == [9] * 5 + [0] + [9] * 2
    sinks = [block.mixer.sinks for block in model.blocks]
    assert [sink if sink is None else sink.tolist() for sink in sinks] == [[3.0] * 2] * 5 + [None] + [[3.0] * 2] * 2


@torch.no_grad()
@pytest.mark.parametrize(("architecture", "field"), [("decoder", 1 + 2 * 4), ("encoder", 1 + 4 * 4)])
def test_windows_in_every_layer_limit_what_an_output_depends_on(architecture: str, field: int) -> None:
    run = composed(f"architecture={architecture}", "task=running_parity", "mixer.attention.window=5", "model.layers=2")
    task = instantiation.task(run)
    torch.manual_seed(0)
    model: Any = network.model(run, task, instantiation.layout(run, task)).eval()
    assert model.receptive_field == field
    tokens = torch.randint(4, 6, (1, 40))
    changed = tokens.clone()
    changed[:, 20] = 9 - tokens[:, 20]
    differs = (model(tokens, positions(40)) - model(changed, positions(40))).abs().amax(dim=(0, 2)) > 1e-6
    first = 20 if architecture == "decoder" else 12
    assert differs.nonzero().flatten().tolist() == list(range(first, first + field))
    assert network.model(composed(), task, instantiation.layout(run, task)).receptive_field is None


@pytest.mark.slow
@pytest.mark.parametrize("choice", ["mixer=[rg_lru]", "architecture=hybrid", "mixer=[local_attention,attention]"])
def test_a_run_with_it_ends_in_a_record(choice: str, command: Command, tmp_path: Any) -> None:
    encoding = "encoding=nope" if choice == "mixer=[rg_lru]" else "encoding=rope"
    words = (*QUICK, "task=running_parity", choice, encoding, "model.layers=3", "lengths.train=6", "lengths.test=12")
    done = command(*words)
    assert done.returncode == 0, done.stderr
    record = only_record(tmp_path)
    training: dict[str, Any] = record.science["training"]  # type: ignore[assignment]
    assert len(training["pattern"]) == 3
    assert set(training["pattern"]) == set(training["mixer"])
    board = command("leaderboard", "results")
    assert board.returncode == 0, board.stderr


def test_plain_attention_leaves_ids_as_they_were() -> None:
    from harness.config import identity

    run = composed()
    assert "mixer" not in identity.training(run, instantiation.task(run))
    for default in ("mixer.attention.window=0", "mixer.attention.sinks=false"):
        assert "mixer" not in identity.training(composed(default), instantiation.task(run))
    other = composed("mixer.attention.qk_norm=true")
    assert identity.training(other, instantiation.task(other))["pattern"] == ["attention"] * other.model.layers
