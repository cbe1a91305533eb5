"""AdamW."""

import torch

from harness.config.schema import Train
from harness.declarations.bounds import Momentum, Tiny
from harness.models.base import Model
from harness.optimizers.base import Optimizer
from harness.optimizers.groups import groups


class AdamW(Optimizer):
    """Adam with decoupled weight decay (Loshchilov & Hutter, 2019, arXiv 1711.05101), the decay on matrices alone."""

    elementwise = True

    def __init__(self, *, beta1: Momentum = 0.9, epsilon: Tiny = 1e-8) -> None:
        self.beta1 = beta1
        self.epsilon = epsilon

    def build(self, model: Model, settings: Train) -> torch.optim.Optimizer:
        betas = (self.beta1, settings.beta2)
        parameters = groups(model.parameters(), settings)
        return torch.optim.AdamW(parameters, lr=settings.learning_rate, betas=betas, eps=self.epsilon, fused=True)
