"""The gated delta rule, which corrects what a matrix of associations says about a key."""

import torch
from torch import Tensor

from harness.mixers.chunks import chunked, joined, log_decays


def gated_delta_rule(
    q: Tensor, k: Tensor, v: Tensor, strength: Tensor, log_decay: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """Run ``S' = exp(g_t) S_(t-1)``, ``S_t = S' + beta_t k_t (v_t - S'^T k_t)^T``, ``o_t = S_t^T q_t`` over all tokens.

    Yang et al. (2024), arXiv 2412.06464, equation 10; without decay, arXiv 2406.06484, equation 2. q and k
    [B, H, L, d_k], v [B, H, L, d_v], ``strength`` beta and ``log_decay`` g [B, H, L], ``state`` S_0 [B, H, d_k, d_v] ->
    all o [B, H, L, d_v] and the last S. One token at a time this is the recurrence itself.

    Inside a chunk the corrections ``u_t = beta_t (v_t - S'^T k_t)`` solve a triangular system, because each depends on
    those before it in the chunk (the papers' WY representation). They are linear in the state in which the chunk is
    entered, so the system is solved for all chunks at once.
    """
    length = q.shape[2]
    q, k, v, strength, log_decay = (chunked(x) for x in (q, k, v, strength, log_decay))
    left, kept = log_decays(log_decay).exp(), log_decay.cumsum(dim=-1).exp()[..., None]
    weighted = strength[..., None] * k
    system = (weighted @ k.mT * left).tril(-1)  # the diagonal of ones is implied
    known = torch.cat([strength[..., None] * v, weighted * kept], dim=-1)
    fresh, read = torch.linalg.solve_triangular(system, known, upper=False, unitriangular=True).split(
        [v.shape[-1], k.shape[-1]], dim=-1
    )
    within, entering = q @ k.mT * left, q * kept
    leaving, survives = k * left[..., -1, :, None], kept[..., -1:, :]
    outputs = []
    for n in range(q.shape[2]):
        corrections = fresh[:, :, n] - read[:, :, n] @ state
        outputs.append(entering[:, :, n] @ state + within[:, :, n] @ corrections)
        state = survives[:, :, n] * state + leaving[:, :, n].mT @ corrections
    return joined(outputs, length), state
