"""Numbers that independent implementations computed (tests/golden/encodings), and how mine are compared with them."""

import csv
import json
from typing import Any, NamedTuple

import numpy as np
import torch
from support import ROOT
from torch import Tensor

from harness.dimensions import Dimensions
from harness.encodings.base import Encoding

FOLDER = ROOT / "tests" / "golden" / "encodings"

MEASURED: dict[tuple[str, str], float] = {}
"""The largest difference found so far, by case and output."""


class Golden(NamedTuple):
    """One case: its arrays as tensors, and what its authors say of them."""

    arrays: dict[str, Tensor]
    meta: dict[str, Any]

    def __getitem__(self, name: str) -> Tensor:  # type: ignore[override]
        return self.arrays[name]

    def match(self, name: str, mine: Tensor) -> None:
        """Compare with an output to the stated tolerance, and near the origin to the tighter one if there is one."""
        error = float((mine.detach().double() - self.arrays[name].double()).abs().max())
        MEASURED[self.meta["case"], name] = max(error, MEASURED.get((self.meta["case"], name), 0.0))
        np.testing.assert_allclose(mine.detach().numpy(), self.arrays[name].numpy(), **self.meta["tolerance"][name])
        near = (self.meta.get("tolerance_near") or {}).get(name)
        if near:
            close = {
                key: (self.arrays[key] <= near["max_position"]).numpy()
                for key in ("positions", "pos_q", "pos_k")
                if key in self.arrays
            }
            rows = (slice(None), *np.ix_(close["pos_q"], close["pos_k"])) if "pos_q" in close else (close["positions"],)
            tolerance = {key: near[key] for key in ("atol", "rtol")}
            np.testing.assert_allclose(mine.detach().numpy()[rows], self.arrays[name].numpy()[rows], **tolerance)


def golden(case: str) -> Golden:
    with np.load(FOLDER / f"{case}.npz", allow_pickle=False) as file:
        meta = json.loads(str(file["meta"]))
        return Golden({key: torch.from_numpy(file[key]) for key in file.files if file[key].dtype.kind in "fiu"}, meta)


def dimensions(heads: int, head_dimension: int) -> Dimensions:
    return Dimensions(heads * head_dimension, heads, 1, 64)


def logits(encoding: Encoding, case: Golden) -> Tensor:
    """Unmasked scaled logits [H, Lq, Lk] through the encoding's own hooks."""
    q, k = case["q"][None], case["k"][None]
    q_positions = case.arrays.get("pos_q", torch.arange(q.shape[2])).long()[None]
    k_positions = case.arrays.get("pos_k", torch.arange(k.shape[2])).long()[None]
    scale = q.shape[-1] ** -0.5  # of the channels before rotation, which may double them
    q, k = encoding.rotate(q, k, q_positions, k_positions, {})
    return (q @ k.transpose(-1, -2) * scale)[0]


def write_measured() -> None:
    """Write the differences found in this run of the tests to tests/golden/parity.csv."""
    with (FOLDER.parent / "parity.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("case", "reference", "output", "tolerance", "largest difference"))
        for (case, output), error in sorted(MEASURED.items()):
            meta = golden(case).meta
            tolerance = meta["tolerance"][output]["atol"]
            reference = "{package} {version}: {object}".format(**meta["reference"])
            writer.writerow((case, reference, output, f"{tolerance:.0e}", f"{error:.0e}"))
