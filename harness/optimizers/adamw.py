"""AdamW."""

import torch

from harness.config.schema import Train
from harness.declarations.bounds import Momentum, Positive, Tiny
from harness.models.base import Model
from harness.optimizers.base import Optimizer
from harness.optimizers.groups import groups


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019, arXiv 1711.05101), the decay on matrices alone.

    A step of Adam is about as long as the learning rate, whatever the gradient, so a short training at a high rate
    moves a table of biases much farther than a long one at a low rate. ``encoding_rate`` is the learning rate of the
    parameters of position encodings as a share of that of all others.

    Raises :class:`ValueError` if such a share is asked for and the encodings have no parameters.
    """

    elementwise = True

    def __init__(self, *, beta1: Momentum = 0.9, epsilon: Tiny = 1e-8, encoding_rate: Positive = 1.0) -> None:
        self.beta1 = beta1
        self.epsilon = epsilon
        self.encoding_rate = encoding_rate

    def build(self, model: Model, settings: Train) -> torch.optim.Optimizer:
        betas = (self.beta1, settings.beta2)
        parameters = groups(model.parameters(), settings)
        if self.encoding_rate != 1:
            own = {parameter for encoding in model.encodings() for parameter in encoding.parameters()}
            if not own:
                raise ValueError(f"encoding_rate={self.encoding_rate:g}: the encoding has no parameters")
            slowed = {"lr": settings.learning_rate * self.encoding_rate}
            parameters = [
                *groups((p for p in model.parameters() if p not in own), settings),
                *(group | slowed for group in groups((p for p in model.parameters() if p in own), settings)),
            ]
        return torch.optim.AdamW(parameters, lr=settings.learning_rate, betas=betas, eps=self.epsilon, fused=True)
