"""Reads the files that W&B keeps offline."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER, BLOCK = 7, 32768
"""Bytes of a W&B file before its first record, and of a block, at whose end no record's head is cut."""
WHOLE, LAST = 1, 4
"""Kinds of a piece that end a record."""


def logged_by_wandb(path: str) -> Iterator[dict[str, Any]]:
    """The rows that a run has logged, from the file that W&B keeps offline."""
    for part in records_of_wandb(path):
        if part.WhichOneof("record_type") == "history":
            yield {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in part.history.item}


def records_of_wandb(path: str) -> Iterator[Any]:
    """The records of such a file: pieces, each behind a checksum, its size and its kind."""
    from wandb.proto import wandb_internal_pb2

    data, place, record = Path(path).read_bytes(), HEADER, b""
    while place + HEADER <= len(data):
        if (left := BLOCK - place % BLOCK) < HEADER:
            place += left
            continue
        _, size, kind = struct.unpack("<IHB", data[place : place + HEADER])
        record += data[place + HEADER : place + HEADER + size]
        place += HEADER + size
        if kind in (WHOLE, LAST):
            parsed = wandb_internal_pb2.Record()
            parsed.ParseFromString(record)
            record = b""
            yield parsed
