"""What a scale of the attention logits is."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class LogitScale(nn.Module, ABC):
    """Multiplies every logit of a query by a number that may depend on where the query stands.

    Its constructor takes the network's :class:`~harness.shape.Shape` and then, keyword-only, the choices that its YAML
    file lists.
    """

    @abstractmethod
    def factor(self, q_positions: Tensor) -> Tensor:
        """Query positions [B, L] -> factor on ``q . k`` [B, H or 1, L], float32."""
