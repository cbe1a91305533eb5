"""FlexAttention gives what the explicit kernel gives, in outputs and gradients.

Without a GPU its parts run as PyTorch's reference implementation, which builds the matrix: mask, bias, padding and
gradients are the same there, the generated kernel is not. PyTorch refuses gradients on a CPU, though the reference has
them; the check is taken out here.
"""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.attention.flex_attention as pytorch
from support import choices, component
from torch import Tensor

from harness.attention import flex
from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import explicit
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.extensions.masks import Windowed
from harness.logits.log_n import LogN
from harness.logits.standard import Standard
from harness.mixers.attention import Attention
from harness.mixers.base import Layer

pytestmark = [
    pytest.mark.filterwarnings("ignore:flex_attention called without"),
    pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor"),  # from PyTorch's compiler, looking at inputs
]

DIMENSIONS = Dimensions(d_model=48, n_heads=4, n_layers=1, train_tokens=20)
"""Heads of 12 channels: the kernel takes 16."""


def make(name: str) -> Encoding:
    torch.manual_seed(0)
    made = component("encoding", name, DIMENSIONS)
    with torch.no_grad():  # away from zeros that would hide what a parameter does
        for parameter in made.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return made


def positions(kind: str, batch: int, length: int, device: str = "cpu") -> Positions:
    generator = torch.Generator().manual_seed(3)
    if kind == "sequential":
        values, consecutive = torch.arange(length)[None], True
    elif kind == "offset":
        values, consecutive = torch.randint(50, (batch, 1), generator=generator) + torch.arange(length), True
    elif kind == "random":
        drawn = [torch.randperm(2 * length, generator=generator)[:length].sort().values for _ in range(batch)]
        values, consecutive = torch.stack(drawn), False
    elif kind == "falling":  # as coupled positions do, where an answer goes back to the places of the prompt
        values, consecutive = torch.arange(length)[None] % 7, False
    else:
        values, consecutive = torch.rand(batch, length, generator=generator).cumsum(dim=1), False
    return Positions(values.to(device), consecutive)


def cases() -> Iterator[tuple[str, bool, str, type]]:
    """What FlexAttention does: encodings, causal or not, kinds of positions, and logit scales. Those that only change
    embeddings leave attention to ``nope``.
    """
    for name in choices("encoding"):
        encoding = component("encoding", name, DIMENSIONS)
        if name != "nope" and not any(map(encoding.uses, ("rotate", "distance_bias", "logit_scale"))):
            continue
        kinds = [("sequential", LogN), ("random", Standard)]
        if name in ("alibi", "rope"):
            kinds += [("offset", Standard), ("falling", Standard), ("floats", LogN)]
        for kind, logit in kinds:
            if encoding.channels == 1 and flex.possible(encoding, logit(DIMENSIONS), whole=kind != "floats"):
                for causal in (True, False):
                    if ("causal" if causal else "bidirectional") in encoding.modes:
                        yield name, causal, kind, logit


@pytest.fixture
def reference(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Tensor]]:
    """FlexAttention as PyTorch defines it, not compiled; the queries of each call are noted."""
    calls: list[Tensor] = []

    def noted(q: Tensor, *arguments: object, **options: object) -> Tensor:
        calls.append(q)
        return pytorch.flex_attention(q, *arguments, **options)

    monkeypatch.setattr(flex, "compiled", noted)
    monkeypatch.setattr(pytorch, "_validate_device", lambda *tensors: None)
    torch.compiler.reset()
    yield calls
    torch.compiler.reset()


def compare(
    encoding: Encoding, where: Positions, logit: type, *, causal: bool, dtype: torch.dtype = torch.float32
) -> None:
    """Outputs and the gradients of q, k, v, the layer's input and every parameter, beside the explicit kernel's."""
    device, length = where.values.device, where.values.shape[1]
    scale = logit(DIMENSIONS).to(device)
    torch.manual_seed(0)
    inputs = torch.randn(3, 2, DIMENSIONS.n_heads, length, DIMENSIONS.head_dim).to(device, dtype)
    x = torch.randn(2, length, DIMENSIONS.d_model, device=device, requires_grad=True)
    results = []
    for kernel in (flex.attend, explicit):
        q, k, v = (tensor.clone().requires_grad_() for tensor in inputs)
        encoding.zero_grad()
        x.grad = torch.zeros_like(x)
        state = encoding.state(x, where.values)
        out = kernel(AttentionInputs.of(q, k, v, where, encoding, scale, causal=causal, state=state))
        (out * torch.linspace(-1, 1, out.numel(), device=device).view_as(out)).sum().backward()
        own = {name: p.grad.clone() for name, p in encoding.named_parameters() if p.grad is not None}
        results.append({"out": out.detach(), "q": q.grad, "k": k.grad, "v": v.grad, "x": x.grad, **own})
    fast, true = results
    assert fast.keys() == true.keys()
    for name in true:
        assert fast[name].dtype == true[name].dtype, name
        tolerance = 1e-4 if dtype == torch.float32 else 2e-2
        scaled = tolerance * max(1.0, float(true[name].abs().max()))
        torch.testing.assert_close(
            fast[name], true[name], atol=scaled, rtol=tolerance, msg=lambda m, n=name: f"{n}: {m}"
        )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "causal", "kind", "logit"), cases())
def test_outputs_and_gradients_are_those_of_the_definition(
    name: str, causal: bool, kind: str, logit: type, reference: list[Tensor]
) -> None:
    compare(make(name), positions(kind, 2, 150), logit, causal=causal)
    assert len(reference) == 1


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", ["sequential", "random"])
@pytest.mark.parametrize("length", [1, 128, 129])
def test_any_length_will_do(length: int, kind: str, causal: bool, reference: list[Tensor]) -> None:
    compare(make("t5"), positions(kind, 2, length), Standard, causal=causal)
    assert [q.shape[2] for q in reference] == [256 if causal and length == 129 else 128 if causal else length]


on_a_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


@pytest.mark.gpu
@on_a_gpu
@pytest.mark.parametrize(("name", "causal", "kind", "logit"), cases())
def test_the_compiled_kernel_agrees_on_a_gpu(name: str, causal: bool, kind: str, logit: type) -> None:
    torch.compiler.reset()
    compare(make(name).cuda(), positions(kind, 2, 150, "cuda"), logit, causal=causal)


@pytest.mark.gpu
@on_a_gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", ["sequential", "random"])
@pytest.mark.parametrize("name", ["rope", "t5"])
def test_the_compiled_kernel_takes_all_sizes_on_a_gpu(name: str, kind: str, causal: bool, dtype: torch.dtype) -> None:
    torch.compiler.reset()
    for length in (1, 128, 129, 700, 2048):
        compare(make(name).cuda(), positions(kind, 2, length, "cuda"), Standard, causal=causal, dtype=dtype)


@pytest.mark.slow
def test_few_kernels_serve_all_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled for a CPU, where it has no gradients: a kernel for the first size, then for changing ones."""
    torch.compiler.reset()
    monkeypatch.setattr(flex, "COMPILATIONS", 3)
    encoding = make("t5")
    with torch.inference_mode():
        for batch, length in [(2, 37), (3, 37), (5, 100), (4, 300), (4, 520), (7, 700), (2, 900), (3, 130)]:
            q, k, v = torch.randn(3, batch, DIMENSIONS.n_heads, length, DIMENSIONS.head_dim)
            where = positions("sequential", batch, length)
            got = flex.attend(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state={}))
            wanted = explicit(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state={}))
            torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_the_mask_is_the_one_that_pytorch_would_find_by_looking(blocks: int) -> None:
    """Forward goes by the blocks of a row, backward by those of a column: both are compared."""

    def later_is_hidden(b: Tensor, h: Tensor, i: Tensor, j: Tensor) -> Tensor:
        return i >= j

    size = blocks * flex.BLOCK
    mine = flex._earlier(blocks, torch.device("cpu"))
    theirs = pytorch.create_block_mask(later_is_hidden, None, None, size, size, device="cpu")
    assert mine.shape == theirs.shape
    for count, which in [
        ("kv_num_blocks", "kv_indices"),
        ("full_kv_num_blocks", "full_kv_indices"),
        ("q_num_blocks", "q_indices"),
        ("full_q_num_blocks", "full_q_indices"),
    ]:
        assert torch.equal(getattr(mine, count), getattr(theirs, count)), count
        for row, number in enumerate(getattr(mine, count)[0, 0]):
            here, there = (getattr(mask, which)[0, 0, row, :number] for mask in (mine, theirs))
            assert torch.equal(here, there), which
    i = torch.arange(size)
    inside = mine.mask_mod(torch.tensor(0), torch.tensor(0), i[:, None], i)
    assert torch.equal(inside, torch.ones(size, size).tril().bool())


def test_a_bias_stays_in_float32_beside_queries_in_bfloat16(reference: list[Tensor]) -> None:
    """Rounded to bfloat16, far distances would merge. Queries and keys are zero, so that the bias is all there is."""
    encoding = component("encoding", "alibi", DIMENSIONS)
    zeros = torch.zeros(1, DIMENSIONS.n_heads, 600, DIMENSIONS.head_dim, dtype=torch.bfloat16)
    v = torch.randn(1, DIMENSIONS.n_heads, 600, DIMENSIONS.head_dim)
    where = positions("sequential", 1, 600)
    got = flex.attend(
        AttentionInputs.of(zeros, zeros, v.bfloat16(), where, encoding, Standard(DIMENSIONS), causal=True, state={})
    )
    true = explicit(
        AttentionInputs.of(
            zeros.float(), zeros.float(), v, where, encoding, Standard(DIMENSIONS), causal=True, state={}
        )
    )
    assert got.dtype == torch.bfloat16
    assert (got.float() - true).abs().max() < 0.02


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_a_layer_learns_the_same_with_it(precision: torch.dtype, reference: list[Tensor]) -> None:
    """Also where mixed precision chooses the types."""
    torch.manual_seed(0)
    layer, x = (
        Attention(Layer(DIMENSIONS, make("t5"), Standard(DIMENSIONS), True)),
        torch.randn(2, 40, DIMENSIONS.d_model),
    )
    gradients = []
    for layer.kernel in (flex.attend, explicit):
        layer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=precision == torch.bfloat16):
            layer(x, positions("sequential", 2, 40)).float().square().sum().backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in layer.named_parameters()})
    assert len(reference) == 1
    for name, true in gradients[1].items():
        tolerance = 1e-4 if precision == torch.float32 else 2e-2
        torch.testing.assert_close(gradients[0][name], true, atol=tolerance * float(true.abs().max()), rtol=tolerance)


@pytest.mark.parametrize("name", ["nope", "alibi", "pope"])
def test_values_may_be_wider_than_queries(name: str, reference: list[Tensor]) -> None:
    """Where an encoding carries something that attention takes the mean of."""
    encoding, where = make(name), positions("random", 2, 30)
    q, k, v, more = torch.randn(4, 2, DIMENSIONS.n_heads, 30, DIMENSIONS.head_dim)
    inputs = AttentionInputs.of(
        q, k, torch.cat([v, more, more[..., :3]], dim=-1), where, encoding, Standard(DIMENSIONS), causal=True, state={}
    )
    torch.testing.assert_close(flex.attend(inputs), explicit(inputs), atol=1e-5, rtol=1e-4)
    assert len(reference) == 1


def test_what_it_has_no_place_for_goes_to_the_other_kernels(reference: list[Tensor]) -> None:
    """A window that a test adds, a bias by fractional distances, and content."""
    q, k, v = torch.randn(3, 2, DIMENSIONS.n_heads, 30, DIMENSIONS.head_dim)
    for encoding, kind in [(Windowed(make("rope"), 5), "random"), (make("alibi"), "floats"), (make("cope"), "random")]:
        where = positions(kind, 2, 30)
        got = flex.attend(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state={}))
        wanted = explicit(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state={}))
        torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-4)
    assert reference == []
