"""A network whose parameters, gradients and optimizer state are divided among the devices that train it (FSDP).

PyTorch's ``fully_shard`` divides every block by itself, or the network as a whole if its blocks share parameters;
each part is gathered when it is computed. Checkpoints and weights are whole, those of a run on any number of devices.
"""

import copy
from collections import Counter
from typing import Any

from lightning_fabric.utilities.types import _PATH
from pytorch_lightning.core.optimizer import LightningOptimizer
from pytorch_lightning.strategies import ModelParallelStrategy
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from harness.models.base import Model
from harness.models.block import Block
from harness.training.module import TrainingModule


class Sharding(ModelParallelStrategy):
    """Lightning's strategy for ``fully_shard``, which reads the checkpoint that has been checked already."""

    def __init__(self, processes: int) -> None:
        super().__init__(data_parallel_size=processes, tensor_parallel_size=1, save_distributed_checkpoint=False)

    def optimizer_state(self, optimizer: Optimizer) -> dict[str, Any]:
        """The whole state, in the first process, as an optimizer of the undivided network would give it."""
        assert self.model is not None
        optimizer = optimizer._optimizer if isinstance(optimizer, LightningOptimizer) else optimizer
        whole = StateDictOptions(full_state_dict=True, cpu_offload=True)
        named: dict[str, Any] = get_optimizer_state_dict(self.model, optimizer, options=whole)
        number = {name: place for place, name in enumerate(self._names(optimizer))}
        states = {number[name]: state for name, state in named.get("state", {}).items()}
        groups = [
            {**group, "params": [number[name] for name in group["params"]]} for group in named.get("param_groups", [])
        ]
        return {"state": dict(sorted(states.items())), "param_groups": groups}

    def load_checkpoint(self, checkpoint_path: _PATH, weights_only: bool | None = None) -> dict[str, Any]:
        assert self.model is not None
        checkpoint = self.checkpoint_io.load_checkpoint(checkpoint_path)
        whole = StateDictOptions(full_state_dict=True)
        first = {name for name, _ in self.model.named_parameters()}  # what blocks share has several names
        shared = {name for name, _ in self.model.named_parameters(remove_duplicate=False)} - first
        once = {name: value for name, value in checkpoint["state_dict"].items() if name not in shared}
        set_model_state_dict(self.model, once, options=StateDictOptions(full_state_dict=True, strict=not shared))
        for optimizer, state in zip(self.optimizers, checkpoint["optimizer_states"], strict=True):
            names = self._names(optimizer)
            named: dict[str, Any] = {
                "state": {names[place]: values for place, values in state["state"].items()},
                "param_groups": [
                    {**group, "params": [names[place] for place in group["params"]]} for group in state["param_groups"]
                ],
            }
            set_optimizer_state_dict(self.model, optimizer, named, options=whole)
        return checkpoint

    def _names(self, optimizer: Optimizer) -> list[str]:
        """The names of the parameters of an optimizer, in its order."""
        assert self.model is not None
        names = {parameter: name for name, parameter in self.model.named_parameters()}
        return [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]


class ShardedModule(TrainingModule):
    """Trains a copy of the network, which is divided; the network itself receives its weights when they are wanted."""

    def __init__(self, model: Model, *arguments: Any, **options: Any) -> None:
        super().__init__(copy.deepcopy(model), *arguments, **options)
        self._whole = [model]  # in a list, so that it is no part of this module

    def configure_model(self) -> None:
        if any(isinstance(parameter, DTensor) for parameter in self.model.parameters()):
            return
        assert self.device_mesh is not None
        mesh = self.device_mesh["data_parallel"]
        blocks = [module for module in self.model.modules() if isinstance(module, Block)]
        uses = Counter(parameter for block in blocks for parameter in set(block.parameters()))
        if max(uses.values(), default=1) == 1:  # what blocks share cannot belong to one of them: all is one part then
            for block in blocks:
                fully_shard(block, mesh=mesh)
        fully_shard(self.model, mesh=mesh)

    def whole_model(self) -> Model:
        gathered = get_model_state_dict(
            self.model, options=StateDictOptions(full_state_dict=True, cpu_offload=True)
        )  # empty in all processes but the first
        (whole,) = self._whole
        if gathered:
            whole.load_state_dict(gathered)
            whole.to(self.device)
        return whole
