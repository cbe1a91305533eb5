"""How the threads of one run wait for each other.

PyTorch divides an operation among threads, and those that have finished wait for the others. GNU's OpenMP, which it
uses on Linux, lets them spin for some milliseconds before they sleep. That is more than the kernel gives a process at a
time where the machine has other work, so that what waits keeps the processor from what it waits for: steps of a small
network took ten times the CPU that they needed. Spinning a little keeps what it is good for, because on a quiet machine
the others are late by some microseconds only.
"""

import os

VARIABLE = "GOMP_SPINCOUNT"
"""How often a thread looks whether the others have finished before it sleeps: read once, when PyTorch is loaded."""

SPINS = 2000
"""Some tens of microseconds. Half as many cost a tenth of the speed on a quiet machine, none at all a third."""

OF_USERS = (VARIABLE, "OMP_WAIT_POLICY")
"""What users say this by themselves with."""


def wait_briefly() -> None:
    """Let threads of this process, and of those that it starts, spin :data:`SPINS` times only, unless the user has said
    how they wait. To be called before PyTorch is loaded; afterwards it does nothing.
    """
    if not any(name in os.environ for name in OF_USERS):
        os.environ[VARIABLE] = str(SPINS)
