"""Windows on the keys."""

import pytest
import torch
from golden_cases import dimensions, golden
from torch import Tensor

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import explicit
from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.alibi import ALiBi
from harness.encodings.base import Encoding
from harness.encodings.nope import NoPE
from harness.encodings.sinusoidal import Sinusoidal
from harness.extensions.base import Extension
from harness.extensions.chunks import Chunks
from harness.extensions.lambda_mask import LambdaMask
from harness.extensions.sinks import Sinks
from harness.extensions.window import Window
from harness.logits.standard import Standard

SEQUENTIAL = torch.arange(24)[None]
GAPS = SEQUENTIAL.square() + 5
PADDED = torch.cat([SEQUENTIAL, torch.tensor([[0, 3, 3, 0]])], dim=1)


def mask(extension: Extension, positions: Tensor = SEQUENTIAL) -> Tensor:
    return extension.extend(NoPE(dimensions(4, 16)), 7, 24).visible(positions, positions)[0]


@pytest.mark.parametrize("positions", [SEQUENTIAL, GAPS, PADDED], ids=["sequential", "gaps", "padded"])
def test_masks(positions: Tensor) -> None:
    """They count tokens: gaps between positions and what stands beyond the sequence change nothing."""
    case = golden("window_masks")
    size, chunk = case.meta["hyper"]["window"], case.meta["hyper"]["chunk"]
    causal = torch.ones(24, 24).tril().bool()

    def own(extension: Extension) -> Tensor:
        return mask(extension, positions)[:24, :24]

    case.match("sliding_causal", (own(Window(size=size)) & causal).to(torch.uint8))
    case.match("sliding_bidirectional", own(Window(size=size + 1)).to(torch.uint8))  # the reference counts without it
    case.match("chunked_causal", (own(Chunks(size=chunk)) & causal).to(torch.uint8))


def test_a_window_of_0_is_the_training_length() -> None:
    assert torch.equal(mask(Window()), mask(Window(size=7)))
    assert torch.equal(mask(Chunks()), mask(Chunks(size=7)))
    assert torch.equal(mask(Sinks(sinks=2)), mask(Sinks(sinks=2, size=5)))
    assert torch.equal(mask(LambdaMask()), mask(LambdaMask(size=7)))


@pytest.mark.parametrize("extension", [Window(size=5), Chunks(size=5), Sinks(size=5), LambdaMask(size=5)])
def test_queries_in_chunks_see_what_they_see_together(extension: Extension) -> None:
    extended = extension.extend(ALiBi(dimensions(4, 16)), 7, 24)
    whole = extended.visible(GAPS, GAPS)
    assert torch.equal(extended.visible(GAPS[:, 9:20], GAPS), whole[:, 9:20])


def plain(distances: Tensor, visible: Tensor, q: Tensor, k: Tensor, v: Tensor, slopes: Tensor) -> Tensor:
    """Causal attention with ALiBi from the distances that every pair is meant to have, in float64."""
    logits = q.double() @ k.double().transpose(-1, -2) / 16**0.5 - slopes.double()[:, None, None] * distances
    return torch.softmax(logits.masked_fill(~visible, -torch.inf), dim=-1) @ v.double()


def attended(extension: Extension, positions: Tensor, q: Tensor, k: Tensor, v: Tensor) -> tuple[Tensor, Encoding]:
    encoding = extension.extend(ALiBi(dimensions(4, 16)), 7, 24)
    out = explicit(
        AttentionInputs.of(
            q, k, v, Positions(positions, False), encoding, Standard(Dimensions(64, 4, 1, 7)), causal=True, state={}
        )
    )
    return out, encoding


@pytest.mark.parametrize("positions", [SEQUENTIAL, GAPS], ids=["sequential", "gaps"])
@pytest.mark.parametrize("kind", ["sinks", "lambda"])
def test_first_keys_have_the_distances_of_the_paper(kind: str, positions: Tensor) -> None:
    """Sinks stand in the cache right before the window; LM-Infinite caps distances at that of the first key in it."""
    torch.manual_seed(0)
    q, k, v = torch.randn(3, 1, 4, 24, 16)
    first, size = 3, 6
    distances, visible = torch.zeros(24, 24, dtype=torch.float64), torch.zeros(24, 24, dtype=torch.bool)
    where = positions[0].tolist()
    for i in range(24):
        oldest = max(0, i - size + 1)
        for j in range(i + 1):
            visible[i, j] = j >= oldest or j < first
            distances[i, j] = where[i] - where[j]
            if j < oldest and kind == "lambda":
                distances[i, j] = where[i] - where[oldest]
            if j < first < oldest and kind == "sinks":
                distances[i, j] = where[i] - where[oldest] + first - j
    extension = Sinks(sinks=first, size=size) if kind == "sinks" else LambdaMask(first=first, size=size)
    got, _ = attended(extension, positions, q, k, v)
    wanted = plain(distances, visible, q[0], k[0], v[0], ALiBi(dimensions(4, 16)).slopes)
    torch.testing.assert_close(got[0].double(), wanted, atol=1e-5, rtol=1e-5)
    if kind == "sinks" and positions is SEQUENTIAL:
        assert distances[20][visible[20]].tolist() == list(range(first + size - 1, -1, -1)), "positions in the cache"


def test_an_encoding_without_distances_is_only_masked() -> None:
    for extension in (Sinks(), LambdaMask()):
        extended = extension.extend(Sinusoidal(dimensions(4, 16)), 7, 24)
        assert extended.uses("visible")
        assert not extended.uses("remapped")


def test_a_window_on_a_grid_is_refused() -> None:
    cells = torch.zeros(1, 4, 2, dtype=torch.long)
    with pytest.raises(ValueError, match="not defined on a grid"):
        Window().extend(NoPE(dimensions(4, 16)), 7, 24).visible(cells, cells)
