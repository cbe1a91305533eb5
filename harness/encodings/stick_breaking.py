"""Stick-breaking attention: the nearest key takes its share first, those before it share what is left."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding


class StickBreaking(Encoding):
    """Weights ``A_ij = sigmoid(z_ij) x product over j < t < i of (1 - sigmoid(z_it))`` of the logits z, in place of a
    softmax, over keys strictly earlier than the query. They sum to less than 1; the first token sees nothing.

    Tan et al. (2024), arXiv 2410.17980. With ``remainder`` what is left of the stick goes to the query's own value, so
    that the weights sum to 1, as the authors' code can do; their formula does without. The order is that of the
    sequence: positions play no part.
    """

    kind = "content"
    depends_on = "order"
    softmax = False
    modes = ("causal",)

    def __init__(self, dimensions: Dimensions, *, remainder: bool = False) -> None:
        super().__init__()
        self.remainder = remainder

    def attention_weights(self, logits: Tensor, visible: Tensor) -> Tensor:
        # Of the keys that a query may look at under causal attention the last one is itself.
        own = visible & (visible.flip(-1).cumsum(dim=-1).flip(-1) == 1)
        earlier = visible & ~own
        kept = F.logsigmoid(-logits).masked_fill(~earlier, 0)
        # Summed from the nearest key on: sums stay small, and exact, where weights are not negligible.
        left = kept.flip(-1).cumsum(dim=-1).flip(-1)
        shares = F.logsigmoid(logits) + F.pad(left[..., 1:], (0, 1))
        # Below this weights are nothing beside others, and exponentials are many times as slow where they underflow.
        least = math.log(torch.finfo(shares.dtype).tiny) + 10
        weights = shares.clamp(min=least).exp().masked_fill(~earlier, 0)
        return torch.where(own, left[..., :1].exp(), weights) if self.remainder else weights
