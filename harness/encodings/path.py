"""PaTH: between a key and a query every token turns what passes it, by a reflection of its own."""

from collections.abc import Mapping
from typing import Annotated

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor, nn

from harness.declarations.bounds import Width
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.encodings.gates import accumulated, decay, initialized
from harness.encodings.pairs import Pairs

BLOCK = 64
"""Tokens whose reflections are multiplied out together."""


class PaTH(Encoding):
    """Logits are ``q_i H_i H_(i-1) .. H_(j+1) k_j``, scaled, with ``H_t = I - beta_t w_t w_t^T``.

    Yang et al. (2025), arXiv 2505.16381, and their code: in every head w is the input of the layer after a linear map
    of low ``rank``, a causal convolution over ``window`` tokens per channel and SiLU, brought to length 1;
    ``beta = 2 sigmoid(linear)``. ``forget`` adds FoX's sum of logarithms of gates, in their code before logits are
    scaled. Linear maps and the convolution are drawn as PyTorch draws them, the gates as in
    :class:`~harness.encodings.fox.FoX`. The order is that of the sequence: positions play no part.

    The sequence is cut into blocks. Within one, with W its directions, ``H_b .. H_a = I - W^T T W`` for all a <= b with
    one triangular T (the UT transform: a triangular system); from block to block queries are carried
    back. Beside the logits of a chunk of queries this takes memory in proportion to the length. Gradients need one
    more number for each pair of tokens, and d for each query and block: another one per pair if d is :data:`BLOCK`.
    """

    kind = "content"
    depends_on = "order"
    modes = ("causal",)
    per_layer = True

    def __init__(
        self,
        dimensions: Dimensions,
        *,
        rank: Width = 32,
        window: Annotated[int, Field(ge=1, le=4096)] = 3,
        forget: bool = False,
    ) -> None:
        super().__init__()
        width = dimensions.n_heads * dimensions.head_dim
        self.heads = dimensions.n_heads
        self.narrow = nn.Linear(dimensions.d_model, rank, bias=False)
        self.widen = nn.Linear(rank, width, bias=False)
        self.convolution = nn.Conv1d(width, width, window, groups=width, bias=False)
        self.strength = nn.Linear(dimensions.d_model, dimensions.n_heads)
        self.gate = initialized(nn.Linear(dimensions.d_model, dimensions.n_heads), 0.0) if forget else None

    def state(self, h: Tensor, positions: Tensor) -> Mapping[str, Tensor]:
        """What :meth:`reflections` gives, and ``gates`` [B, H, L] with ``forget``: sums of logarithms so far."""
        w = self.widen(self.narrow(h)).transpose(1, 2)
        w = F.silu(self.convolution(F.pad(w, (self.convolution.kernel_size[0] - 1, 0))))
        w = F.normalize(w.unflatten(1, (self.heads, -1)).transpose(2, 3), dim=-1, eps=1e-6)
        beta = 2 * torch.sigmoid(self.strength(h)).transpose(1, 2)
        gates = {"gates": accumulated(self.gate, h)} if self.gate else {}
        return {**reflections(w, beta), **gates}

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        products = carried(q, k, pairs.rows, state)
        if "gates" in state:
            products = products + decay(state["gates"][..., : k.shape[2]], pairs.rows, products.dtype)
        return products * pairs.scale


def reflections(w: Tensor, beta: Tensor) -> dict[str, Tensor]:
    """The reflections ``I - beta_t w_t w_t^T`` in blocks, w [B, H, L, d], beta [B, H, L]. ``directions`` W
    [B, H, blocks, BLOCK, d], the last filled up with zeros; ``triangular`` T [B, H, blocks, BLOCK, BLOCK] and
    ``updates`` T W, with which the product of all in a block, last first, is ``I - W^T T W``.
    """
    size = min(BLOCK, w.shape[2])
    missing = -w.shape[2] % size
    w = F.pad(w, (0, 0, 0, missing)).unflatten(2, (-1, size))
    beta = F.pad(beta, (0, missing)).unflatten(2, (-1, size))
    # Row t of T W is beta_t times w_t after the reflections before t: (I + tril(beta W W^T, -1)) T = diag(beta).
    system = (beta[..., None] * (w @ w.transpose(-1, -2))).tril(-1)
    triangular = torch.linalg.solve_triangular(system, torch.diag_embed(beta), upper=False, unitriangular=True)
    return {"directions": w, "triangular": triangular, "updates": triangular @ w}


def carried(q: Tensor, k: Tensor, rows: slice, blocks: Mapping[str, Tensor]) -> Tensor:
    """``q_i H_i .. H_(j+1) k_j`` for the queries [B, H, Lq, d] at ``rows`` and all keys [B, H, L, d] -> [B, H, Lq, L],
    where j <= i; elsewhere the numbers mean nothing.
    """
    size = blocks["directions"].shape[3]
    used = -(-rows.stop // size)
    w, updates = blocks["directions"][:, :, :used], blocks["updates"][:, :, :used]
    q, k = q.to(w.dtype), k.to(w.dtype)
    length = k.shape[2]
    k = F.pad(k[:, :, : used * size], (0, 0, 0, max(0, used * size - length))).unflatten(2, (-1, size))
    # Between key j and the end of its block stand the tokens after j, up to a query in that block those until it.
    between = blocks["triangular"][:, :, :used] @ (w @ k.transpose(-1, -2)).tril(-1)
    later = q[:, :, :0]
    columns = []
    for block in range(used - 1, -1, -1):  # queries of later blocks arrive carried to the end of this one
        start = max(rows.start, block * size)
        here = q[:, :, start - rows.start : max(start, min(rows.stop, (block + 1) * size)) - rows.start]
        passed = (here @ w[:, :, block].transpose(-1, -2)).tril(start - block * size)
        column = here @ k[:, :, block].transpose(-1, -2) - passed @ between[:, :, block]
        if block + 1 < used:
            end = k[:, :, block] - between[:, :, block].transpose(-1, -2) @ w[:, :, block]
            column = torch.cat([column, later @ end.transpose(-1, -2)], dim=2)
        columns.append(F.pad(column, (0, 0, q.shape[2] - column.shape[2], 0)))
        if block:
            every = torch.cat([passed, later @ w[:, :, block].transpose(-1, -2)], dim=2)
            later = torch.cat([here, later], dim=2) - every @ updates[:, :, block]
    products = torch.cat(columns[::-1], dim=-1)[..., :length]
    return F.pad(products, (0, length - products.shape[-1]))
