"""Processes that read records. They can start before it is known what there is to read: loading what they need takes as
long as reading some thousand records. Without pandas, so that the program that starts them need not have loaded it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from harness.results import cache_folder
from harness.results.paths import records_folder
from harness.system import processors
from harness.system.beside import end_with_parent

if TYPE_CHECKING:
    from concurrent.futures import Executor

SEVERAL = 2000
"""Records from which on several processes read them: starting one takes as long as reading a thousand."""
MOST = 16


def how_many() -> int:
    """The processes that read at the same time."""
    return min(MOST, processors.available())


def are_many(folders: Sequence[Path]) -> bool:
    """Whether the folders have so many records that more processes pay, and there are cores for them."""
    if processors.available() < 2:
        return False
    return sum(len(os.listdir(records_folder(folder))) for folder in folders if folder.is_dir()) >= SEVERAL


def are_new(folders: Sequence[Path]) -> bool:
    """Whether nothing is kept of what is in the folders."""
    return not any(cache_folder.place(folder, *cache_folder.RECORDS).exists() for folder in folders)


@contextmanager
def started(wanted: bool) -> Iterator[Executor | None]:
    """Processes for :func:`harness.results.portions.read`, if they are wanted."""
    if not wanted:
        yield None
        return
    import multiprocessing  # all of it takes a tenth of a second, which an answer that is there need not wait for
    from concurrent.futures import ProcessPoolExecutor

    from harness.results import portions

    with ProcessPoolExecutor(how_many(), multiprocessing.get_context("spawn"), end_with_parent) as pool:
        pool.submit(portions.read, [])
        yield pool
