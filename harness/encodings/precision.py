"""The precision of positions in a network: at least float32, whatever the rest of it is computed in.

bfloat16 cannot distinguish position 10000 from 9984, and autocast computes every matrix product in bfloat16. So the
base classes of what computes with positions run all their hooks outside autocast (:func:`without_autocast`), also the
hooks of a user's classes.
"""

import functools
from collections.abc import Callable
from typing import Any, Self

import torch
from torch import Tensor, nn


def at_least_float32(x: Tensor) -> Tensor:
    """``x`` in float64 if it is that, otherwise in float32."""
    return x if x.dtype == torch.float64 else x.to(torch.float32)


def finest(x: Tensor) -> Tensor:
    """``x`` in float64, or in float32 on a device without float64 (Apple's GPUs)."""
    return x.to(torch.float32 if x.device.type == "mps" else torch.float64)


def without_autocast(hook: Callable[..., Any], *, keeps: bool = False) -> Callable[..., Any]:
    """The same method run outside autocast, with arguments of lower precision raised to float32. ``keeps``: the result
    is converted back to the precision of the first of these.
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


class PreciseModule(nn.Module):
    """A module that computes with positions, and goes on doing so exactly where a model is turned to another precision
    or device.
    """

    precision: torch.dtype
    """What biases, and sines and cosines of angles, are computed in: float32, or float64 in a model of that."""

    def __init__(self) -> None:
        super().__init__()
        self.precision = _at_least_float32(torch.get_default_dtype())

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """What ``to``, ``double``, ``cuda`` and the like do. Buffers that are not saved are constants: they move, but
        keep their precision, float64 as a rule, unless the device has no such numbers (Apple's GPUs).
        """
        names = [name for name in self._non_persistent_buffers_set if self._buffers[name] is not None]
        constants = {name: self.get_buffer(name) for name in names}
        for name in names:
            self._buffers[name] = None
        super()._apply(fn, recurse)
        self.precision = _at_least_float32(fn(torch.empty(0, dtype=self.precision)).dtype)
        for name, constant in constants.items():
            device = fn(torch.empty(0, dtype=torch.float32, device=constant.device)).device
            lower = device.type == "mps" and constant.dtype == torch.float64
            self._buffers[name] = constant.to(device, torch.float32 if lower else constant.dtype)
        return self


def _at_least_float32(precision: torch.dtype) -> torch.dtype:
    return torch.float64 if precision == torch.float64 else torch.float32
