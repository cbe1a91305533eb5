"""A learned vector per segment, added to the token embeddings."""

from torch import Tensor, nn

from harness.declarations.bounds import CountOrZero, Deviation
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding


class Segment(Encoding):
    """``x + S[s]``: s is 0 up to the first separator and 1 after it, prompt and answer. There is no other position
    information.

    The segment embedding of BERT (Devlin et al., 2019, arXiv 1810.04805), where it stands beside learned positions and
    the separator belongs to what it ends, as here. Drawn from N(0, ``deviation`` squared), 0.02 as in BERT. Running
    text has no separator and is one segment.
    """

    kind = "absolute"
    depends_on = "order"
    modes = ("causal",)

    def __init__(self, dimensions: Dimensions, *, separator: CountOrZero = 2, deviation: Deviation = 0.02) -> None:
        super().__init__()
        self.separator = separator
        self.table = nn.Embedding(2, dimensions.d_model)
        nn.init.normal_(self.table.weight, std=deviation)

    def embed(self, x: Tensor, tokens: Tensor, positions: Tensor) -> Tensor:
        ends = (tokens == self.separator).long()
        return x + self.table((ends.cumsum(dim=1) - ends).clamp(max=1))
