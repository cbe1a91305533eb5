"""The extent of sequences in training and in tests, from which an encoding tells what it never saw in training."""

from typing import NamedTuple


class Extent(NamedTuple):
    """The extent of the sequences in training, or in a test."""

    tokens: int
    """Tokens of the longest sequence."""
    position: int
    """The largest position that a token receives."""
    consecutive: bool = True
    """Whether positions count up in steps of one."""
    each: tuple[int, ...] = ()
    """The largest of each of the numbers of a position."""
    two_sided: bool = False
    """Whether positions reach as far below 0 as above it."""
    causal: bool = True
    """Whether no token sees later ones."""
    window: int = 0
    """How many keys a query sees on a side, its own among them; 0: no limit."""

    @property
    def distance(self) -> int:
        """The largest distance between a query and a key that it sees. How far a window of tokens reaches is known
        only where positions count up in steps of one.
        """
        if self.consecutive:
            return min(self.tokens, self.window or self.tokens) - 1
        return self.position * (2 if self.two_sided else 1)
