"""Greedy decoding, for where it is really needed: to show what a model writes, and to score models whose outputs depend
on what comes later.
"""

import numpy as np
import torch
from torch import Tensor

from harness.attention import Positions
from harness.layouts import EOS, Arranged
from harness.models.base import Model


def greedy(model: Model, questions: Arranged, positions: Positions, device: torch.device) -> Tensor:
    """Which rows [N] a model answers exactly when it writes the answer itself, each token the likeliest after its own
    earlier ones.

    A row counts if what is written equals the targets wherever they are scored, the end token included.
    """
    written = write(model, questions, positions, device)
    scored = torch.from_numpy(questions.scored).to(device)
    targets = torch.from_numpy(questions.targets).to(device)
    return ((written == targets) | ~scored).all(dim=1)


def write(model: Model, questions: Arranged, positions: Positions, device: torch.device) -> Tensor:
    """What a model writes in the place of the scored targets [N, T]; it stops where the answer should end. Other places
    hold the targets.

    Nothing is remembered between tokens: the model reads what stands so far, and nothing behind it, once for every
    token.
    """
    tokens = torch.from_numpy(questions.tokens).to(device)
    written = torch.from_numpy(questions.targets).to(device).clone()
    first = np.where(questions.scored.any(axis=1), questions.scored.argmax(axis=1), questions.scored.shape[1])
    for start in np.unique(first):  # rows whose questions have the same number of tokens are read together
        rows = torch.from_numpy(np.flatnonzero(first == start)).to(device)
        read = tokens[rows]
        where = positions.values[rows] if len(positions.values) > 1 else positions.values
        for place in range(int(start), read.shape[1]):
            hidden = model(read[:, : place + 1], Positions(where[:, : place + 1], positions.consecutive))
            likeliest = model.readout(hidden[:, -1]).argmax(dim=-1)
            written[rows, place] = likeliest
            if place + 1 < read.shape[1]:
                read[:, place + 1] = likeliest
            if bool((likeliest == EOS).all()) and place + 1 < read.shape[1]:
                written[rows, place + 1 :] = EOS
                break
    return written
