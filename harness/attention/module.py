"""The module of a network in which attention happens."""

from collections.abc import Callable, Mapping

from torch import Tensor, nn

from harness.attention.inputs import AttentionInputs
from harness.attention.kernels import attend
from harness.attention.positions import Positions
from harness.encodings.base import Encoding
from harness.logits.base import LogitScale


class Attending(nn.Module):
    """A place of a network where queries meet keys, whatever made them. Extensions exchange its encoding.

    ``window`` and ``sinks`` are those of :class:`~harness.attention.inputs.AttentionInputs`. Sinks need an encoding
    whose weights are a softmax: others raise :class:`ValueError`.
    """

    def __init__(
        self,
        encoding: Encoding,
        logit: LogitScale,
        *,
        causal: bool,
        window: int = 0,
        sinks: nn.Parameter | None = None,
    ) -> None:
        super().__init__()
        if sinks is not None and encoding.uses("attention_weights"):
            raise ValueError(f"sinks join a softmax, and the weights of {type(encoding).__name__} are none")
        self.encoding = encoding
        self.logit = logit
        self.causal = causal
        self.window = window
        self.sinks = sinks
        self.kernel: Callable[[AttentionInputs], Tensor] = attend
        """What computes it. All kernels agree with :func:`harness.attention.kernels.explicit`."""

    def attend(self, q: Tensor, k: Tensor, v: Tensor, positions: Positions, state: Mapping[str, Tensor]) -> Tensor:
        """Attention of q [B, H, Lq, d] over k and v [B, H, Lk, d], which are those of the tokens at ``positions``.
        The queries are those of the last Lq of these tokens. ``state`` is what the encoding derived from all of them.
        """
        return self.kernel(
            AttentionInputs.of(
                q,
                k,
                v,
                positions,
                self.encoding,
                self.logit,
                causal=self.causal,
                state=state,
                window=self.window,
                sinks=self.sinks,
            )
        )
