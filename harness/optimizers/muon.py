"""Muon."""

import torch
from torch import nn

from harness.config.schema import Train
from harness.declarations.bounds import Momentum
from harness.encodings.base import Encoding
from harness.logits.base import LogitScale
from harness.models.base import Model
from harness.models.block import Block
from harness.optimizers.base import Optimizer
from harness.optimizers.groups import groups
from harness.optimizers.joined import Joined


class Muon(Optimizer):
    """Momentum whose update of a matrix is made orthogonal (Jordan et al., 2024), for the matrices of blocks; AdamW for
    everything else: embeddings, the readout, vectors, and what belongs to encodings and logit scales.

    Updates are scaled so that they are as large as those of AdamW (Liu et al., 2025, arXiv 2502.16982), which is why
    both parts have one learning rate and one weight decay, and those of AdamW do.

    Raises :class:`ValueError` for a network without such matrices.
    """

    def __init__(self, *, momentum: Momentum = 0.95, nesterov: bool = True, beta1: Momentum = 0.9) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        self.beta1 = beta1

    def build(self, model: Model, settings: Train) -> torch.optim.Optimizer:
        matrices = hidden_matrices(model)
        if not matrices:
            raise ValueError("the network has no blocks with matrices for it: use optimizer=adamw")
        rate, decay = settings.learning_rate, settings.weight_decay
        muon = torch.optim.Muon(
            matrices,
            lr=rate,
            weight_decay=decay,
            momentum=self.momentum,
            nesterov=self.nesterov,
            adjust_lr_fn="match_rms_adamw",
        )
        own = {id(matrix) for matrix in matrices}
        others = groups((p for p in model.parameters() if id(p) not in own), settings)
        return Joined(muon, torch.optim.AdamW(others, lr=rate, betas=(self.beta1, settings.beta2), fused=True))


def hidden_matrices(model: nn.Module) -> list[nn.Parameter]:
    """The weights of linear layers in the blocks of a network, each once: not those of encodings, logit scales and
    embeddings, nor what is shared with them.
    """
    blocks = [module for module in model.modules() if isinstance(module, (nn.ModuleList, Block))]
    apart = [module for module in model.modules() if isinstance(module, (Encoding, LogitScale, nn.Embedding))]
    others = {id(parameter) for module in apart for parameter in module.parameters()}
    weights = {
        id(w): w for block in blocks for module in block.modules() if (w := getattr(module, "weight", None)) is not None
    }
    return [w for key, w in weights.items() if isinstance(w, nn.Parameter) and w.ndim == 2 and key not in others]
