"""What a scale of the attention logits is."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from torch import Tensor, nn

from harness.declarations.bounds import Bounded
from harness.encodings.precision import without_autocast


class LogitScale(Bounded, nn.Module, ABC):
    """Multiplies the logits of a query by a number that may depend on how many keys it sees.

    Its constructor takes the network's :class:`~harness.dimensions.Dimensions` and then, keyword-only, the choices that
    its YAML file lists.
    """

    modes: ClassVar[tuple[str, ...]] = ("causal", "bidirectional", "cross", "grid")
    """The kinds of attention (``Model.mode``) that it is defined for."""

    uses_distances: ClassVar[bool] = False
    """Whether :meth:`by_distance` changes anything. A literal, because the validator reads it from the source."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if (cls.by_distance is not LogitScale.by_distance) != cls.uses_distances:
            raise TypeError(f"{cls.__name__}: a scale with by_distance says uses_distances = True, and no other does")
        for method in {"factor", "by_distance"} & vars(cls).keys():
            setattr(cls, method, without_autocast(vars(cls)[method]))

    @abstractmethod
    def factor(self, seen: Tensor) -> Tensor:
        """The number of keys that each query sees [L] -> factor on ``q . k`` [H or 1, L]. float32, float64 where
        ``seen`` is that.
        """

    def by_distance(self, logits: Tensor, q_positions: Tensor, k_positions: Tensor) -> Tensor:
        """Change complete logits [B, H, Lq, Lk] by the distances between [B, Lq] and [B, Lk]."""
        return logits
