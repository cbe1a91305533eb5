"""Encoder-decoder Transformer."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Mode
from harness.layouts.special_tokens import SEP
from harness.mixers.base import Mixer, State
from harness.mixers.initialization import initialize
from harness.models.base import Cache, Layers
from harness.models.block import Block, Style
from harness.models.transformer import Transformer, embedded, through, through_with_cache


class EncoderDecoder(Transformer):
    """An encoder reads the prompt at once, a decoder writes the answer from left to right and looks at what the encoder
    made of the prompt (Vaswani et al., 2017, arXiv 1706.03762). ``layers`` counts the blocks of each.

    It is given ``[BOS] prompt [SEP] answer``: the encoder reads what stands before ``[SEP]``, the decoder the rest, of
    which ``[SEP]`` is the start token. Where positions count up in steps of one, those of the answer begin anew where
    those of the prompt began; other rules (random ones, coupled ones) tell both sides what they say. The encoding
    enters self-attention, on each side with weights of its own; cross-attention has none, as in Vaswani et al., T5 and
    BART, and logits over sqrt(d) whatever the logit axis says.

    As it stands blocks are those of the decoder of this harness. Other choices: ``vaswani`` (post-norm, ReLU,
    embeddings tied and times sqrt(D)), ``t5`` (Raffel et al., 2020, arXiv 1910.10683: RMSNorm, ReLU, no biases, tied)
    and ``bart`` (Lewis et al., 2020, arXiv 1910.13461: post-norm, GELU, biases, tied, embeddings normalised). T5
    multiplies the readout by 1 / sqrt(D), not the embeddings by sqrt(D): the same function of a smaller matrix. It does
    not divide logits by sqrt(d), which is the same but for the initial size of queries.
    """

    layout = "Translation"
    mode = "bidirectional"
    caches = True
    further_modes: ClassVar[tuple[Mode, ...]] = ("causal",)

    def __init__(
        self, dimensions: Dimensions, vocabulary: int, layers: Layers, *, embedding_norm: bool = False, **block: Any
    ) -> None:
        super().__init__(dimensions, vocabulary, **block)
        style = self.style
        read, write = (layers.mixers(causal=causal, biases=style.mixer_biases) for causal in (False, True))
        self.encoder = nn.ModuleList(Block(dimensions, mixer, style) for mixer in read)
        self.decoder = nn.ModuleList(CrossBlock(dimensions, mixer, style) for mixer in write)
        sides = [style.normalized(dimensions.d_model) if embedding_norm else nn.Identity() for _ in range(2)]
        self.encoder_embedding_norm, self.decoder_embedding_norm = sides
        self.encoder_norm, self.decoder_norm = (style.last_norm(dimensions.d_model) for _ in range(2))
        self.read_out(dimensions, [*self.encoder, *self.decoder])

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        """tokens [B, L] -> [B, L, D]. Both sides get rows of L tokens. The encoder's are the rows as they are, with all
        but the prompt hidden; the decoder's begin at ``[SEP]``, and the prompt comes behind the answer, which does not
        see it. What comes out for the prompt is of no use.
        """
        prompt = _prompt(tokens)
        memory = self._encoded(tokens, positions, prompt)
        places = torch.arange(tokens.shape[1], device=tokens.device)
        before = prompt.sum(dim=1, keepdim=True)
        from_separator, back = (places + before) % len(places), (places - before) % len(places)
        told = positions if positions.consecutive else Positions(reordered(positions.values, from_separator), False)
        x = self._embedded(self.decoder, self.decoder_embedding_norm, reordered(tokens, from_separator), told)
        return reordered(self.decoder_norm(through(self.decoder, x, told, memory, prompt)), back)

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        """The states are those of the decoder's blocks with what each takes from the encoder. What comes out for the
        prompt is of no use. Prompts of several lengths, or that have no end yet, leave no states: all is read again.
        """
        prompt, length = _prompt(tokens), tokens.shape[1]
        new = slice(cache.length if cache else 0, None)
        asked = int(prompt[0].sum())
        if asked == length or bool((prompt != prompt[:1]).any()):
            return self(tokens, positions)[:, new], Cache(length, ())
        told = positions.first(length - asked) if positions.consecutive else positions.last(length - asked)
        blocks = [cast(CrossBlock, block) for block in self.decoder]
        if cache and cache.layers:
            read, states = cache.length, cache.layers
        else:
            memory = self._encoded(tokens[:, :asked], positions.first(asked), prompt[:, :asked])
            read, states = asked, tuple(block.cross.keys_and_values(memory) for block in blocks)
        x = embedded(self.embedding(tokens[:, read:]), self.decoder, tokens[:, asked:], told)
        x = self.dropout(self.decoder_embedding_norm(x))
        x, after = through_with_cache(self.decoder, x, told, states)
        return F.pad(self.decoder_norm(x), (0, 0, read, 0))[:, new], Cache(length, after)

    def _encoded(self, tokens: Tensor, positions: Positions, prompt: Tensor) -> Tensor:
        """What the encoder makes of the tokens [B, L], of which only those of the prompt are visible [B, L, D]."""
        read = Positions(positions.values, positions.consecutive, prompt)
        x = self._embedded(self.encoder, self.encoder_embedding_norm, tokens, read)
        return self.encoder_norm(through(self.encoder, x, read))

    def _embedded(self, blocks: Iterable[nn.Module], norm: nn.Module, tokens: Tensor, where: Positions) -> Tensor:
        return self.dropout(norm(embedded(self.embedding(tokens), blocks, tokens, where)))


class CrossBlock(Block):
    """A causal block with attention to the encoder's output between its two sublayers."""

    def __init__(self, dimensions: Dimensions, mixer: Mixer, style: Style) -> None:
        super().__init__(dimensions, mixer, style)
        self.cross_norm = style.normalized(dimensions.d_model)
        self.cross_added_norm = style.added_norm(dimensions.d_model)
        self.cross = CrossAttention(dimensions, bias=style.mixer_biases)

    def forward(  # type: ignore[override]
        self, x: Tensor, positions: Positions, carried: Tensor | None, memory: Tensor, prompt: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """x and memory [B, L, D], prompt [B, L] -> [B, L, D], and what the encoding carries as in other blocks."""
        x, carried = self.residual(x, self.mixer_norm, self.mixer_added_norm, lambda y: self.mix(y, positions, carried))
        x, carried = self.residual(
            x, self.cross_norm, self.cross_added_norm, lambda y: (self.cross(y, memory, prompt), carried)
        )
        return self.residual(x, self.feed_forward_norm, self.feed_forward_added_norm, lambda y: self.feed(y, carried))

    def forward_with_cache(
        self, x: Tensor, positions: Positions, state: State | None, carried: Tensor | None = None
    ) -> tuple[Tensor, State, Tensor | None]:
        """The state begins with the keys and the values of the encoder's output, all of which is visible."""
        k, v, *own = cast(State, state)
        x, (after, carried) = self.residual(
            x,
            self.mixer_norm,
            self.mixer_added_norm,
            lambda y: self.mix_with_cache(y, positions, tuple(own) or None, carried),
        )
        x, carried = self.residual(
            x, self.cross_norm, self.cross_added_norm, lambda y: (self.cross.attend(y, k, v, None), carried)
        )
        x, carried = self.residual(
            x, self.feed_forward_norm, self.feed_forward_added_norm, lambda y: self.feed(y, carried)
        )
        return x, (k, v, *after), carried

    def initialize_weights(self, dimensions: Dimensions) -> None:
        super().initialize_weights(dimensions)
        initialize(dimensions, reads=(self.cross.query, self.cross.project), writes=(self.cross.output,))


class CrossAttention(nn.Module):
    """Multi-head attention of one sequence to another, without positions."""

    def __init__(self, dimensions: Dimensions, *, bias: bool) -> None:
        super().__init__()
        self.heads = dimensions.n_heads
        self.fused: Callable[..., Tensor] = F.scaled_dot_product_attention
        """What computes it, as :attr:`harness.attention.inputs.AttentionInputs.fused`."""
        self.query = nn.Linear(dimensions.d_model, dimensions.d_model, bias=bias)
        self.project = nn.Linear(dimensions.d_model, 2 * dimensions.d_model, bias=bias)
        self.output = nn.Linear(dimensions.d_model, dimensions.d_model, bias=bias)

    def forward(self, x: Tensor, memory: Tensor, visible: Tensor) -> Tensor:
        """x [B, Lq, D], memory [B, Lk, D], of which ``visible`` [B, Lk] -> [B, Lq, D]."""
        return self.attend(x, *self.keys_and_values(memory), visible[:, None, None])

    def keys_and_values(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """[B, Lk, D] -> [B, H, Lk, d] each."""
        k, v = self.project(memory).view(len(memory), memory.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        return k, v

    def attend(self, x: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        """x [B, Lq, D], keys and values, and which of them are visible, ``None`` for all -> [B, Lq, D]."""
        batch, length, _ = x.shape
        q = self.query(x).view(batch, length, self.heads, -1).transpose(1, 2)
        attended = self.fused(q, k, v, attn_mask=mask)
        return self.output(attended.transpose(1, 2).reshape(batch, length, -1))


def _prompt(tokens: Tensor) -> Tensor:
    """Which tokens stand before ``[SEP]``, same shape."""
    return (tokens == SEP).cumsum(dim=1) == 0


def reordered(rows: Tensor, order: Tensor) -> Tensor:
    """The tokens of each row [B or 1, L, ...] in another order [B, L] -> [B, L, ...]."""
    return rows.take_along_dim(order.view(*order.shape, *[1] * (rows.dim() - 2)), dim=1)
