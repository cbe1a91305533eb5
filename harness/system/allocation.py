"""Memory that a run has freed and will soon want again.

The C library of Linux gives memory at the end of its heap back to the system as soon as some of it is free, and PyTorch
frees a step's tensors by the megabyte, to want as many again at once. The system then hands out the same pages one by
one, each filled with zeros, which takes a part of every training step and more of attention to long sequences.
"""

import ctypes
import os
import sys

KEPT = 2**28
"""Bytes at the end of the heap that may be free, at most."""

MAPPED = 2**25
"""Bytes from which on memory is mapped by itself, and given back when it is freed; the most that glibc takes."""

OF_USERS = ("MALLOC_", "GLIBC_TUNABLES")
"""How the names of variables begin that users set up glibc's malloc with."""

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Numbers of these settings in glibc's malloc.h."""


def keep_freed() -> None:
    """Let this process keep up to :data:`KEPT` bytes of freed memory, unless the user has set up glibc's malloc by
    environment variables. Does nothing where there is no glibc.
    """
    if sys.platform != "linux" or any(name.startswith(OF_USERS) for name in os.environ):
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):  # others have no such settings, or other numbers for them
        # Either setting alone would end glibc's own adjustment of the other.
        library.mallopt(MMAP_THRESHOLD, MAPPED)
        library.mallopt(TRIM_THRESHOLD, KEPT)
