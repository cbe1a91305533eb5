"""The fast kernels give what the explicit one gives, and memory grows linearly with length."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from support import choices, component, environment
from torch import Tensor

from harness import declarations
from harness.attention import kernels
from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend, explicit, fusible
from harness.attention.positions import Positions
from harness.checks.numerics import kernels_agree
from harness.config import catalogue
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.pairs import Pairs
from harness.logits.log_n import LogN
from harness.logits.standard import Standard

DIMENSIONS = Dimensions(d_model=32, n_heads=4, n_layers=1, train_tokens=20)


def enough(name: str, positions: int) -> dict[str, int]:
    """Options with which an encoding knows so many positions."""
    limited_by = declarations.lookup(target(name)).attributes["limited_by"]
    return {limited_by: positions} if limited_by else {"window": 200} if name == "swin" else {}


def target(name: str) -> str:
    return str(next(choice.target for choice in catalogue.choices("encoding") if choice.name == name))


def make(name: str) -> Encoding:
    torch.manual_seed(0)
    return component("encoding", name, DIMENSIONS, **enough(name, 1400))


def positions(kind: str, batch: int, length: int, channels: int = 1) -> Positions:
    generator = torch.Generator().manual_seed(3)
    if channels == 2:
        return Positions(torch.stack([torch.arange(length) // 8, torch.arange(length) % 8], dim=-1)[None], False)
    if kind == "sequential":
        return Positions(torch.arange(length)[None], True)
    if kind == "offset":
        return Positions(torch.randint(50, (batch, 1), generator=generator) + torch.arange(length), True)
    values = torch.stack([torch.randperm(2 * length, generator=generator)[:length].sort().values for _ in range(batch)])
    return Positions(values, False)


def fused_cases() -> Iterator[tuple[str, bool, str, type]]:
    """Encodings that a fused kernel serves, causal or not, kinds of positions, and logit scales."""
    for name in choices("encoding"):
        encoding = make(name)
        if not fusible(encoding, Standard(DIMENSIONS)):
            continue
        kinds = [("sequential", Standard), ("offset", LogN), ("random", Standard)]
        for causal in (True, False):
            if ("causal" if causal else "bidirectional") in encoding.modes:
                for kind, logit in kinds[:1] if encoding.channels > 1 else kinds:
                    yield name, causal, kind, logit


def hidden_cases() -> Iterator[tuple[str, bool, type]]:
    for name in choices("encoding"):
        encoding = make(name)
        for mode in encoding.modes:
            if mode in ("causal", "bidirectional") and encoding.channels == 1:
                yield name, mode == "causal", LogN if fusible(encoding, Standard(DIMENSIONS)) else Standard


@pytest.mark.parametrize(("name", "causal", "logit"), hidden_cases())
def test_tokens_that_must_not_be_looked_at_change_nothing(name: str, causal: bool, logit: type) -> None:
    """Rows of different lengths attend as they would alone, whatever lies behind their ends; kernels agree on it."""
    encoding, scale = make(name), logit(DIMENSIONS)
    lengths = (5, 23, 30)
    torch.manual_seed(1)
    q, k, v = torch.randn(3, 3, DIMENSIONS.n_heads, 30, DIMENSIONS.head_dim)
    h = torch.randn(3, 30, DIMENSIONS.d_model)
    visible = torch.arange(30) < torch.tensor(lengths)[:, None]
    where = Positions(torch.arange(30)[None], True, visible)
    for kernel in (attend, explicit):
        both = kernel(
            AttentionInputs.of(q, k, v, where, encoding, scale, causal=causal, state=encoding.state(h, where.values))
        )
        assert both.isfinite().all()
        for row, length in enumerate(lengths):
            part = (slice(row, row + 1), slice(None), slice(length))
            own = Positions(torch.arange(length)[None], True)
            state = encoding.state(h[row : row + 1, :length], own.values)
            alone = explicit(
                AttentionInputs.of(q[part], k[part], v[part], own, encoding, scale, causal=causal, state=state)
            )
            torch.testing.assert_close(both[part], alone, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("length", [1, 37, pytest.param(530, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("name", "causal", "kind", "logit"), fused_cases())
def test_kernels_agree_in_outputs_and_gradients(name: str, kind: str, length: int, causal: bool, logit: type) -> None:
    encoding, scale = make(name), logit(DIMENSIONS)
    torch.manual_seed(0)
    where = positions(kind, 2, length, encoding.channels)
    kernels_agree(encoding, scale, where, DIMENSIONS, causal=causal)


@torch.no_grad()
@pytest.mark.parametrize("name", choices("encoding"))
def test_chunks_of_queries_make_no_difference(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoding = make(name)
    if encoding.channels > 1:
        pytest.skip("a grid has no order")
    for parameter in encoding.parameters():
        parameter.add_(0.3 * torch.randn_like(parameter))
    where = positions("random", 2, 50)
    q, k, v = torch.randn(3, 2, DIMENSIONS.n_heads, 50, DIMENSIONS.head_dim)
    state = encoding.state(torch.randn(2, 50, DIMENSIONS.d_model), where.values)
    whole = explicit(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state=state))
    monkeypatch.setattr(kernels, "CHUNK", 16)
    parts = explicit(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state=state))
    torch.testing.assert_close(whole, parts, atol=1e-5, rtol=1e-5)


class Everything(Encoding):
    """Overrides every hook, to show that each reaches the logits, the weights or the output."""

    def state(self, h: Tensor, positions: Tensor) -> dict[str, Tensor]:
        return {"gate": h[..., 0]}

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: dict
    ) -> tuple[Tensor, Tensor]:
        return q * 2, k

    def bias(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return -0.1 * (q_positions[:, None, :, None] - k_positions[:, None, None, :]).abs().float()

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: dict) -> Tensor:
        return logits + state["gate"][:, None, None, : k.shape[2]]

    def attention_weights(self, logits: Tensor, visible: Tensor) -> Tensor:
        return torch.sigmoid(logits) * visible

    def value(self, weights: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return weights.sum(-1, keepdim=True) * torch.ones(DIMENSIONS.head_dim)

    def visible(self, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        return (q_positions[:, :, None] - k_positions[:, None, :]).abs() <= 3

    def logit_scale(self, q_positions: Tensor) -> Tensor:
        return 1 + 0.01 * q_positions.float()


@pytest.mark.parametrize("chunk", [kernels.CHUNK, 4])
def test_every_hook_does_what_its_definition_says(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "CHUNK", chunk)
    torch.manual_seed(0)
    length = 9
    q, k, v = torch.randn(3, 2, DIMENSIONS.n_heads, length, DIMENSIONS.head_dim)
    gate = torch.randn(2, length)
    where = positions("sequential", 2, length)
    got = attend(
        AttentionInputs.of(q, k, v, where, Everything(), Standard(DIMENSIONS), causal=True, state={"gate": gate})
    )
    wanted = torch.zeros_like(got)
    for b in range(2):
        for h in range(DIMENSIONS.n_heads):
            for i in range(length):
                for j in range(max(0, i - 3), i + 1):
                    logit = 2 * (q[b, h, i] @ k[b, h, j]) * DIMENSIONS.head_dim**-0.5 * (1 + 0.01 * i)
                    weight = torch.sigmoid(logit - 0.1 * abs(i - j) + gate[b, j])
                    wanted[b, h, i] += weight * v[b, h, j] + weight
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


class Counting(Encoding):
    """Counts the pairs of a query and a key whose logits are computed."""

    pairs = 0

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: dict) -> Tensor:
        self.pairs += logits.shape[-2] * logits.shape[-1]
        return logits


@torch.no_grad()
@pytest.mark.parametrize(("causal", "most"), [(True, 0.57), (False, 1.0)])
def test_keys_that_nothing_looks_at_are_not_computed(causal: bool, most: float) -> None:
    """Of the pairs of 2048 tokens a little more than half are causal."""
    encoding, length = Counting(), 2048
    q, k, v = torch.randn(3, 1, 1, length, 4)
    explicit(
        AttentionInputs.of(
            q,
            k,
            v,
            positions("sequential", 1, length),
            encoding,
            Standard(Dimensions(4, 1, 1, 20)),
            causal=causal,
            state={},
        )
    )
    assert length * (length + 1) / 2 <= encoding.pairs <= most * length**2


def test_a_bias_is_not_rounded_to_the_precision_of_the_queries() -> None:
    """Fused kernels take a mask of the queries' type: ALiBi in bfloat16 would merge distances."""
    encoding = make("alibi")
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, DIMENSIONS.n_heads, 900, DIMENSIONS.head_dim, dtype=torch.bfloat16)
    where = positions("sequential", 1, 900)
    coarse = attend(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state={}))
    exact = explicit(
        AttentionInputs.of(
            q.float(), k.float(), v.float(), where, encoding, Standard(DIMENSIONS), causal=True, state={}
        )
    )
    assert coarse.dtype == torch.bfloat16
    assert (coarse.float() - exact).abs().max() < 0.02


@torch.no_grad()
@pytest.mark.parametrize("name", ["alibi", "t5", "fire", "rope"])
def test_bfloat16_takes_a_fused_kernel_and_keeps_the_bias(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``train.precision=bf16-mixed`` calls it: autocast would hand the bias over rounded."""
    encoding = make(name)
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, DIMENSIONS.n_heads, 900, DIMENSIONS.head_dim, dtype=torch.bfloat16)
    where = positions("sequential", 1, 900)
    exact = explicit(
        AttentionInputs.of(
            q.float(), k.float(), v.float(), where, encoding, Standard(DIMENSIONS), causal=True, state={}
        )
    )
    monkeypatch.setattr(kernels, "explicit", lambda *_, **__: pytest.fail("logits were built as a matrix"))
    with torch.autocast("cpu", torch.bfloat16):
        fused = attend(AttentionInputs.of(q, k, v, where, encoding, Standard(DIMENSIONS), causal=True, state={}))
    assert fused.dtype == torch.bfloat16
    torch.testing.assert_close(fused, exact.bfloat16(), atol=1e-4, rtol=2**-7)


FUSED = 60
"""MiB that attention may take besides its inputs where a fused kernel serves the encoding."""
EXPLICIT = 100
"""The same for the explicit kernel, of which several arrays of one chunk are alive, 8 MiB each."""


@pytest.mark.slow
@pytest.mark.parametrize(("fused", "length", "most"), [(True, 8192, FUSED), (False, 4096, EXPLICIT)])
def test_memory_at_great_length_is_far_from_quadratic(fused: bool, length: int, most: int) -> None:
    """Logits or a bias as a matrix would take 512 MiB for two heads and 8192 tokens, 128 MiB for 4096, which take the
    explicit kernel a quarter of the time. Measured in a process of its own, where encodings that take less than those
    before them cannot be seen: all keep to the bound of their kernel.
    """
    made = [(name, make(name)) for name in choices("encoding")]
    names = [name for name, e in made if e.channels == 1 and fusible(e, Standard(DIMENSIONS)) == fused]
    assert len(names) > 5
    lines = "".join(f"measure({name!r}, {target(name)!r}, {enough(name, length)})\n" for name in names)
    # Large arrays go back to the system when they are freed, so that what is measured is what is alive.
    env = environment(MALLOC_MMAP_THRESHOLD_="65536")
    words = [sys.executable, "-c", MEASURE.replace("LENGTH", str(length)) + lines]
    done = subprocess.run(words, capture_output=True, text=True, env=env, timeout=500)
    assert done.returncode == 0, done.stderr
    taken = {name: int(mebibytes) for name, mebibytes in map(str.split, done.stdout.splitlines())}
    assert set(taken) == set(names)
    assert max(taken.values()) < most, taken


MEASURE = """
import importlib, resource, torch
from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend
from harness.attention.positions import Positions
from harness.logits.standard import Standard
from harness.dimensions import Dimensions

torch.set_num_threads(1)
dimensions, logit, start = Dimensions(16, 2, 1, 42), Standard(Dimensions(16, 2, 1, 42)), None
q, k, v = torch.randn(3, 1, 2, LENGTH, 8)
x = torch.randn(1, LENGTH, 16)

def once(encoding, n):
    where = Positions(torch.arange(n)[None], True)
    state = encoding.state(x[:, :n], where.values)
    parts = (x[..., :n, :] for x in (q, k, v))
    attend(AttentionInputs.of(*parts, where, encoding, logit, causal=True, state=state))

@torch.inference_mode()
def measure(name, target, options):
    global start
    module, _, cls = target.rpartition(".")
    encoding = getattr(importlib.import_module(module), cls)(dimensions, **options)
    once(encoding, 600)
    start = start or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    once(encoding, LENGTH)
    print(name, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start) // 1024)

"""
