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

GROUP = 8
"""Blocks that queries pass at once where all of them lie behind a key's."""


class PaTH(Encoding):
    """Logits are ``q_i H_i H_(i-1) .. H_(j+1) k_j``, scaled, with ``H_t = I - beta_t w_t w_t^T``.

    Yang et al. (2025), arXiv 2505.16381, and their code: in every head w is the input of the layer after a linear map
    of low ``rank``, a causal convolution over ``window`` tokens per channel and SiLU, brought to length 1;
    ``beta = 2 sigmoid(linear)``. ``forget`` adds FoX's sum of logarithms of gates, in their code before logits are
    scaled. Linear maps and the convolution are drawn as PyTorch draws them, the gates as in
    :class:`~harness.encodings.fox.FoX`. The order is that of the sequence: positions play no part.

    The sequence is cut into blocks. Within one, with W its directions, ``H_b .. H_a = I - W^T T W`` for all a <= b with
    one triangular T (the UT transform: a triangular system); keys are carried to the end of their block and of their
    group of blocks, and queries back from group to group by the product of its reflections. Beside the logits of a
    chunk of queries this takes memory in proportion to the length. Gradients need one more number for each pair of
    tokens in a block, and d for each query and group.
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
        """Where there are several groups, keys have as more channels what they are at the end of their group."""
        if "group_passages" not in state:
            return q, k
        return F.pad(q, (0, q.shape[-1])), torch.cat([k, at_end_of_group(k, state)], dim=-1)

    def products(self, q: Tensor, k: Tensor, rows: slice, state: Mapping[str, Tensor]) -> Tensor:
        return carried(q, k, rows, state)

    def modify_logits(self, logits: Tensor, q: Tensor, k: Tensor, pairs: Pairs, state: Mapping[str, Tensor]) -> Tensor:
        if "gates" not in state:
            return logits
        return logits + pairs.scale * decay(state["gates"][..., : k.shape[2]], pairs.rows, logits.dtype)


def reflections(w: Tensor, beta: Tensor) -> dict[str, Tensor]:
    """The reflections ``I - beta_t w_t w_t^T`` in blocks, w [B, H, L, d], beta [B, H, L]. ``directions`` W
    [B, H, blocks, BLOCK, d], the last filled up with zeros; ``strengths`` beta [B, H, blocks, BLOCK, 1]; ``system`` A
    [B, H, blocks, BLOCK, BLOCK] below the diagonal of ones, with which ``T = A^-1 diag(beta)``.

    Where there are several blocks, also ``updates`` T W and ``endings`` T^T W, like W, and ``passages`` ``I - W^T T W``
    [B, H, blocks, d, d], the product of all reflections of each block, last first. Where there are more than a group
    of them, also ``group_passages`` [B, H, groups, d, d] of all whole groups, and ``to_group_end`` of their blocks
    [B, H, groups, GROUP, d, d], the products of those behind each.
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
    nothing = torch.eye(w.shape[-1], dtype=w.dtype, device=w.device)
    passages = nothing - w.mT @ updates
    blocks |= {"updates": updates, "endings": endings, "passages": passages}
    groups = w.shape[2] // GROUP
    if w.shape[2] <= GROUP:
        return blocks
    grouped = passages[:, :, : groups * GROUP].unflatten(2, (groups, GROUP))
    behind = [nothing.expand_as(grouped[:, :, :, 0])]
    for number in range(GROUP - 1, -1, -1):
        behind.append(behind[-1] @ grouped[:, :, :, number])
    return {**blocks, "group_passages": behind[-1], "to_group_end": torch.stack(behind[-2::-1], dim=3)}


def _earlier(tokens: int, x: Tensor) -> Tensor:
    """1 where a token, its row, comes after another, its column, otherwise 0 [tokens, tokens], on the device of x.
    Multiplying takes a third of the time of ``tril``, and so does its gradient.
    """
    return torch.ones(tokens, tokens, dtype=x.dtype, device=x.device).tril(-1)


def at_end_of_block(k: Tensor, blocks: Mapping[str, Tensor], which: slice) -> Tensor:
    """``H_b .. H_(j+1) k_j`` with b the last token of j's block, for the keys of these whole blocks [B, H, L, d] ->
    [B, H, blocks, BLOCK, d].
    """
    w, endings = blocks["directions"][:, :, which], blocks["endings"][:, :, which]
    k = k.unflatten(2, w.shape[2:4])
    return k - ((w @ k.mT) * _earlier(w.shape[3], w)).mT @ endings


def at_end_of_group(k: Tensor, blocks: Mapping[str, Tensor]) -> Tensor:
    """The same at the end of the group [B, H, L, d], zeros for keys behind the last whole group."""
    later = blocks["to_group_end"]
    count = later.shape[2] * GROUP
    missing = count * blocks["directions"].shape[3] - k.shape[2]  # below 0 where there are keys behind the last group
    ended = at_end_of_block(F.pad(k, (0, 0, 0, missing)), blocks, slice(count)).unflatten(2, later.shape[2:4])
    return F.pad((ended @ later.mT).flatten(2, 4), (0, 0, 0, -missing))


def carried(q: Tensor, k: Tensor, rows: slice, blocks: Mapping[str, Tensor]) -> Tensor:
    """``q_i H_i .. H_(j+1) k_j`` for the queries [B, H, Lq, d] at ``rows`` and keys [B, H, L, d] up to the last of them
    at least, both as :meth:`PaTH.rotate` gives them -> [B, H, Lq, L], where j <= i; elsewhere the numbers mean nothing.
    """
    w = blocks["directions"]
    size, width = w.shape[3:]
    first, last = rows.start // size, (rows.stop - 1) // size
    q, k, ended = q[..., :width].to(w.dtype), k[..., :width].to(w.dtype), k[..., width:].to(w.dtype)
    later = q[:, :, :0]
    columns = []
    for block in range(last, first - 1, -1):  # queries of later blocks arrive carried to the end of this one
        start, stop = max(rows.start, block * size), min((block + 1) * size, k.shape[2])
        here, keys = q[:, :, start - rows.start : min(rows.stop, stop) - rows.start], k[:, :, block * size : stop]
        directions, strengths, system = (
            blocks[name][:, :, block, : keys.shape[2]] for name in ("directions", "strengths", "system")
        )
        met = (directions @ keys.mT) * (strengths * _earlier(keys.shape[2], w))
        # Between key j and the end of its block stand the tokens after j, up to a query in that block those until it.
        between = torch.linalg.solve_triangular(system[..., : keys.shape[2]], met, upper=False, unitriangular=True)
        until = torch.ones(here.shape[2], keys.shape[2], dtype=w.dtype, device=w.device).tril(start - block * size)
        passed = (here @ directions.mT) * until
        column = here @ keys.mT - passed @ between
        if block < last:
            column = torch.cat([column, later @ at_end_of_block(keys, blocks, slice(block, block + 1))[:, :, 0].mT], 2)
            later = later @ blocks["passages"][:, :, block]
        columns.append(F.pad(column, (0, 0, start - rows.start, 0)) if start > rows.start else column)
        if block:
            later = torch.cat([here - passed @ blocks["updates"][:, :, block, : keys.shape[2]], later], dim=2)
    group = first // GROUP
    if group * GROUP < first:
        near = slice(group * GROUP, first)
        ends = at_end_of_block(k[:, :, near.start * size : near.stop * size], blocks, near)
        more, later = _before(later, ends, blocks["passages"][:, :, near])
        columns += more
    if group:
        ends = ended[:, :, : group * GROUP * size].unflatten(2, (group, -1))
        columns += _before(later, ends, blocks["group_passages"])[0]
    products = torch.cat(columns[::-1], dim=-1) if len(columns) > 1 else columns[0]
    missing = k.shape[2] - products.shape[-1]
    return F.pad(products, (0, missing)) if missing else products


def _before(later: Tensor, ends: Tensor, passages: Tensor) -> tuple[list[Tensor], Tensor]:
    """The products of queries [B, H, Lq, d] with the keys of each block, or group, before them, the last first, given
    what the keys are at its end [B, H, blocks, keys, d], and the queries at the beginning of the first.
    """
    columns = []
    for number in range(ends.shape[2] - 1, -1, -1):
        columns.append(later @ ends[:, :, number].mT)
        later = later @ passages[:, :, number]
    return columns, later
