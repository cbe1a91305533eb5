"""Recurrent mixers against the numbers of independent implementations (tests/golden/mixers)."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from mixer_cases import Case
from torch import Tensor, nn

from harness.dimensions import Dimensions
from harness.encodings.nope import NoPE
from harness.logits.standard import Standard
from harness.mixers.base import Layer, Recurrent, State, unit
from harness.mixers.decayed_attention import decayed_attention
from harness.mixers.delta_rule import gated_delta_rule
from harness.mixers.gated_delta_net import GatedDeltaNet
from harness.mixers.mamba2 import Mamba2
from harness.mixers.matrix_memory import matrix_memory
from harness.mixers.mlstm import MLSTM
from harness.mixers.rg_lru import RGLRU

Run = Callable[[dict[str, Tensor], State], tuple[Tensor, State]]
"""Inputs as stored, [B, L, ...], and a state, to outputs [B, L, ...] and the state after them."""


def delta(x: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
    turned = {key: value.transpose(1, 2) for key, value in x.items()}
    q, k, strength = turned["q"], turned["k"], turned["beta"]
    if q.shape[1] < strength.shape[1]:  # normalised inside, and shared by groups of heads
        q, k = (unit(part).repeat_interleave(strength.shape[1] // q.shape[1], dim=1) for part in (q, k))
    decay = turned.get("g", torch.zeros_like(strength))
    y, after = gated_delta_rule(q * q.shape[-1] ** -0.5, k, turned["v"], strength, decay, state[0])
    return y.transpose(1, 2), (after,)


def mamba2(x: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
    heads = x["x"].shape[2]
    k, q = (x[name].repeat_interleave(heads // x[name].shape[2], dim=2).transpose(1, 2) for name in "BC")
    values, steps = (x["x"] * x["dt"][..., None]).transpose(1, 2), x["dt"].mT
    y, after = decayed_attention(q, k, values, steps * x["A"][:, None], state[0].mT)
    return y.transpose(1, 2), (after.mT,)


def mlstm(x: dict[str, Tensor], state: State) -> tuple[Tensor, State]:
    q, k, v = (x[name].transpose(1, 2) for name in "qkv")
    forget = nn.functional.logsigmoid(x["f"]).mT
    y, after = matrix_memory(q, k * k.shape[-1] ** -0.5, v, x["i"].mT, forget, state)
    return y.transpose(1, 2), after


RULES: dict[str, Run] = {
    "delta_net_beta01": delta,
    "delta_net_beta02": delta,
    "delta_net_beta02_long": delta,
    "delta_net_parity": delta,
    "gated_delta_net_beta01": delta,
    "gated_delta_net_beta01_long": delta,
    "gated_delta_net_beta02": delta,
    "gated_delta_net_strong_decay": delta,
    "gated_delta_rule_l2norm_grouped": delta,
    "mamba2_ssd": mamba2,
    "mamba2_ssd_long": mamba2,
    "mamba2_ssd_strong_decay": mamba2,
    "mlstm": mlstm,
    "mlstm_large_gates": mlstm,
    "mlstm_long": mlstm,
}


def cut(x: dict[str, Tensor], tokens: slice) -> dict[str, Tensor]:
    """Some of the tokens; what all tokens share stays."""
    return {key: value[:, tokens] if value.dim() > 1 else value for key, value in x.items()}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("pieces", ["all at once", "one by one", "uneven"])
def test_rules_agree_with_references(name: str, pieces: str) -> None:
    """Outputs and states after each stored length, from zero and from a state that was handed on, however it is cut."""
    case, run = Case(name), RULES[name]
    x = case.named("input") | case.named("param")
    lengths = case.meta["lengths"]
    for prefix, start, out in (
        ("state", tuple(torch.zeros_like(s) for s in case.state("state0")), "out"),
        ("state_s0", case.state("state0"), "out_s0"),
    ):
        ends = {"all at once": [lengths[-1]], "one by one": [*range(1, lengths[-1] + 1)], "uneven": lengths}[pieces]
        parts, state = [], start
        for begin, end in zip([0, *ends], ends, strict=False):
            y, state = run(cut(x, slice(begin, end)), state)
            parts.append(y)
            if end in lengths:
                for key, mine in zip(stored_names(case, f"{prefix}_L{end}"), state, strict=True):
                    case.match(key, mine)
        case.match(out, torch.cat(parts, dim=1))


def stored_names(case: Case, prefix: str) -> list[str]:
    return [key for key in case.arrays if key == prefix or key.startswith(f"{prefix}_")]


@pytest.mark.parametrize("name", [name for name in RULES if not name.endswith(("_long", "_parity"))])
def test_gradients_agree_with_references(name: str) -> None:
    case, run = Case(name), RULES[name]
    inputs = {key: value.requires_grad_() for key, value in (case.named("input") | case.named("param")).items()}
    state = {key: case[key].clone().requires_grad_() for key in stored_names(case, "state0")}
    y, after = run(inputs, tuple(state.values()))
    loss = (case["loss_weight_out"] * y).sum()
    for key, part in zip(stored_names(case, "loss_weight_state"), after, strict=True):
        loss = loss + (case[key] * part).sum()
    case.match("loss", loss)
    loss.backward()
    for key, leaf in (inputs | state).items():
        scale = float(case[f"grad_{key}"].abs().max())
        np.testing.assert_allclose(leaf.grad, case[f"grad_{key}"], rtol=1e-4, atol=1e-5 * max(1.0, scale))


def layer_of(dimensions: Dimensions) -> Layer:
    return Layer(dimensions, NoPE(dimensions), Standard(dimensions))


def loaded(mixer: Recurrent, case: Case, names: dict[str, str]) -> Recurrent:
    """A mixer with the weights of a case: ``names`` gives, for each of its parameters, the stored ones, which are
    stacked where there are several, an axis of 1 taken out or put in where the other has none.
    """
    own = dict(mixer.named_parameters())
    assert set(names) == set(own)
    with torch.no_grad():
        for key, stored in names.items():
            own[key].copy_(torch.cat([case[each] for each in stored.split(" + ")]).reshape(own[key].shape))
    return mixer


def delta_layer(case: Case) -> Recurrent:
    return loaded(
        GatedDeltaNet(layer_of(Dimensions(12, 2, 1, 64)), expand=8 / 6),
        case,
        {
            "project.weight": "q_proj.weight + k_proj.weight + v_proj.weight",
            "convolution.weight": "conv1d.weight",
            "strength.weight": "b_proj.weight",
            "decay.project.weight": "a_proj.weight",
            "decay.log_rate": "A_log",
            "decay.bias": "dt_bias",
            "gate.weight": "g_proj.weight",
            "norm.weight": "o_norm.weight",
            "output.weight": "o_proj.weight",
        },
    )


def mamba2_layer(case: Case) -> Recurrent:
    return loaded(
        Mamba2(layer_of(Dimensions(12, 4, 1, 64)), state=5, groups=2),
        case,
        {
            "project.weight": "in_proj.weight",
            "convolution.weight": "conv1d.weight",
            "convolution.bias": "conv1d.bias",
            "step_bias": "dt_bias",
            "log_rate": "A_log",
            "skip": "D",
            "gain": "norm.weight",
            "output.weight": "out_proj.weight",
        },
    )


def mlstm_layer(case: Case) -> Recurrent:
    for name in ("q_proj.weight", "k_proj.weight", "v_proj.weight"):
        case.arrays[name] = case[name].mT  # stored as outputs by inputs
    case.arrays["mlstm_cell.outnorm.weight"] = 1 + case["mlstm_cell.outnorm.weight"]
    return loaded(
        MLSTM(layer_of(Dimensions(8, 8, 1, 64)), expand=8),
        case,
        {
            "project.weight": "proj_up.weight",
            "convolution.weight": "conv1d.conv.weight",
            "convolution.bias": "conv1d.conv.bias",
            "q.weight": "q_proj.weight",
            "k.weight": "k_proj.weight",
            "v.weight": "v_proj.weight",
            "write.weight": "mlstm_cell.igate.weight",
            "write.bias": "mlstm_cell.igate.bias",
            "forget.weight": "mlstm_cell.fgate.weight",
            "forget.bias": "mlstm_cell.fgate.bias",
            "gain": "mlstm_cell.outnorm.weight",
            "skip": "learnable_skip",
            "output.weight": "proj_down.weight",
        },
    )


def griffin_block(case: Case) -> Recurrent:
    case.arrays["conv_1d.w"] = case["conv_1d.w"].mT.contiguous()
    return loaded(
        RGLRU(layer_of(Dimensions(8, 3, 1, 64)), expand=1.5),
        case,
        {
            "open.weight": "linear_y.weight",
            "open.bias": "linear_y.bias",
            "project.weight": "linear_x.weight",
            "project.bias": "linear_x.bias",
            "convolution.weight": "conv_1d.w",
            "convolution.bias": "conv_1d.b",
            "input_gate.weight": "rg_lru.input_gate.w",
            "input_gate.bias": "rg_lru.input_gate.b",
            "decay_gate.weight": "rg_lru.a_gate.w",
            "decay_gate.bias": "rg_lru.a_gate.b",
            "slowness": "rg_lru.a_param",
            "output.weight": "linear_out.weight",
            "output.bias": "linear_out.bias",
        },
    )


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("gated_delta_net_layer_neg_eigval", delta_layer),
        ("mamba2_layer", mamba2_layer),
        ("mlstm_layer", mlstm_layer),
    ],
)
def test_layers_agree_with_references(name: str, layer: Callable[[Case], Recurrent]) -> None:
    case = Case(name)
    mixer, x = layer(case), case["x"].clone().requires_grad_()
    y, state = mixer.run(x, None)
    case.match("out", y)
    if "state_L70" in case.arrays:  # the reference of Mamba-2 has values first
        memory = state[-1].mT if name == "mamba2_layer" else state[-1]
        case.match("state_L70", memory)
    (case["loss_weight_out"] * y).sum().backward()
    if "loss_weight_state" not in case.arrays:
        np.testing.assert_allclose(x.grad, case["grad_x"], rtol=1e-4, atol=1e-5)


def test_griffins_block_agrees_with_its_reference() -> None:
    """Each row holds two documents, which the reference keeps apart: each is read by itself here."""
    case = Case("griffin_recurrent_block")
    mixer = griffin_block(case)
    for row, position in enumerate(case["position"]):
        starts = [*torch.nonzero(position == 0).flatten().tolist(), len(position)]
        assert len(starts) == 3
        for begin, end in itertools.pairwise(starts):
            y = mixer.run(case["x"][row : row + 1, begin:end], None)[0]
            case.match("out", y[0], case["out"][row, begin:end])


def test_rg_lru_agrees_with_its_reference() -> None:
    """The bare recurrence, going on from a state."""
    case = Case("rg_lru")
    mixer = RGLRU(layer_of(Dimensions(8, 2, 1, 64)))
    with torch.no_grad():
        for gate, name in ((mixer.input_gate, "input_gate"), (mixer.decay_gate, "a_gate")):
            gate.weight.copy_(case[f"{name}.w"])
            gate.bias.copy_(case[f"{name}.b"].flatten())
        mixer.slowness.copy_(case["a_param"])
    x = case["x"].clone().requires_grad_()
    for start, prefix, out in ((torch.zeros(2, 8), "state", "out"), (case["state0"], "state_s0", "out_s0")):
        y = mixer.recur(x, start)
        case.match(out, y)
        for length in case.meta["lengths"]:
            case.match(f"{prefix}_L{length}", y[:, length - 1])
    loss = (case["loss_weight_out"] * y).sum() + (case["loss_weight_state"] * y[:, -1]).sum()
    case.match("loss", loss)
    loss.backward()
    np.testing.assert_allclose(x.grad, case["grad_x"], rtol=1e-4, atol=1e-5)
