"""Stick-breaking attention: the nearest key takes its share first, those before it share what is left."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding

KEYS = 256
"""Keys that take their shares at once, from the nearest on."""


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
        # Below this weights are nothing beside others, and exponentials are many times as slow where they underflow.
        least = math.log(torch.finfo(logits.dtype).tiny) + 10
        # Of the keys that a query may look at under causal attention the last one is itself.
        own = visible & (visible.flip(-1).cumsum(dim=-1).flip(-1) == 1)
        earlier = (visible & ~own).to(logits.dtype)  # multiplying by it is several times as fast as filling
        left = logits.new_zeros(*logits.shape[:3], 1)
        nearest_first = []
        end = logits.shape[-1]
        while end and not _broken(left, least):
            block = slice(max(0, end - KEYS), end)
            refused = F.logsigmoid(-logits[..., block])
            # Summed from the nearest key on: sums stay small, and exact, where weights are not negligible.
            sums = (refused * earlier[..., block]).flip(-1).cumsum(dim=-1).flip(-1) + left
            # ln sigmoid(z) = z + ln sigmoid(-z)
            shares = logits[..., block] + refused + torch.cat([sums[..., 1:], left], dim=-1)
            nearest_first.append(shares.clamp(min=least).exp() * earlier[..., block])
            left, end = sums[..., :1], block.start
        if end:
            nearest_first.append(logits.new_zeros(*logits.shape[:3], end))
        weights = torch.cat(nearest_first[::-1], dim=-1)
        return torch.where(own, left.exp(), weights) if self.remainder else weights


def _broken(left: Tensor, least: float) -> bool:
    """Whether nothing is left of any stick. Not asked of a GPU, which would have to wait, nor where gradients are kept:
    those may be of several networks at once.
    """
    return not left.is_cuda and not torch.is_grad_enabled() and bool((left < least).all())
