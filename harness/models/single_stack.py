"""What Transformers with one stack of blocks share."""

from collections.abc import Iterator
from typing import Any, cast

from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.mixers.base import Recurrent, State
from harness.models.base import Layers
from harness.models.block import Block
from harness.models.recurrent import STRETCH
from harness.models.transformer import Transformer, embedded, through


class SingleStack(Transformer):
    """One block after the other. Subclasses say what is laid out for them and which way they look."""

    def __init__(self, dimensions: Dimensions, vocabulary: int, layers: Layers, **block: Any) -> None:
        super().__init__(dimensions, vocabulary, **block)
        mixers = layers.mixers(causal=self.mode == "causal", biases=self.style.mixer_biases)
        self.blocks = nn.ModuleList(Block(dimensions, mixer, self.style) for mixer in mixers)
        self.norm = self.style.last_norm(dimensions.d_model)
        self.read_out(dimensions, self.blocks)

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        x = self.dropout(embedded(self.embedding(tokens), self.blocks, tokens, positions))
        return self.norm(through(self.blocks, x, positions))

    def stretches(self, tokens: Tensor, positions: Positions) -> Iterator[Tensor]:
        blocks = [cast(Block, block) for block in self.blocks]
        if not all(isinstance(block.mixer, Recurrent) for block in blocks):
            yield self(tokens, positions)
            return
        states: list[State | None] = [None] * len(blocks)
        for part in tokens.split(STRETCH, dim=1):
            x = self.dropout(self.embedding(part))
            for number, block in enumerate(blocks):
                x, states[number] = block.run(x, states[number])
            yield self.norm(x)
