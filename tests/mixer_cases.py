"""The numbers of independent implementations of mixers (tests/golden/mixers)."""

import json
from typing import Any

import numpy as np
import torch
from support import ROOT
from torch import Tensor

from harness.mixers.base import State

FOLDER = ROOT / "tests" / "golden" / "mixers"


class Case:
    """One file: its arrays as tensors whose gradients can be asked for, and what its authors say of them."""

    def __init__(self, name: str) -> None:
        stored = np.load(FOLDER / f"{name}.npz", allow_pickle=False)
        self.meta: dict[str, Any] = json.loads(str(stored["meta"]))
        self.arrays = {key: torch.from_numpy(stored[key]) for key in stored.files if key != "meta"}

    def __getitem__(self, name: str) -> Tensor:
        return self.arrays[name]

    def named(self, role: str) -> dict[str, Tensor]:
        return {
            key: self.arrays[key].clone()
            for key, facts in self.meta["arrays"].items()
            if facts["role"] == role and not key.startswith(("state0", "loss_weight"))
        }

    def state(self, prefix: str) -> State:
        """A state, in parts where the memory has parts."""
        return tuple(
            self.arrays[key]
            for key in self.arrays
            if key == prefix or (key.startswith(f"{prefix}_") and "L" not in key[len(prefix) :])
        )

    def match(self, name: str, mine: Tensor, stored: Tensor | None = None) -> None:
        """Within the tolerance that the authors state for another form in float32."""
        form = "out" if name.startswith("out") else "state" + (name[-2:] if name[-2] == "_" else "")
        given, other = self.meta["tolerance"][name], self.meta["tolerance_other_form"] or {}
        tolerance = {key: max(given[key], other.get(form, given)[key]) for key in given}
        np.testing.assert_allclose(mine.detach(), self[name] if stored is None else stored, **tolerance)
