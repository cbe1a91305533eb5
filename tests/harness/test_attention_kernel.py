"""The kernel that a run asks for is the one that its model computes with, and no result depends on it."""

from collections.abc import Callable

import pytest
import torch
from support import choices
from torch import Tensor

from harness.attention import flex, kernels
from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.errors import Refused
from harness.mixers.attention import Attention
from harness.models.base import Model
from harness.training import attention_kernel

Compose = Callable[..., Run]


def made(run: Run) -> Model:
    task = instantiation.task(run)
    torch.manual_seed(0)
    return network.model(run, task, instantiation.layout(run, task)).eval()


def used(model: Model) -> set[Callable[..., Tensor]]:
    return {module.kernel for module in model.modules() if isinstance(module, Attention)}


@torch.no_grad()
@pytest.mark.parametrize("encoding", ["rope", "t5", "fire", "cope", "rope_nope"])
def test_the_explicit_kernel_gives_the_logits_of_auto(composed: Compose, encoding: str) -> None:
    tokens, where = torch.randint(4, 12, (2, 40)), Positions(torch.arange(40)[None], True)
    logits = {}
    for kernel, function in {"auto": kernels.attend, "explicit": kernels.explicit}.items():
        run = composed(f"encoding={encoding}", f"trainer.kernel={kernel}", "trainer=cpu", "model=nano")
        model = made(run)
        attention_kernel.choose(run, model, instantiation.rule(run), device="cpu")
        assert used(model) == {function}
        logits[kernel] = model.readout(model(tokens, where))
    torch.testing.assert_close(logits["explicit"], logits["auto"], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("overrides", "kernel"),
    [
        (("encoding=t5",), "fused"),
        (("encoding=rope", "trainer.kernel=explicit"), "explicit"),
        (("encoding=cope",), "explicit"),
        (("encoding=rope", "logit=scale_invariant"), "explicit"),
        (("encoding=nope", "architecture=lstm"), ""),
    ],
)
def test_the_record_says_which_kernel_computed(composed: Compose, overrides: tuple[str, ...], kernel: str) -> None:
    run = composed(*overrides, "trainer=cpu", "model=nano")
    model = made(run)
    attention_kernel.choose(run, model, instantiation.rule(run), device="cpu")
    assert attention_kernel.used(model) == kernel


FLEXIBLE = {
    "alibi", "contextual_rope", "digits", "dynamic_bias", "fope", "grape_m", "kerple_log", "kerple_power", "learned",
    "nope", "pope", "rope", "rope_nope", "sandwich", "scaled_sinusoidal", "segment", "sinusoidal",
    "t5", "tape", "xpos",
}  # fmt: skip
"""Encodings of conf/ that enter before attention, turn queries and keys, or add a bias by distance."""


@pytest.mark.parametrize("encoding", sorted({*FLEXIBLE, "cope", "dape", "deberta", "fire", "fox", "path", "shaw"}))
def test_flex_serves_what_it_can_and_refuses_the_rest(composed: Compose, encoding: str) -> None:
    run = composed(f"encoding={encoding}", "trainer.kernel=flex", "model=nano", "lengths.test=21")
    model = made(run)
    if encoding in FLEXIBLE:
        attention_kernel.choose(run, model, instantiation.rule(run), device="cuda")
        assert used(model) == {flex.attend}
        with pytest.raises(Refused, match="trains on a GPU only"):
            attention_kernel.choose(run, model, instantiation.rule(run), device="cpu")
    else:
        with pytest.raises(Refused, match=f"encoding={encoding} with positions=sequential .* use trainer.kernel=auto"):
            attention_kernel.choose(run, model, instantiation.rule(run), device="cuda")


@pytest.mark.parametrize("option", ["window=8", "sinks=true"])
def test_flex_is_refused_for_windows_and_sinks(composed: Compose, option: str) -> None:
    run = composed(
        "mixer=[local_attention,attention]", f"mixer.attention.{option}", "trainer.kernel=flex", "model=nano"
    )
    with pytest.raises(Refused, match=r"without windows and sinks, which .* use trainer.kernel=auto"):
        attention_kernel.choose(run, made(run), instantiation.rule(run), device="cuda")


def test_the_encodings_named_here_exist() -> None:
    assert set(choices("encoding")) >= FLEXIBLE
