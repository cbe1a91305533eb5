"""Several networks of one shape as one: parameters with one more dimension, in front, over which a step is vectorised
(``torch.func.vmap``).

Each network has its own batches, its own gradient and norm of it, and its own dropout, as if it were trained by itself:
it differs from that by rounding alone. What they share is the shape, the optimizer's settings and the learning rate.

M networks, B sequences, T tokens.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call, vmap

from harness.attention import kernels, stacked
from harness.attention.module import Attending
from harness.attention.positions import Positions
from harness.config.schema import Train
from harness.data.training_examples import TrainingBatch
from harness.models.base import Model
from harness.models.encoder_decoder import CrossAttention
from harness.training.member_batches import together
from harness.training.member_dropout import MemberDropout, Widths
from harness.training.module import Optimization, dropout_seed, rate

OptimizerState = dict[str, Any]
"""What ``torch.optim.Optimizer.state_dict`` gives."""


class Stack:
    """Networks that are trained as one.

    The parameters of the ``models`` become views of the stack's, so that each of them is always as far as it is
    trained. ``step`` is how many steps they have taken, ``steps`` when they end, ``seeds`` what dropout depends on,
    and ``states`` those of the optimizers of networks that have taken steps.
    """

    def __init__(
        self,
        models: Sequence[Model],
        settings: Train,
        optimization: Optimization,
        *,
        seeds: Sequence[int],
        step: int = 0,
        steps: int = 0,
        states: Sequence[OptimizerState] | None = None,
    ) -> None:
        self.models = list(models)
        self.settings = settings
        self.optimization = optimization
        self.seeds = list(seeds)
        self.step = step
        self.steps = steps or settings.steps
        self._widths = Widths()
        self._network = _Loss(_skeleton(models[0], self._widths))
        values = [_unique(model) for model in models]
        self._values: dict[str, Tensor] = {}
        """What each network has its own of, by name [M, ...]."""
        for name, first in values[0].items():
            own = [value[name] for value in values]
            trains = isinstance(first, nn.Parameter) and first.requires_grad
            if not trains and all(torch.equal(first, value) for value in own):
                continue
            stack = torch.stack([value.detach() for value in own])
            self._values[name] = stack.requires_grad_() if trains else stack
            for value, part in zip(own, stack.detach(), strict=True):
                value.data = part
                value.grad = None
        self._names = {f"model.{name}": key for name, key in _names(models[0]).items() if key in self._values}
        self._trained = {name: value for name, value in self._values.items() if value.requires_grad}
        self._optimizer = self._stacked_optimizer(states)
        self._schedule = torch.optim.lr_scheduler.LambdaLR(self._optimizer, self._rate, last_epoch=step - 1)
        if states:  # not computed anew: where training has been shortened, the rate at hand is that of before
            for group, kept in zip(self._optimizer.param_groups, states[0]["param_groups"], strict=True):
                group["lr"] = kept["lr"]

    def losses(self, batches: Sequence[TrainingBatch]) -> Tensor:
        """The loss of each network on its own batch [M]. All batches have the same number of tokens in a row."""
        self._widths.prepare(batches, [dropout_seed(seed, self.step) for seed in self.seeds])
        joined = together(batches)
        own = (0, 0, None if joined.shared_positions else 0, None if joined.visible is None else 0, 0, 0, 0, 0)

        def loss(values: Mapping[str, Tensor], *batch: Tensor | None) -> Tensor:
            parameters = {name: values[key] for name, key in self._names.items()}
            return functional_call(self._network, parameters, (*batch, joined.consecutive), tie_weights=False)

        device = batches[0].tokens.device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.settings.precision == "bf16-mixed"):
            return vmap(loss, in_dims=own)(
                self._values,
                joined.tokens,
                joined.positions,
                joined.visible,
                joined.scored,
                joined.targets,
                joined.weights,
                joined.total,
            )

    def gradients(self, losses: Tensor) -> dict[str, Tensor]:
        """The gradient of each network's loss, by the name of the parameter [M, ...], without those that have none."""
        found = torch.autograd.grad(losses.sum(), list(self._trained.values()), allow_unused=True)
        # Fused optimizers read memory as it lies, so gradients have to lie as their parameters do.
        return {name: part.contiguous() for name, part in zip(self._trained, found, strict=True) if part is not None}

    def train(self, batches: Sequence[TrainingBatch]) -> Tensor:
        """Take a step. Gives the loss of each network before it [M]."""
        losses = self.losses(batches)
        gradients = self.gradients(losses)
        if self.settings.clip:
            _clip(list(gradients.values()), self.settings.clip)
        for name, parameter in self._trained.items():
            parameter.grad = gradients.get(name)
        self._optimizer.step()
        self._schedule.step()
        self.step += 1
        return losses.detach()

    @property
    def learning_rate(self) -> float:
        return self._optimizer.param_groups[0]["lr"]

    def optimizer_state(self, member: int) -> OptimizerState:
        """That of one network, as its optimizer would have it if it were trained by itself."""
        state = self._optimizer.state_dict()
        own = {number: _own(values, member) for number, values in state["state"].items()}
        return {"state": own, "param_groups": copy.deepcopy(state["param_groups"])}

    def schedule_state(self) -> dict[str, Any]:
        return self._schedule.state_dict()

    def part(self, members: Sequence[int], steps: int) -> "Stack":
        """Some of these networks, to end after ``steps``, in a stack of their own. This one is not to be used after."""
        return Stack(
            [self.models[m] for m in members],
            self.settings,
            self.optimization,
            seeds=[self.seeds[m] for m in members],
            step=self.step,
            steps=steps,
            states=[self.optimizer_state(m) for m in members],
        )

    def _rate(self, step: int) -> float:
        return rate(step, self.steps, self.settings, self.optimization.schedule)

    def _stacked_optimizer(self, states: Sequence[OptimizerState] | None) -> torch.optim.Optimizer:
        """The optimizer of the first network, which then is given the parameters of all."""
        optimizer = self.optimization.optimizer.build(self.models[0], self.settings)
        names = {id(parameter): name for name, parameter in _unique(self.models[0]).items()}
        for group in optimizer.param_groups:
            group["params"] = [self._values[names[id(parameter)]] for parameter in group["params"]]
            group.setdefault("initial_lr", group["lr"])
        if states:
            together = {
                number: {
                    key: torch.stack([state["state"][number][key] for state in states])
                    if isinstance(value, Tensor) and key != "step"  # PyTorch's name for how many were taken
                    else copy.deepcopy(value)
                    for key, value in first.items()
                }
                for number, first in states[0]["state"].items()
            }
            optimizer.load_state_dict({"state": together, "param_groups": optimizer.state_dict()["param_groups"]})
        return optimizer


class _Loss(nn.Module):
    """The loss of one network on one batch, as :class:`harness.training.module.TrainingModule` has it."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        tokens: Tensor,
        positions: Tensor,
        visible: Tensor | None,
        scored: Tensor,
        targets: Tensor,
        weights: Tensor,
        total: Tensor,
        consecutive: bool,
    ) -> Tensor:
        hidden = self.model(tokens, Positions(positions, consecutive, visible))
        logits = self.model.readout(hidden.flatten(0, 1)[scored])
        return (F.cross_entropy(logits.float(), targets, reduction="none") * weights).sum() / total


def _skeleton(model: Model, widths: Widths) -> Model:
    """A copy of a network whose attention and dropout know that they belong to several."""
    skeleton = copy.deepcopy(model)
    for module in list(skeleton.modules()):
        if isinstance(module, Attending) and module.kernel is kernels.attend:
            module.kernel = stacked.attend
        if isinstance(module, CrossAttention):
            module.fused = stacked.fused
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Dropout) and child.p > 0:
                setattr(module, name, MemberDropout(child.p, widths))
    return skeleton.train()


def _names(model: nn.Module) -> dict[str, str]:
    """Every place of a parameter or buffer in a network, with the first name of what is there: what modules have in
    common has several places.
    """
    places: dict[str, str] = {}
    first: dict[int, str] = {}
    for path, module in model.named_modules():
        for own in (module._parameters, module._buffers):
            for local, value in own.items():
                if value is not None:
                    name = f"{path}.{local}" if path else local
                    places[name] = first.setdefault(id(value), name)
    return places


def _unique(model: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by their first name."""
    known = dict(model.named_parameters(remove_duplicate=False)) | dict(model.named_buffers(remove_duplicate=False))
    return {name: known[name] for name in dict.fromkeys(_names(model).values())}


def _clip(gradients: Sequence[Tensor], most: float) -> None:
    """Scale the gradient of each network so that its norm is at most so large, as PyTorch's ``clip_grad_norm_``."""
    norms = torch.stack(
        [torch.linalg.vector_norm(part.flatten(1) if part.ndim > 1 else part[:, None], dim=1) for part in gradients]
    )
    factor = (most / (torch.linalg.vector_norm(norms, dim=0) + 1e-6)).clamp(max=1.0)
    for part in gradients:
        part.mul_(factor.view(-1, *[1] * (part.ndim - 1)))


def _own(values: Mapping[str, Any], member: int) -> dict[str, Any]:
    return {
        key: value[member].clone() if isinstance(value, Tensor) and key != "step" else copy.deepcopy(value)
        for key, value in values.items()
    }
