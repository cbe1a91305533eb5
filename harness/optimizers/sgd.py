"""Stochastic gradient descent."""

import torch

from harness.config.schema import Train
from harness.declarations.bounds import Momentum
from harness.models.base import Model
from harness.optimizers.base import Optimizer
from harness.optimizers.groups import groups


class SGD(Optimizer):
    """Gradient descent with momentum; weight decay is added to the gradient of matrices.

    ``train.beta2`` means nothing to it, and learning rates that suit it are not those that suit AdamW.
    """

    elementwise = True

    def __init__(self, *, momentum: Momentum = 0.9) -> None:
        self.momentum = momentum

    def build(self, model: Model, settings: Train) -> torch.optim.Optimizer:
        parameters = groups(model.parameters(), settings)
        return torch.optim.SGD(parameters, lr=settings.learning_rate, momentum=self.momentum)
