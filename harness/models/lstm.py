"""Long short-term memory."""

from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.declarations.bounds import Dropout
from harness.dimensions import Dimensions
from harness.models import recurrent
from harness.models.base import Cache, Layers, Model


class LSTM(Model):
    """The long short-term memory of Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000), in
    PyTorch's kernel, layer upon layer, and no attention.

    Deletang et al. (2023), arXiv 2207.02098, use one layer of width 256. ``dropout`` acts on the embedding and on
    what each layer gives. The state has 2 D numbers per layer at any length, and in evaluation all memory but that
    of the scored answers is constant.
    """

    layout = "Causal"
    mode = "attention-free"
    caches = True
    stackable = False

    def __init__(self, dimensions: Dimensions, vocabulary: int, layers: Layers, *, dropout: Dropout = 0.0) -> None:
        super().__init__()
        self.embedding, self.layers, self.dropout, self.head = recurrent.parts(nn.LSTM, dimensions, vocabulary, dropout)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        return self.forward_with_cache(tokens, positions, None)[0]

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        return recurrent.outputs(self.embedding, self.layers, self.dropout, tokens, cache)

    def constant_memory(self) -> bool:
        return True

    def readout(self, hidden: Tensor) -> Tensor:
        return self.head(hidden)
