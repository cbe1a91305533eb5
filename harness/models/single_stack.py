"""What Transformers with one stack of blocks share."""

from collections.abc import Sequence
from typing import Any, cast

from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.mixers.attention import Attention
from harness.mixers.base import Mixer, Recurrent
from harness.models.base import Cache, Layers
from harness.models.block import Block
from harness.models.transformer import Transformer, embedded, through, through_with_cache


class SingleStack(Transformer):
    """One block after the other. Subclasses say what is laid out for them and which way they look."""

    def __init__(self, dimensions: Dimensions, vocabulary: int, layers: Layers, **block: Any) -> None:
        super().__init__(dimensions, vocabulary, **block)
        mixers = layers.mixers(causal=self.mode == "causal", biases=self.style.mixer_biases)
        self.blocks = nn.ModuleList(Block(dimensions, mixer, self.style) for mixer in mixers)
        self.norm = self.style.last_norm(dimensions.d_model)
        self.read_out(dimensions, self.blocks)
        self.receptive_field = _receptive_field([cast(Block, block).mixer for block in self.blocks])

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        x = self.dropout(embedded(self.embedding(tokens), self.blocks, tokens, positions))
        return self.norm(through(self.blocks, x, positions))

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        new = slice(cache.length if cache else 0, None)
        x = self.dropout(embedded(self.embedding(tokens[:, new]), self.blocks, tokens, positions))
        before = cache.layers if cache else [None] * len(self.blocks)
        x, states = through_with_cache(self.blocks, x, positions, before)
        return self.norm(x), Cache(tokens.shape[1], states)

    def constant_memory(self) -> bool:
        return self.caches and all(isinstance(cast(Block, block).mixer, Recurrent) for block in self.blocks)


def _receptive_field(mixers: Sequence[Mixer]) -> int | None:
    """How many tokens an output depends on where every layer has a window, as :attr:`Model.receptive_field`. An
    encoding that derives something from tokens or from hidden vectors may look beyond it.
    """
    field = 1
    for mixer in mixers:
        if not isinstance(mixer, Attention) or not mixer.window or mixer.encoding.uses("state"):
            return None
        field += (mixer.window - 1) * (1 if mixer.causal else 2)
    return None if isinstance(mixers[0], Attention) and mixers[0].encoding.uses("embed") else field
