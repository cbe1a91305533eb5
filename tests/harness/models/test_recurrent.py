"""The networks that are PyTorch's own compute what their papers define."""

import pytest
import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.models import base
from harness.models.gru import GRU
from harness.models.lstm import LSTM
from harness.models.rnn import RNN

DIMENSIONS = Dimensions(6, 1, 2, 10)
TOKENS = torch.randint(5, (3, 8), generator=torch.Generator().manual_seed(1))
POSITIONS = Positions(torch.arange(8)[None], True)


def stepwise(model: RNN | GRU | LSTM, step: object) -> Tensor:
    """The hidden vectors of the last layer by a step ``(weights, x, (h, c)) -> (h, c)``."""
    x = model.embedding(TOKENS)
    for layer in model.layers:
        weights = (layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0, layer.bias_hh_l0)
        h = c = torch.zeros(len(TOKENS), DIMENSIONS.d_model)
        outputs = []
        for t in range(x.shape[1]):
            h, c = step(weights, x[:, t], h, c)
            outputs.append(h)
        x = torch.stack(outputs, dim=1)
    return x


def test_rnn_with_either_nonlinearity() -> None:
    for name, f in (("relu", torch.relu), ("tanh", torch.tanh)):
        model = RNN(DIMENSIONS, 5, lambda: None, nonlinearity=name)

        def step(weights, x, h, c, f=f):
            w, u, b, d = weights
            return f(x @ w.T + b + h @ u.T + d), c

        assert torch.allclose(model(TOKENS, POSITIONS), stepwise(model, step), atol=1e-6)


def test_lstm_has_input_forget_and_output_gates() -> None:
    model = LSTM(DIMENSIONS, 5, lambda: None)

    def step(weights, x, h, c):
        w, u, b, d = weights
        i, f, g, o = (x @ w.T + b + h @ u.T + d).chunk(4, dim=1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c

    assert torch.allclose(model(TOKENS, POSITIONS), stepwise(model, step), atol=1e-6)


def test_gru_has_reset_and_update_gates() -> None:
    model = GRU(DIMENSIONS, 5, lambda: None)

    def step(weights, x, h, c):
        w, u, b, d = weights
        reset, update, new = (x @ w.T + b).chunk(3, dim=1)
        old_reset, old_update, old_new = (h @ u.T + d).chunk(3, dim=1)
        candidate = (new + (reset + old_reset).sigmoid() * old_new).tanh()
        z = (update + old_update).sigmoid()
        return (1 - z) * candidate + z * h, c

    assert torch.allclose(model(TOKENS, POSITIONS), stepwise(model, step), atol=1e-6)


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_what_is_read_in_stretches_is_what_is_read_at_once(
    kind: type[RNN | GRU | LSTM], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "CHUNK", 3)
    model = kind(DIMENSIONS, 5, lambda: None)
    parts = list(model.forward_in_chunks(TOKENS, POSITIONS))
    assert [part.shape[1] for part in parts] == [3, 3, 2]
    torch.testing.assert_close(torch.cat(parts, dim=1), model(TOKENS, POSITIONS), atol=1e-6, rtol=1e-6)
