"""All states of a linear recurrence of numbers, in about the square root as many steps as there are tokens."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor


def scan(decay: Tensor, drive: Tensor, state: Tensor) -> Tensor:
    """All of ``h_t = decay_t h_(t-1) + drive_t`` from h_0 = ``state``: [B, L, ...] each, [B, ...] -> [B, L, ...].

    About sqrt(L) chunks of sqrt(L) tokens: the places of all chunks one after another, as if each chunk began at 0,
    then the state in which each is entered. So 2 sqrt(L) steps follow each other instead of L, the work stays linear,
    and nothing is divided by a product that may have vanished.
    """
    length = decay.shape[1]
    width = math.isqrt(length - 1) + 1
    missing = -length % width
    tail = (0, 0) * (decay.dim() - 2) + (0, missing)
    decays = F.pad(decay, tail).unflatten(1, (-1, width)).unbind(dim=2)
    drives = F.pad(drive, tail).unflatten(1, (-1, width)).unbind(dim=2)
    within, kept = [drives[0]], [decays[0]]  # [B, chunks, ...] each
    for a, b in zip(decays[1:], drives[1:], strict=True):
        within.append(a * within[-1] + b)
        kept.append(a * kept[-1])
    entered = [state]
    for a, b in zip(kept[-1].unbind(dim=1), within[-1].unbind(dim=1), strict=True):
        entered.append(a * entered[-1] + b)
    before = torch.stack(entered[:-1], dim=1)
    states = [own + share * before for own, share in zip(within, kept, strict=True)]
    return torch.stack(states, dim=2).flatten(1, 2)[:, :length]
