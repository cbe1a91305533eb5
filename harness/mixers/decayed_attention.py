"""Linear attention with a decay per head and token, the state space duality of Mamba-2."""

from torch import Tensor

from harness.mixers.chunks import chunked, joined, log_decays


def decayed_attention(q: Tensor, k: Tensor, v: Tensor, log_decay: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Run ``S_t = exp(g_t) S_(t-1) + k_t v_t^T`` and ``o_t = S_t^T q_t`` over all tokens.

    Dao & Gu (2024), arXiv 2405.21060, section 6: within a chunk as masked attention, from chunk to chunk by the state.
    q and k [B, H, L, d_k], v [B, H, L, d_v], ``log_decay`` g [B, H, L], ``state`` S_0 [B, H, d_k, d_v] -> all o
    [B, H, L, d_v] and the last S. One token at a time this is the recurrence itself.
    """
    length = q.shape[2]
    q, k, v, log_decay = (chunked(x) for x in (q, k, v, log_decay))
    left, kept = log_decays(log_decay).exp(), log_decay.cumsum(dim=-1).exp()[..., None]
    inside = (q @ k.mT * left) @ v
    written = (k * left[..., -1, :, None]).mT @ v
    outputs = []
    for n in range(q.shape[2]):
        outputs.append(inside[:, :, n] + (q * kept)[:, :, n] @ state)
        state = kept[:, :, n, -1:] * state + written[:, :, n]
    return joined(outputs, length), state
