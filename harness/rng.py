"""Random generators seeded by their purpose.

Every random number in a run comes from a generator that is seeded here with words and numbers, so that data is the same
on any device, in any process and in any order, and different purposes have independent streams.
"""

import hashlib

import numpy as np


def generator(*purpose: str | int) -> np.random.Generator:
    """The generator for this purpose, for example ``generator("copy", 1, "train", seed, length, block)``."""
    digest = hashlib.sha256("/".join(f"{type(part).__name__}:{part}" for part in purpose).encode()).digest()
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest[:16], "little")))
