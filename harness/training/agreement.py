"""What processes that train together agree upon before they do: whether there is anything to train, and from where.

The first process alone looks for the record, takes the lock of the run and chooses the checkpoint; the others wait for
its word, since what they would find themselves may be another thing a moment later.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache

from torch.distributed.distributed_c10d import Store
from torch.distributed.rendezvous import rendezvous

from harness.system.distributed import World
from harness.system.faults import PROCESS, MachineFault
from harness.training.resumption import Resumption

ARRIVAL = timedelta(minutes=10)
"""How long the processes wait for each other to start."""
LOOK_EVERY = 0.1
"""Seconds between looks at whether the first process has decided, which may wait for another run for hours."""
KEY = "training begins with step"
NOTHING = "none"


def announce(world: World, step: int | None) -> None:
    """Tell the other processes to train from the checkpoint of a step, 0 if there is none; ``None``: not to train."""
    if world.port:
        _store(world).set(KEY, NOTHING if step is None else str(step))


@contextmanager
def ended(world: World) -> Iterator[None]:
    """Tell the other processes at the end that there is nothing to train, in case they still wait."""
    try:
        yield
    except Exception:
        announce(world, None)
        raise
    announce(world, None)


def awaited(world: World) -> int | None:
    """What the first process has announced. Raises :class:`MachineFault` if it has ended without a word."""
    try:
        store = _store(world)
        while not store.check([KEY]):
            time.sleep(LOOK_EVERY)
        said = store.get(KEY).decode()
    except RuntimeError as error:
        raise MachineFault(
            f"process {world.rank} of {world.size} cannot reach process 0 at {world.address}:{world.port} "
            f"({str(error).splitlines()[0][:120]}). What helps: {PROCESS}"
        ) from error
    return None if said == NOTHING else int(said)


def check(world: World, step: int, found: Resumption | None) -> None:
    """Raise :class:`MachineFault` if a process does not see the checkpoint that the first one goes on from."""
    if step != (own := found.step if found else 0):
        raise MachineFault(
            f"process {world.rank} of {world.size} sees the checkpoint of step {own} and process 0 that of step {step} "
            "(0: none). What helps: results=... in a folder that all machines share"
        )


@lru_cache(maxsize=1)
def _store(world: World) -> Store:
    """PyTorch's store at the rendezvous address, where the processes meet again to train."""
    url = f"tcp://{world.address}:{world.port}?rank={world.rank}&world_size={world.size}"
    return next(rendezvous(url, timeout=ARRIVAL))[0]
