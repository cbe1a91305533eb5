"""Which keys a query may look at by the order of tokens: none behind it under causal attention, none outside its
window, none that are hidden.
"""

import torch
from torch import Tensor

from harness.attention.inputs import AttentionInputs


def seen_keys(inputs: AttentionInputs, rows: slice) -> slice:
    """The keys between the first and the last that at least one of these queries may look at."""
    first, last = inputs.past + rows.start, inputs.past + rows.stop
    reach = inputs.window - 1 if inputs.windowed else inputs.k.shape[2]
    return slice(max(0, first - reach), last if inputs.causal else min(last + reach, inputs.k.shape[2]))


def up_to_last_key(inputs: AttentionInputs, rows: slice) -> slice:
    """The same from the first key of all on, to the last of all where attention is not causal: what hooks are told."""
    return slice(0, inputs.past + rows.stop if inputs.causal else inputs.k.shape[2])


def allowed(inputs: AttentionInputs, rows: slice, seen: slice) -> Tensor | None:
    """Which of the keys ``seen`` each of these queries may look at, [B or 1, 1, Lq, Lk], ``None`` for all."""
    visible = inputs.k_positions.visible
    keys = torch.arange(seen.start, seen.stop, device=inputs.k.device)
    queries = torch.arange(inputs.past + rows.start, inputs.past + rows.stop, device=inputs.k.device)[:, None]
    near = within(inputs, queries, keys)
    if visible is None:
        return None if near is None else near[None, None]
    shown = visible[:, None, None, seen]
    return (shown if near is None else shown & near) | (keys == queries)


def seen_by_all(inputs: AttentionInputs, rows: slice) -> int:
    """How many keys, from the first on, each of these queries may certainly look at."""
    if inputs.windowed or inputs.k_positions.visible is not None or inputs.encoding.uses("visible"):
        return 0
    return inputs.past + rows.start + 1 if inputs.causal else inputs.k.shape[2]


def within(inputs: AttentionInputs, queries: Tensor, keys: Tensor | int) -> Tensor | None:
    """Whether tokens at ``queries`` may look at those at ``keys`` by their distance, ``None`` if at all."""
    earlier = keys <= queries if inputs.causal else None
    if not inputs.windowed:
        return earlier
    near = (queries - keys).abs() < inputs.window
    return near if earlier is None else near & earlier


def count_seen(inputs: AttentionInputs) -> Tensor:
    """How many keys each query sees, [B or 1, Lq]."""
    length, visible = inputs.k.shape[2], inputs.k_positions.visible
    every = torch.ones(1, length, dtype=torch.bool, device=inputs.q.device) if visible is None else visible
    before = torch.nn.functional.pad(every.cumsum(1), (1, 0))  # how many are visible before each token, and in all
    tokens = torch.arange(inputs.past, length, device=inputs.q.device)
    reach = inputs.window if inputs.windowed else length
    first = (tokens - reach + 1).clamp(min=0)
    last = tokens + 1 if inputs.causal else (tokens + reach).clamp(max=length)
    return before[:, last] - before[:, first] + ~every[:, inputs.past :]
