"""How exactly positions enter a network: in float32 at least, whatever the rest of it is computed in.

bfloat16 cannot tell position 10000 from 9984, and autocast makes bfloat16 of every matrix product that nobody shields.
So the bases of what computes with positions shield all their hooks (:func:`shielded`), those of classes that are not
written yet among them.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def raised(x: Tensor) -> Tensor:
    """``x`` in float64 if it is that, otherwise in float32."""
    return x if x.dtype == torch.float64 else x.to(torch.float32)


def finest(x: Tensor) -> Tensor:
    """``x`` in float64, in float32 on a device that has nothing finer (Apple's GPUs)."""
    return x.to(torch.float32 if x.device.type == "mps" else torch.float64)


def shielded(hook: Callable[..., Any], *, keeps: bool = False) -> Callable[..., Any]:
    """The same method, which autocast does not reach, and whose arguments with less than float32 come in float32.
    ``keeps``: what it gives then has the precision of the first of them again.
    """

    @functools.wraps(hook)
    def call(*arguments: Any, **named: Any) -> Any:
        tensors = [x for x in (*arguments, *named.values()) if isinstance(x, Tensor)]
        low = next((x.dtype for x in tensors if _is_low(x)), None)
        device = tensors[0].device.type if tensors else "cpu"
        if low is None and not torch.is_autocast_enabled(device):
            return hook(*arguments, **named)
        with torch.autocast(device, enabled=False):
            given = hook(*map(_high, arguments), **{name: _high(x) for name, x in named.items()})
        return _lowered(given, low) if keeps and low else given

    return call


def _is_low(x: Any) -> bool:
    return isinstance(x, Tensor) and x.is_floating_point() and x.dtype.itemsize < torch.float32.itemsize


def _high(x: Any) -> Any:
    return x.to(torch.float32) if _is_low(x) else x


def _lowered(given: Any, precision: torch.dtype) -> Any:
    return given.to(precision) if isinstance(given, Tensor) else tuple(x.to(precision) for x in given)
