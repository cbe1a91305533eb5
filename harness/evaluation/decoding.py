"""Greedy decoding, for where it is really needed: to show what a model writes (``python -m harness show --model``), and
to score models whose outputs depend on the total length.
"""

import numpy as np
import torch
from torch import Tensor

from harness.attention.positions import Positions
from harness.layouts.base import Layout, TokenBatch
from harness.layouts.special_tokens import EOS
from harness.models.base import Cache, Model


def answer(model: Model, layout: Layout, questions: TokenBatch, positions: Positions, device: torch.device) -> Tensor:
    """What a model answers by itself [N, T], in the place of the scored targets; other places hold the targets.

    It writes the answer token by token where the layout says so; otherwise it predicts all of it at once.
    """
    if layout.generates:
        return write(model, questions, positions, device)
    tokens, targets = (torch.from_numpy(rows).to(device).long() for rows in (questions.tokens, questions.targets))
    likeliest = model.readout(model(tokens, positions)).argmax(dim=-1)
    return torch.where(torch.from_numpy(questions.scored).to(device), likeliest, targets)


def greedy(model: Model, questions: TokenBatch, positions: Positions, device: torch.device) -> tuple[Tensor, Tensor]:
    """Which rows [N] a model answers exactly when it writes the answer itself, each token the likeliest after its own
    earlier ones; and which it does when the end token is offered just where the answer ends.

    A row counts if what is written equals the targets wherever they are scored.
    """
    scored = torch.from_numpy(questions.scored).to(device)
    targets = torch.from_numpy(questions.targets).to(device)

    def right(written: Tensor) -> Tensor:
        return ((written == targets) | ~scored).all(dim=1)

    exact = right(write(model, questions, positions, device))
    if bool(exact.all()):
        return exact, exact
    return exact, right(write(model, questions, positions, device, length_given=True))


def write(
    model: Model, questions: TokenBatch, positions: Positions, device: torch.device, *, length_given: bool = False
) -> Tensor:
    """What a model writes in the place of the scored targets [N, T]; it stops where the answer should end, and with
    ``length_given`` nowhere else. Other places hold the targets.

    The model reads what stands so far, and nothing behind it. A key-value cache keeps what earlier tokens came to where
    that still holds (``Model.can_cache``); otherwise all that stands is read again for every token.
    """
    tokens = torch.from_numpy(questions.tokens).to(device).long()
    targets = torch.from_numpy(questions.targets).to(device).long()
    written = targets.clone()
    cached = model.can_cache()
    first = np.where(questions.scored.any(axis=1), questions.scored.argmax(axis=1), questions.scored.shape[1])
    for start in np.unique(first):  # rows whose questions have the same number of tokens are read together
        rows = torch.from_numpy(np.flatnonzero(first == start)).to(device)
        read = tokens[rows]
        where = positions.of(rows)
        cache: Cache | None = None
        for place in range(int(start), read.shape[1]):
            so_far = read[:, : place + 1], where.first(place + 1)
            if cached:
                hidden, cache = model.forward_with_cache(*so_far, cache)
            else:
                hidden = model(*so_far)
            logits = model.readout(hidden[:, -1])
            if length_given:
                logits[:, EOS] = -torch.inf
            likeliest = logits.argmax(dim=-1)
            if length_given:
                likeliest = torch.where(targets[rows, place] == EOS, EOS, likeliest)
            written[rows, place] = likeliest
            if place + 1 < read.shape[1]:
                read[:, place + 1] = likeliest
            if bool((likeliest == EOS).all()) and place + 1 < read.shape[1]:
                written[rows, place + 1 :] = EOS
                break
    return written
