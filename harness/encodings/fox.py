"""Forgetting Transformer: attention falls off by learned gates that look at the tokens."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from harness.declarations.bounds import Start
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.gates import accumulated, decay, initialized
from harness.encodings.pairs import Pairs


class FoX(Encoding):
    """Adds ``sum over j < t <= i of ln f_t`` to the scaled logits, ``f_t = sigmoid(w_h x_t + b_h)`` with x the input of
    the layer: each token decides in every head how much of what came before it is forgotten.

    Lin et al. (2025), arXiv 2503.02130. As there no other position encoding is used, w is drawn from N(0, 0.02 squared)
    and b starts at ``initial``, 0; another implementation has 5, with which almost nothing is forgotten at first. Their
    "Pro" block, with normalised and gated outputs, is an architecture of its own and no part of this. CABLE (Veisi et
    al., 2025, arXiv 2503.08067) also accumulates a bias per token and head, and is not listed apart.

    Over all tokens a later key is reached through the gates between, its own among them; ``bidirectional`` gives that
    direction gates of its own. The order is that of the sequence: positions play no part.
    """

    kind = "content"
    depends_on = "order"
    per_layer = True

    def __init__(self, dimensions: Dimensions, *, initial: Start = 0.0, bidirectional: bool = False) -> None:
        super().__init__()
        self.bidirectional = bidirectional
        self.gate = initialized(
            nn.Linear(dimensions.d_model, dimensions.n_heads * (2 if bidirectional else 1)), initial
        )

    def state(self, h: Tensor, positions: Tensor) -> Mapping[str, Tensor]:
        """``gates`` [B, H or 2H, L]: sums of the logarithms so far, those for earlier keys first."""
        return {"gates": accumulated(self.gate, h)}

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        gates = state["gates"][..., : k.shape[2]]
        if not self.bidirectional:
            return logits + decay(gates, pairs.rows, logits.dtype)
        earlier, later = (decay(half, pairs.rows, logits.dtype) for half in gates.chunk(2, dim=1))
        order = torch.arange(gates.shape[-1], device=gates.device)
        return logits + torch.where(order <= order[pairs.rows, None], earlier, -later)
