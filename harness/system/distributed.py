"""The rank of this process among those that train one model.

A run on one device is one process, whatever a launcher or batch system has left in the environment. A run on several is
either started by ``torchrun`` or ``srun``, a process per device, or it is one process that starts the others itself.
The environment is read once; then its variables are removed (:func:`launcher_variables_hidden`), because libraries act
on them too: Lightning would requeue a Slurm job, or take the only process for a silent worker.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from harness.errors import Refused
from harness.system.lifeline import VARIABLE

TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""The variables that ``torchrun`` sets for each process, and a run for those that it starts."""

LAUNCHER_VARIABLES = (
    *TORCHRUN, "NODE_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "GROUP_WORLD_SIZE", "ROLE_RANK", "ROLE_NAME",
    "ROLE_WORLD_SIZE", "PL_GLOBAL_SEED", "MPI_LOCALRANKID", "MPI_LOCALNRANKS", VARIABLE,
)  # fmt: skip
"""Variables that would make a process believe it is one of several."""
LAUNCHER_PREFIXES = (
    "SLURM_", "SUBMITIT_", "TORCHELASTIC_", "PBS_", "LSB_", "JSM_", "OMPI_COMM_", "OMPI_UNIVERSE_", "PMI_", "PMIX_",
    "MV2_COMM_", "PALS_", "FLUX_",
)  # fmt: skip
"""Prefixes of further such variables."""

UNSUPPORTED_LAUNCHERS = {"mpirun": "OMPI_COMM_WORLD_SIZE", "mpiexec": "PMI_SIZE", "jsrun": "JSM_NAMESPACE_SIZE"}
"""Launchers that give no rendezvous address, each with its variable for the number of processes."""


class World(NamedTuple):
    """The rank of a process among those that train one model, and their rendezvous address."""

    rank: int = 0
    local_rank: int = 0
    size: int = 1
    address: str = "127.0.0.1"
    port: int = 0
    """The rendezvous port; 0 where this process chooses it and starts the others."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that give a process its rank."""
        return dict(
            zip(TORCHRUN, map(str, (self.rank, self.local_rank, self.size, self.address, self.port)), strict=True)
        )


def this_process(devices: int) -> World:
    """The world of this process in a run on this many devices.

    Raises :class:`Refused` if the environment has another number of processes, or lacks some of the variables.
    """
    if devices == 1:
        return World()
    if set(TORCHRUN[:3]) & set(os.environ) or "NODE_RANK" in os.environ:
        world = _torchrun(devices)
    elif _under_srun():
        world = _srun(devices)
        nodes = _number("SLURM_STEP_NUM_NODES", _number("SLURM_NNODES", 1))
        if nodes > 1:
            raise Refused(f"srun runs this on {nodes} machines, but trainer.devices={devices} are devices of one")
    else:
        for launcher, name in UNSUPPORTED_LAUNCHERS.items():
            if _number(name, 1) > 1:
                raise Refused(
                    f"{launcher} started {os.environ[name]} processes ({name}), which cannot find each other: start "
                    f"the command once and it starts a process for each of trainer.devices={devices}, or use torchrun"
                )
        return World(size=devices)
    if world.size != devices:
        raise Refused(
            f"trainer.devices={devices}, but the environment speaks of {world.size} processes "
            f"({'WORLD_SIZE' if 'WORLD_SIZE' in os.environ else 'SLURM_NTASKS'}): they must be equal"
        )
    if not 0 <= world.rank < world.size:
        raise Refused(
            f"the environment speaks of process {world.rank} of {world.size}: ranks go from 0 to {world.size - 1}"
        )
    return world


def without_launcher_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment without the variables of launchers."""
    return {name: value for name, value in environment.items() if not is_launcher_variable(name)}


def is_launcher_variable(name: str) -> bool:
    """Whether a launcher sets this variable."""
    return name in LAUNCHER_VARIABLES or name.startswith(LAUNCHER_PREFIXES)


@contextmanager
def launcher_variables_hidden(world: World) -> Iterator[None]:
    """Remove the variables of launchers from the environment, and restore them at the end."""
    meeting = "TORCHELASTIC_" if world.port else None  # says that torchrun itself runs the rendezvous
    taken = {
        name: value
        for name, value in os.environ.items()
        if is_launcher_variable(name) and not (meeting and name.startswith(meeting))
    }
    for name in taken:
        del os.environ[name]
    try:
        yield
    finally:
        for name in [name for name in os.environ if is_launcher_variable(name)]:
            if name not in taken and not (meeting and name.startswith(meeting)):
                del os.environ[name]
        os.environ.update(taken)


def _torchrun(devices: int) -> World:
    missing = [name for name in TORCHRUN if name not in os.environ and name != "RANK"]
    if missing:
        there = next(name for name in ("LOCAL_RANK", "RANK", "NODE_RANK", "WORLD_SIZE") if name in os.environ)
        raise Refused(
            f"{there}={os.environ[there]} is set as torchrun sets it, but not {', '.join(missing)}: unset it, and the "
            f"run starts a process for each of trainer.devices={devices} itself"
        )
    local = _number("LOCAL_RANK", 0)
    rank = _number("RANK", local + devices * _number("NODE_RANK", 0))
    return World(rank, local, _number("WORLD_SIZE", 1), os.environ["MASTER_ADDR"], _number("MASTER_PORT", 0))


def _under_srun() -> bool:
    """Whether this is one of several tasks of a job step. The script of a batch job and the shell of an allocation are
    one process each, however many tasks were asked for.
    """
    if "SLURM_STEP_NUM_TASKS" in os.environ:
        return _number("SLURM_STEP_NUM_TASKS", 1) > 1
    return _number("SLURM_PROCID", 0) > 0


def _srun(devices: int) -> World:
    size = _number("SLURM_STEP_NUM_TASKS", _number("SLURM_NTASKS", devices))
    step = 31 * _number("SLURM_JOB_ID", 0) + _number("SLURM_STEP_ID", 0)
    port = _number("MASTER_PORT", 20_000 + step % 20_000)
    local = _number("SLURM_LOCALID", 0)
    return World(_number("SLURM_PROCID", 0), local, size, os.environ.get("MASTER_ADDR", "127.0.0.1"), port)


def _number(name: str, otherwise: int) -> int:
    word = os.environ.get(name)
    if word is None:
        return otherwise
    try:
        return int(word)
    except ValueError:
        raise Refused(f"{name}={word[:40]!r} in the environment is not a number: unset it") from None
