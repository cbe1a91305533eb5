"""The kernel that computes attention: it changes results by rounding only."""

from torch import nn

from harness.attention import kernels
from harness.attention.module import Attending
from harness.config.schema import Run
from harness.errors import Refused
from harness.positions.base import PositionRule


def choose(run: Run, model: nn.Module, rule: PositionRule, *, device: str) -> None:
    """Give every attention layer of ``model`` the kernel that ``trainer.kernel`` names.

    ``auto`` takes PyTorch's fastest kernel for the encoding's hooks, ``explicit`` the one that follows the definition,
    ``flex`` FlexAttention. Raises :class:`Refused` where FlexAttention cannot train this model, rather than silently
    measuring another kernel.
    """
    layers = [module for module in model.modules() if isinstance(module, Attending)]
    if run.trainer.kernel == "explicit":
        for layer in layers:
            layer.kernel = kernels.explicit
    if run.trainer.kernel == "flex":
        from harness.attention import flex  # its compiler takes seconds to import

        whole = not rule.fractional and rule.channels == 1
        for layer in layers:
            if layer.window or layer.sinks is not None:
                raise Refused(
                    "trainer.kernel=flex: FlexAttention is used here without windows and sinks, which a mixer of this "
                    "network has: use trainer.kernel=auto"
                )
            if not flex.possible(layer.encoding, layer.logit, whole=whole):
                raise Refused(
                    f"trainer.kernel=flex: FlexAttention turns and scales queries and keys and adds a bias by whole "
                    f"distances, and encoding={run.encoding.name} with positions={run.positions.name} and "
                    f"logit={run.logit.name} is more than that: use trainer.kernel=auto"
                )
            layer.kernel = flex.attend
        if device != "cuda":
            raise Refused(
                "trainer.kernel=flex: PyTorch sees no GPU here, or trainer.accelerator=cpu, and FlexAttention trains "
                "on a GPU only: use trainer.kernel=auto"
            )


def used(model: nn.Module) -> str:
    """The kernel that computes attention in training, for the record: ``explicit``, ``flex`` or PyTorch's ``fused``;
    several where layers differ, none where there is no attention. Extensions may need another one in tests.
    """
    return ", ".join(sorted({_used(module) for module in model.modules() if isinstance(module, Attending)}))


def _used(layer: Attending) -> str:
    if layer.kernel is kernels.attend:
        return "fused" if kernels.fusible(layer.encoding, layer.logit) else "explicit"
    return "explicit" if layer.kernel is kernels.explicit else "flex"
