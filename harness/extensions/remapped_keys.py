"""An encoding around another, for rules that move keys far behind their queries to other positions."""

from collections.abc import Callable

from torch import Tensor

from harness.encodings.base import Encoding
from harness.encodings.pairs import Remapped
from harness.extensions.wrapper import Wrapper


class RemappedKeys(Wrapper):
    """Keys ``window`` or more positions before their query are taken as if both stood at the positions that ``far``
    makes of theirs: (query positions [B, Lq], key positions [B, Lk]) -> the same shapes. Nearer keys, and later ones
    where attention sees them, stay where they are.
    """

    def __init__(self, inner: Encoding, window: int, far: Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]) -> None:
        super().__init__(inner)
        self.window = window
        self.far = far

    def remapped(self, q_positions: Tensor, k_positions: Tensor) -> Remapped:
        where = q_positions[:, :, None] - k_positions[:, None, :] >= self.window
        return Remapped(where, *self.far(q_positions, k_positions))
