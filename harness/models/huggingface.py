"""Causal language models of Hugging Face's library."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from harness.attention.positions import Positions
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.mixers.base import State
from harness.models import huggingface_folder, huggingface_library, huggingface_tokens
from harness.models.base import Cache, Layers, Model
from harness.models.huggingface_library import ReplacedAttention
from harness.models.transformer import embedded_by
from tasks.language.units import BYTES

log = logging.getLogger(__name__)

SEPARATORS = {"colon": ":", "newline": "\n", "space": " "}
"""The characters that the network's own separators are."""

UNPREDICTED = ("[PAD]", "[BOS]", "[SEP]")
"""Tokens that no layout asks for."""


class HuggingFace(Model):
    """A causal language model in the format of Hugging Face's library, in which attention and positions are ours: so
    every encoding, extension, position rule and logit scale does to it what it does to any other network.

    The library gives everything but attention: embeddings, projections, norms, feed-forward layers. Its rotary
    embedding or its table of positions is taken out and becomes the encoding, ``pretrained_rotary`` or
    ``pretrained_table``, with which the network computes what the library computes; another encoding replaces it. When
    a network is loaded, that equality is checked on a few tokens against the library's own attention, and a network
    that does more in attention (a window, capped logits, frequencies that depend on the length of the input) is refused
    instead of being computed wrongly. Attention weights are not dropped in training; what else the network drops is.

    ``name_or_path`` is a folder with ``config.json`` and safetensors, or a repository on the Hub, of which
    ``revision`` is read and nothing is downloaded with ``local_files_only``. No code of it is ever run. The network has
    its own size, whatever ``model`` says.

    ``weights="drawn"`` takes the architecture alone and draws weights as the library does. ``tokens`` says which rows
    of its vocabulary the tokens of a task have: ``tokenizer``, those of the same names in the network's tokenizer.json,
    and newly drawn ones for tokens that it does not know (``[SEP]``, unless ``separator`` says otherwise);
    ``numbers``, row i for token i, of exactly as many; ``fresh``, all newly drawn. With ``tokenizer`` no token is
    predicted under two names and none that only opens or separates, so that probabilities are those of the library over
    its tokenizer's vocabulary.

    ``separator`` is what stands before an answer with ``tokens="tokenizer"``: a new row that is ``drawn``, which means
    nothing until it is trained, or the network's own ``colon``, ``newline`` or ``space``.

    Raises :class:`ValueError` for what cannot be read or computed.
    """

    stackable = False
    layout = "Causal"
    mode = "causal"
    caches = True
    reads = ("name_or_path", "revision", "local_files_only")

    rows: Tensor
    impossible: Tensor

    def __init__(
        self,
        dimensions: Dimensions,
        vocabulary: int,
        layers: Layers,
        *,
        name_or_path: str = "",
        revision: str = "main",
        local_files_only: bool = False,
        weights: Literal["saved", "drawn"] = "saved",
        tokens: Literal["tokenizer", "numbers", "fresh"] = "tokenizer",
        separator: Literal["drawn", "colon", "newline", "space"] = "drawn",
    ) -> None:
        super().__init__()
        self.folder = huggingface_folder.folder(name_or_path, revision, local_files_only)
        saved = huggingface_folder.size(self.folder)
        if saved != (dimensions.d_model, dimensions.n_heads, dimensions.n_layers):
            raise ValueError(f"the network in {self.folder} has {saved}, so the dimensions must be those")
        if separator != "drawn" and tokens != "tokenizer":
            raise ValueError(f"separator={separator} is a token of a tokenizer: leave it, or use tokens=tokenizer")
        self.tokens = tokens
        self.separator = separator
        self.network = huggingface_library.load(self.folder, weights)
        own = huggingface_library.take_over(self.network, dimensions)
        self.places = nn.ModuleList()
        for layer in layers.stack():
            _fit(layer.encoding, own, dimensions, self.network.config)
            self.places.append(ReplacedAttention(dimensions, layer.encoding, layer.logit))
        self.register_buffer("rows", torch.arange(vocabulary), persistent=False)
        self.register_buffer("impossible", torch.zeros(vocabulary, dtype=torch.bool), persistent=False)

    def name_tokens(self, tokens: Sequence[str]) -> None:
        table = cast(nn.Embedding, self.network.get_input_embeddings())
        known = table.num_embeddings
        if self.tokens == "tokenizer":
            self._find(tokens, known)
        elif self.tokens == "fresh":
            table.padding_idx = None  # its row would not be trained
            self.network.resize_token_embeddings(len(tokens), mean_resizing=False)
            for part in (self.network.get_input_embeddings(), self.network.get_output_embeddings()):
                nn.init.normal_(cast(Any, part).weight, std=self.network.config.initializer_range)
        elif known != len(tokens):
            raise ValueError(
                f"tokens=numbers: the network has {known} tokens, the task with its special ones {len(tokens)}: "
                "use tokens=tokenizer or tokens=fresh"
            )

    def forward(self, tokens: Tensor, positions: Positions) -> Tensor:
        def attend(module: nn.Module, q: Tensor, k: Tensor, v: Tensor, factor: float) -> Tensor:
            return cast(ReplacedAttention, self.places[cast(int, module.layer_idx)]).answer(q, k, v, factor, positions)

        return huggingface_library.hidden(self.network, self._embedded(tokens, positions, 0), attend)

    def forward_with_cache(self, tokens: Tensor, positions: Positions, cache: Cache | None) -> tuple[Tensor, Cache]:
        states: dict[int, State] = {}

        def attend(module: nn.Module, q: Tensor, k: Tensor, v: Tensor, factor: float) -> Tensor:
            layer = cast(int, module.layer_idx)
            if cache:
                k, v = (torch.cat(parts, dim=2) for parts in zip(cache.layers[layer], (k, v), strict=True))
            states[layer] = (k, v)
            return cast(ReplacedAttention, self.places[layer]).answer(q, k, v, factor, positions)

        x = self._embedded(tokens, positions, cache.length if cache else 0)
        hidden = huggingface_library.hidden(self.network, x, attend)
        return hidden, Cache(tokens.shape[1], tuple(states[layer] for layer in sorted(states)))

    def _embedded(self, tokens: Tensor, positions: Positions, past: int) -> Tensor:
        """The embeddings of the tokens behind the first ``past``."""
        x = self.network.get_input_embeddings()(self.rows[tokens[:, past:]])
        return embedded_by(cast(ReplacedAttention, self.places[0]).encoding, x, tokens, positions)

    def readout(self, hidden: Tensor) -> Tensor:
        logits = cast(nn.Module, self.network.get_output_embeddings())(hidden)
        return logits[..., self.rows].masked_fill(self.impossible, -torch.inf)

    def _find(self, tokens: Sequence[str], known: int) -> None:
        """Give every token the row that the network has for it, or a new one."""
        tokenizer = self.folder / "tokenizer.json"
        if not tokenizer.exists():
            raise ValueError(
                f"tokens=tokenizer: {self.folder} has no tokenizer.json: use tokens=fresh, "
                "or tokens=numbers where the network was trained on just these tokens"
            )
        config = self.network.config
        begin, end = (_number(token, known) for token in (config.bos_token_id, config.eos_token_id))
        roles = {"[PAD]": 0, "[BOS]": end if begin is None else begin, "[EOS]": end}
        named = [_number(row, known) for row in huggingface_tokens.rows(tokens, tokenizer)]
        if self.separator != "drawn":
            (roles["[SEP]"],) = huggingface_tokens.rows([BYTES[ord(SEPARATORS[self.separator])]], tokenizer)
            if _number(roles["[SEP]"], known) is None:
                raise ValueError(f"separator={self.separator}: {tokenizer} has no token for it: use separator=drawn")
        found = [roles.get(token) if row is None else row for token, row in zip(tokens, named, strict=True)]
        new = [token for token, row in zip(tokens, found, strict=True) if row is None]
        log.info("%d of %d tokens are new to the network: %s", len(new), len(tokens), " ".join(new[:20]))
        self.network.resize_token_embeddings(known + len(new), mean_resizing=False)
        numbers = iter(range(known, known + len(new)))
        rows = [next(numbers) if row is None else row for row in found]
        seen: set[int] = set()
        for number, (token, row) in enumerate(zip(tokens, rows, strict=True)):
            self.impossible[number] = token in UNPREDICTED or row in seen
            if not self.impossible[number]:
                seen.add(row)
        self.rows = torch.tensor(rows)


def _fit(encoding: Encoding, own: Encoding, dimensions: Dimensions, config: Any) -> None:
    """Give an encoding the network's own positions if it is for them. Raises :class:`ValueError` if it is for others,
    or needs what the library does not give.
    """
    if encoding.uses("state"):
        raise ValueError("the encoding reads the input of every layer, which the library does not give to attention")
    width = getattr(config, "head_dim", None) or dimensions.head_dim
    if not encoding.pretrained:
        if width != dimensions.head_dim and encoding.kind != "none":
            raise ValueError(
                f"its heads have {width} channels and not {dimensions.head_dim}, the width over the heads: "
                "use encoding=pretrained_rotary or encoding=nope"
            )
    elif isinstance(own, type(encoding)):
        cast(Any, encoding).take(own)
    else:
        trained = "pretrained_rotary" if own.kind == "rotary" else "pretrained_table"
        raise ValueError(f"it was trained with other positions: use encoding={trained}")


def _number(token: Any, known: int) -> int | None:
    """A row, of several the first, if the network has it."""
    first = token[0] if isinstance(token, list) and token else token
    return first if isinstance(first, int) and 0 <= first < known else None
