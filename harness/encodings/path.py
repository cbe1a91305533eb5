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
    one triangular T (the UT transform: a triangular system); keys are carried to the end of their block, and from block
    to block queries are carried back by the product of its reflections. Beside the logits of a chunk of queries this
    takes memory in proportion to the length. Gradients need one more number for each pair of tokens, and d for each
    query and block: another one per pair if d is :data:`BLOCK`.
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

    def rotate(
        self, q: Tensor, k: Tensor, q_positions: Tensor, k_positions: Tensor, state: Mapping[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Where there are several blocks, keys have as more channels what they are at the end of their block."""
        return (F.pad(q, (0, q.shape[-1])), torch.cat([k, ends(k, state)], dim=-1)) if "endings" in state else (q, k)

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        logits = carried(logits, pairs.scale * q, k, pairs.rows, state)
        if "gates" in state:
            logits = logits + pairs.scale * decay(state["gates"][..., : k.shape[2]], pairs.rows, logits.dtype)
        return logits


def reflections(w: Tensor, beta: Tensor) -> dict[str, Tensor]:
    """The reflections ``I - beta_t w_t w_t^T`` in blocks, w [B, H, L, d], beta [B, H, L]. ``directions`` W
    [B, H, blocks, BLOCK, d], the last filled up with zeros; ``strengths`` beta [B, H, blocks, BLOCK, 1]; ``system`` A
    [B, H, blocks, BLOCK, BLOCK] below the diagonal of ones, with which ``T = A^-1 diag(beta)``.

    Where there are several blocks, also ``updates`` T W and ``endings`` T^T W, like W, and the products of all
    reflections of each block, last first: ``passages`` ``I - W^T T W`` [B, H, blocks, d, d].
    """
    size = min(BLOCK, w.shape[2])
    missing = -w.shape[2] % size
    w = F.pad(w, (0, 0, 0, missing)).unflatten(2, (-1, size))
    beta = F.pad(beta, (0, missing)).unflatten(2, (-1, size))[..., None]
    # Row t of T W is beta_t times w_t after the reflections before t: (I + tril(beta W W^T, -1)) T = diag(beta).
    system = (w @ w.mT) * (beta * _earlier(size, w))
    blocks = {"directions": w, "strengths": beta, "system": system}
    if w.shape[2] == 1:
        return blocks
    updates = torch.linalg.solve_triangular(system, beta * w, upper=False, unitriangular=True)
    endings = beta * torch.linalg.solve_triangular(system.mT, w, upper=True, unitriangular=True)
    passages = torch.eye(w.shape[-1], dtype=w.dtype, device=w.device) - w.mT @ updates
    return {**blocks, "updates": updates, "endings": endings, "passages": passages}


def _earlier(tokens: int, x: Tensor) -> Tensor:
    """1 where a token, its row, comes after another, its column, otherwise 0 [tokens, tokens], on the device of x.
    Multiplying takes a third of the time of ``tril``, and so does its gradient.
    """
    return torch.ones(tokens, tokens, dtype=x.dtype, device=x.device).tril(-1)


def ends(k: Tensor, blocks: Mapping[str, Tensor]) -> Tensor:
    """``H_b .. H_(j+1) k_j`` with b the last token of j's block, like the keys [B, H, L, d]."""
    w, endings = blocks["directions"], blocks["endings"]
    filled = F.pad(k, (0, 0, 0, w.shape[2] * w.shape[3] - k.shape[2])).unflatten(2, (-1, w.shape[3]))
    return (filled - ((w @ filled.mT) * _earlier(w.shape[3], w)).mT @ endings).flatten(2, 3)[:, :, : k.shape[2]]


def carried(logits: Tensor, q: Tensor, k: Tensor, rows: slice, blocks: Mapping[str, Tensor]) -> Tensor:
    """``q_i H_i .. H_(j+1) k_j`` for the queries [B, H, Lq, d] at ``rows`` and keys [B, H, L, d] up to the last of them
    at least, given their dot products ``q_i k_j`` -> [B, H, Lq, L], where j <= i; elsewhere the numbers mean nothing.
    Where there are several blocks queries and keys have the channels that :meth:`PaTH.rotate` gives them.
    """
    w = blocks["directions"]
    size, width = w.shape[3:]
    first, last = rows.start // size, (rows.stop - 1) // size
    q, k, at_end = q[..., :width].to(w.dtype), k[..., :width].to(w.dtype), k[..., width:].to(w.dtype)
    later = q[:, :, :0]
    columns = [logits[..., (last + 1) * size :]]
    for block in range(last, first - 1, -1):  # queries of later blocks arrive carried to the end of this one
        start = max(rows.start, block * size)
        keys = slice(block * size, min((block + 1) * size, k.shape[2]))
        here = slice(start - rows.start, min(rows.stop, keys.stop) - rows.start)
        directions = w[:, :, block, : keys.stop - keys.start]
        system = blocks["system"][:, :, block, : keys.stop - keys.start, : keys.stop - keys.start]
        strengths = blocks["strengths"][:, :, block, : keys.stop - keys.start]
        # Between key j and the end of its block stand the tokens after j, up to a query in that block those until it.
        met = (directions @ k[:, :, keys].mT) * (strengths * _earlier(keys.stop - keys.start, w))
        between = torch.linalg.solve_triangular(system, met, upper=False, unitriangular=True)
        until = torch.ones(here.stop - here.start, keys.stop - keys.start, dtype=w.dtype, device=w.device)
        passed = (q[:, :, here] @ directions.mT) * until.tril(start - keys.start)
        column = [logits[:, :, : here.start, keys], logits[:, :, here, keys] - passed @ between]
        if block < last:
            column.append(later @ at_end[:, :, keys].mT)
            later = later @ blocks["passages"][:, :, block]
        columns.append(torch.cat(column, dim=2) if len(columns) > 1 or here.start else column[1])
        if first or block > first:
            here_carried = q[:, :, here] - passed @ blocks["updates"][:, :, block, : keys.stop - keys.start]
            later = torch.cat([here_carried, later], dim=2)
    if first:
        steps = [later]
        for block in range(first - 1, 0, -1):
            steps.append(steps[-1] @ blocks["passages"][:, :, block])
        before = torch.stack(steps[::-1], dim=2) @ at_end[:, :, : first * size].unflatten(2, (first, size)).mT
        columns.append(before.transpose(2, 3).flatten(3))
    return torch.cat(columns[::-1], dim=-1)
