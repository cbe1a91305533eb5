"""No position encoding."""

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding


class NoPE(Encoding):
    """The model has no information on the position of a token, except that causal attention sees more tokens at later
    ones.

    Haviv et al. (2022), arXiv 2203.16634; named NoPE and found to generalize in length by Kazemnejad et al. (2023),
    arXiv 2305.19466.
    """

    depends_on = "order"
    modes = ("causal", "bidirectional", "cross", "grid", "attention-free")

    def __init__(self, dimensions: Dimensions) -> None:
        super().__init__()
