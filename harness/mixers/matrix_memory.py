"""The cell of the mLSTM: a matrix memory with exponential gates, stabilised."""

import torch
from torch import Tensor

from harness.mixers.chunks import chunked, joined, log_decays

EPSILON = 1e-6
"""Added to the denominator, as in the published code."""


def matrix_memory(
    q: Tensor, k: Tensor, v: Tensor, write: Tensor, log_forget: Tensor, state: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
    """Run the mLSTM over all tokens.

    ``C_t = f_t C_(t-1) + i_t k_t v_t^T``, ``n_t = f_t n_(t-1) + i_t k_t``, ``o_t = C_t^T q_t / max(|n_t . q_t|, 1)``
    with ``i_t = exp(write_t)``, where C and n are kept as multiples of ``exp(m_t)``, ``m_t = max(log f_t + m_(t-1),
    write_t)`` (Beck et al., 2024, arXiv 2405.04517, equations 19 to 27 and appendix A). q and k [B, H, L, d_k], v
    [B, H, L, d_v], ``write`` and ``log_forget`` [B, H, L], ``state`` C [B, H, d_k, d_v], n [B, H, d_k], m [B, H] -> all
    o [B, H, L, d_v] and the last state. One token at a time this is the recurrence itself.
    """
    length = q.shape[2]
    q, k, v, log_forget = (chunked(x) for x in (q, k, v, log_forget))
    cumulative = log_forget.cumsum(dim=-1)
    unwritten = torch.arange(cumulative.shape[2] * cumulative.shape[3], device=q.device) >= length
    write = chunked(write).masked_fill(unwritten.view(cumulative.shape[2:]), -torch.inf)
    logs = log_decays(log_forget) + write[..., None, :]
    largest = logs.amax(dim=-1)
    products = q @ k.mT
    c, n, m = state
    outputs = []
    for chunk in range(q.shape[2]):
        here, before = q[:, :, chunk], cumulative[:, :, chunk] + m[..., None]
        scale = torch.maximum(largest[:, :, chunk], before)
        weights = (logs[:, :, chunk] - scale[..., None]).exp() * products[:, :, chunk]
        entered = here * (before - scale).exp()[..., None]
        numerator = weights @ v[:, :, chunk] + entered @ c
        denominator = weights.sum(dim=-1) + (entered @ n[..., None])[..., 0]
        bound = torch.maximum(denominator.abs(), (-scale).exp())
        outputs.append(numerator / (bound + EPSILON)[..., None])
        after = scale[..., -1]
        kept = (before[..., -1] - after).exp()
        written = k[:, :, chunk] * (logs[:, :, chunk, -1] - after[..., None]).exp()[..., None]
        c = kept[..., None, None] * c + written.mT @ v[:, :, chunk]
        n = kept[..., None] * n + written.sum(dim=2)
        m = after
    return joined(outputs, length), (c, n, m)
