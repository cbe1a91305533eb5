"""NTK-aware scaling that treats fast, middle and slow pairs differently."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.declarations.bounds import FactorOrZero, Positive
from harness.extensions.base import Extension

if TYPE_CHECKING:
    from harness.encodings.base import Encoding


class NTKByParts(Extension):
    """Fast pairs keep their frequency, slow ones have it divided by s (interpolated), and those between go over from
    one to the other by way of NTK-aware scaling. ``s = test tokens / train tokens``, or ``factor``.

    bloc97 (2023), "NTK-by-parts", as in YaRN's code: the interpolated frequency goes over to the NTK-aware one between
    the pairs that turn ``beta_1`` and ``beta_0`` times within the training length, and that to the unscaled one between
    ``gamma_1`` and ``gamma_0`` turns, linearly in the number of the pair, limits rounded outwards. What Peng et al.
    (2023) describe under this name has one transition, without the NTK-aware part:
    :class:`~harness.extensions.yarn.YaRN` without its attention factor.

    Training tokens count the turns; tested tokens enter through s alone.
    """

    needs = "frequencies"
    trains = True

    def __init__(
        self,
        *,
        factor: FactorOrZero = 0.0,
        beta_0: Positive = 1.25,
        beta_1: Positive = 0.75,
        gamma_0: Positive = 16.0,
        gamma_1: Positive = 2.0,
    ) -> None:
        for name, fast, slow in (("beta", beta_0, beta_1), ("gamma", gamma_0, gamma_1)):
            if fast <= slow:
                raise ValueError(f"{name}_0={fast}: it must be above {name}_1={slow}")
        self.factor = factor
        self.beta = (beta_0, beta_1)
        self.gamma = (gamma_0, gamma_1)

    def extend(self, encoding: Encoding, train_tokens: int, test_tokens: int) -> Encoding:
        import torch

        from harness.encodings.frequencies import divided, get_frequencies, ramp, set_frequencies, turning

        frequencies = get_frequencies(encoding)
        scale = self.factor or test_tokens / train_tokens

        def slow(turns: tuple[float, float]) -> torch.Tensor:
            first, last = (turning(frequencies, number, train_tokens) for number in turns)
            return ramp(len(frequencies), first, last)

        beta, gamma = slow(self.beta), slow(self.gamma)
        mixed = frequencies / scale * beta + divided(frequencies, scale) * (1 - beta)
        set_frequencies(encoding, mixed * gamma + frequencies * (1 - gamma))
        return encoding
