"""Reads folders of records into tables: only what is new or has changed, and much of it by several processes."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from harness import progress
from harness.results import frame_cache, frames, portions, readers, unchanged
from harness.results.columns import Packed
from harness.results.frames import Frames
from harness.results.paths import records_folder
from harness.results.unchanged import Listing


def read(
    folders: Sequence[Path],
    listings: Mapping[Path, Listing] | None = None,
    pool: Executor | None = None,
    postponed: list[Callable[[], None]] | None = None,
) -> tuple[Frames, list[str]]:
    """All records in the folders and, for every JSON file that is not a record, the reason. The same record in two
    folders counts once: one that finished goes before one that failed, then the one read first. ``listings`` are those
    of folders that were looked at a moment ago, ``pool`` processes that have started
    (:func:`harness.results.readers.started`). What was read is kept for the next time before this returns, or, where
    that is ``postponed``, when what is added to it is called.
    """
    parts, rejected = [], []
    keeping: list[Callable[[], None]] = []
    for folder in folders:
        part, reasons = _folder(folder, (listings or {}).get(folder) or unchanged.listing(folder), pool, keeping)
        parts.append(part)
        rejected += reasons
    if postponed is None:
        for keep in keeping:
            keep()
    else:
        postponed += keeping
    if len(parts) == 1:
        return parts[0], rejected
    found, conflicts = _once(parts, folders)
    return found, [*rejected, *conflicts]


def _folder(
    folder: Path, listing: Listing, pool: Executor | None, keeping: list[Callable[[], None]]
) -> tuple[Frames, list[str]]:
    now, names, identities = listing
    cache = frame_cache.place(folder)
    kept = frame_cache.load(cache)
    valid = np.zeros(len(names), bool)
    if kept is not None and len(kept[0]):
        if names == kept[0] and identities[:, 1].all() and (kept[1] == identities).all():
            return kept[2], []
        places = pd.Index(kept[0]).get_indexer(pd.Index(names))
        valid = (places >= 0) & (kept[1][places] == identities).all(axis=1) & (identities[:, 1] != 0)
    parts, rejected = [], []
    for packed, reasons in _read(folder, [names[number] for number in np.flatnonzero(~valid)], pool):
        parts.append(frames.made(packed))
        rejected += reasons
    if kept is not None and valid.any():
        still = kept[2].runs.record.isin([name.removesuffix(".json") for name in np.array(names, object)[valid]])
        parts.insert(0, frames.take(kept[2], np.flatnonzero(still)))
    found = frames.joined(parts) if parts else frames.of([])
    # A record is called as its file, so the order of the names is that of the files.
    found, ranks = frames.in_order(found, [name.removesuffix(".json") for name in names])
    stays = unchanged.settled(identities, now)
    good = np.unique(ranks)
    lasting = good[stays[good]]
    if len(lasting) and not (valid[lasting].all() and kept is not None and len(kept[0]) == len(lasting)):
        whole = found if len(lasting) == len(good) else frames.take(found, np.flatnonzero(stays[ranks]))
        keeping.append(partial(frame_cache.save, cache, identities[lasting], whole))
    return found, sorted(rejected)


def _read(folder: Path, names: list[str], ready: Executor | None) -> Iterator[tuple[Packed, list[str]]]:
    """What is read from the files, portion by portion."""
    where = records_folder(folder)
    parts = [[os.path.join(where, name) for name in part] for part in portions.cut(names, readers.how_many())]
    done = 0
    with nullcontext(ready) if ready else readers.started(len(names) >= readers.SEVERAL) as pool:
        if pool is not None:
            with progress.shown("reading", len(names)) as step:
                try:
                    for packed in pool.map(portions.read, parts):
                        done += 1
                        step(sum(map(len, parts[:done])))
                        yield packed
                except BrokenProcessPool:  # as where the program that calls this one cannot be imported
                    pass
    for part in parts[done:]:
        yield portions.read(part)


def _once(parts: Sequence[Frames], folders: Sequence[Path]) -> tuple[Frames, list[str]]:
    """The records of several folders, each once, and a line for each that says something else in another folder."""
    found = frames.joined(parts)
    runs = pd.DataFrame(
        {
            "record": found.runs.record.astype(object),
            "part": np.repeat(range(len(parts)), [len(part.runs) for part in parts]),
            "status": found.runs.status.astype(object),
            "said": _said(found),
        }
    )
    places = runs.groupby("record", sort=False).part.transform("nunique")
    if (places == 1).all():
        return found, []
    copies = (
        runs[places > 1].groupby(["record", "part"], sort=False).agg(status=("status", "first"), said=("said", "sum"))
    )
    chosen: dict[str, tuple[int, str, int]] = {}
    conflicts = []
    for (record, part), status, said in zip(copies.index, copies.status, copies.said, strict=True):
        before = chosen.setdefault(record, (part, status, said))
        if before[1] == "failed" and status == "finished":
            chosen[record] = (part, status, said)
        elif before[2] != said and status == "finished":
            path = records_folder(folders[part]) / f"{record}.json"
            conflicts.append(f"{path}: the same run has other scores elsewhere; those read first are kept")
    wanted = runs.record.map({name: part for name, (part, _, _) in chosen.items()}).fillna(runs.part)
    return frames.take(found, np.flatnonzero(runs.part == wanted)), conflicts


def _said(found: Frames) -> np.ndarray:
    """A number for each run that is the same for the same extension and scores."""
    scores = found.scores.drop(columns=["run", "place", "in_training"])
    scores = scores.assign(extension=found.runs.extension.astype(object).to_numpy()[found.scores.run])
    said = np.zeros(len(found.runs), np.uint64)
    np.add.at(said, found.scores.run.to_numpy(), pd.util.hash_pandas_object(scores, index=False).to_numpy())
    return said
