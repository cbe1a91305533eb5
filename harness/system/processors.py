"""The processor cores that this process may use."""

import os


def available() -> int:
    """How many they are: those that it is bound to, where the system says it, and at least one."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
