"""The rank of this process among those that train one model.

A run on one device is one process, whatever a launcher or batch system has left in the environment. A run on several is
either started by a launcher, a process per device (``torchrun``, ``srun``, ``jsrun``, ``mpirun``), or it is one process
that starts the others itself. Which rank a launcher gave this process is read by Lightning's environments. Then their
variables are removed (:func:`launcher_variables_hidden`), because libraries act on them too: Lightning would requeue a
Slurm job, or take the only process for a silent worker.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from harness.errors import Refused, one_line
from harness.system.lifeline import VARIABLE

if TYPE_CHECKING:
    from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment

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

MPI = {"mpirun": "OMPI_COMM_WORLD_SIZE", "mpiexec": "PMI_SIZE", "jsrun": "JSM_NAMESPACE_SIZE"}
"""Launchers of MPI, each with its variable for the number of processes."""

THIS_MACHINE = "127.0.0.1"


class World(NamedTuple):
    """The rank of a process among those that train one model, and their rendezvous address."""

    rank: int = 0
    local_rank: int = 0
    size: int = 1
    address: str = THIS_MACHINE
    port: int = 0
    """The rendezvous port; 0 where this process chooses it and starts the others."""
    node: int = 0
    """The rank of this machine among those that train together."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that give a process its rank."""
        return dict(
            zip(TORCHRUN, map(str, (self.rank, self.local_rank, self.size, self.address, self.port)), strict=True)
        )


def this_process(devices: int, nodes: int = 1) -> World:
    """The world of this process in a run on this many devices of each of so many machines.

    Raises :class:`Refused` if the environment has another number of processes, or lacks some of the variables.
    """
    size = devices * nodes
    if size == 1:
        return World()
    asked = f"trainer.devices={devices}" + (f" trainer.nodes={nodes}" if nodes > 1 else "")
    found = _environment(devices, nodes, asked)
    if found is None:
        if nodes > 1:
            raise Refused(
                f"trainer.nodes={nodes}: a launcher has to start a process for each device of each machine, as in "
                f"srun --nodes={nodes} --ntasks-per-node={devices} python -m harness ..."
            )
        return World(size=devices)
    try:
        world = _world(found)
    except (KeyError, ValueError) as error:
        raise Refused(f"the environment does not say which process this is: {one_line(error)}") from error
    if world.size != size:
        raise Refused(
            f"{asked}, but the environment speaks of {world.size} processes: they must be equal. Start one for each "
            "device, or the command alone and it starts them"
        )
    if not 0 <= world.rank < world.size:
        raise Refused(
            f"the environment speaks of process {world.rank} of {world.size}: ranks go from 0 to {world.size - 1}"
        )
    return world


def _environment(devices: int, nodes: int, asked: str) -> ClusterEnvironment | None:
    """Lightning's environment for the launcher that has started this process as one of several, if one has."""
    by_torchrun = set(TORCHRUN[:3]) & set(os.environ) or "NODE_RANK" in os.environ
    by_mpi = {launcher: name for launcher, name in MPI.items() if os.environ.get(name, "1") != "1"}
    if not (by_torchrun or _under_srun() or by_mpi):
        return None
    from lightning_fabric.plugins.environments.lightning import LightningEnvironment
    from lightning_fabric.plugins.environments.lsf import LSFEnvironment
    from lightning_fabric.plugins.environments.mpi import MPIEnvironment
    from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

    if by_torchrun:
        _check_torchrun(asked)
        if "RANK" in os.environ:
            return TorchElasticEnvironment()
        alone = LightningEnvironment()
        alone.set_world_size(int(os.environ["WORLD_SIZE"]))
        alone.set_global_rank(alone.local_rank() + devices * alone.node_rank())
        return alone
    if _under_srun():
        tasks = os.environ.get("SLURM_STEP_TASKS_PER_NODE", os.environ.get("SLURM_TASKS_PER_NODE", str(devices)))
        if not re.fullmatch(rf"{devices}(\(x{nodes}\))?", tasks):
            raise Refused(
                f"{asked}, but srun runs {tasks} tasks on its nodes: give srun --nodes={nodes} "
                f"--ntasks-per-node={devices}"
            )
        return _slurm_step()
    for environment in (LSFEnvironment, MPIEnvironment):
        if environment.detect():
            return environment()
    launcher, name = next(iter(by_mpi.items()))
    raise Refused(
        f"{launcher} started {os.environ[name]} processes ({name}), which cannot find each other without the package "
        f"mpi4py: install it, or use torchrun, or start the command once and it starts a process for each of {asked}"
    )


def _world(environment: ClusterEnvironment) -> World:
    return World(
        environment.global_rank(),
        environment.local_rank(),
        environment.world_size(),
        environment.main_address,
        environment.main_port,
        environment.node_rank(),
    )


def _slurm_step() -> ClusterEnvironment:
    """Lightning's environment of Slurm, for tasks whose number and places have been checked already."""
    from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

    class Step(SLURMEnvironment):
        """A job step: several of one job may train at the same time, each with a port of its own."""

        @staticmethod
        def _validate_srun_variables() -> None:
            """Lightning wants ``--ntasks-per-node`` rather than ``--ntasks``, which is as good."""

        @property
        def main_address(self) -> str:
            if "MASTER_ADDR" in os.environ:
                return os.environ["MASTER_ADDR"]
            if os.environ.get("SLURM_STEP_NUM_NODES", os.environ.get("SLURM_NNODES")) == "1":
                return THIS_MACHINE
            # Lightning would write this into the environment, where processes started later take it for their own.
            return self.resolve_root_node_address(os.environ.get("SLURM_NODELIST", THIS_MACHINE))

        @property
        def main_port(self) -> int:
            if "MASTER_PORT" in os.environ:
                return super().main_port
            step = 31 * int(os.environ.get("SLURM_JOB_ID", 0)) + int(os.environ.get("SLURM_STEP_ID", 0))
            return 20_000 + step % 10_000

    return Step(auto_requeue=False)


def _check_torchrun(asked: str) -> None:
    missing = [name for name in TORCHRUN if name not in os.environ and name != "RANK"]
    if missing:
        there = next(name for name in ("LOCAL_RANK", "RANK", "NODE_RANK", "WORLD_SIZE") if name in os.environ)
        raise Refused(
            f"{there}={os.environ[there]} is set as torchrun sets it, but not {', '.join(missing)}: unset it, and the "
            f"run starts a process for each of {asked} itself"
        )
    for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE", "MASTER_PORT"):
        if not (word := os.environ.get(name, "0")).isdecimal():
            raise Refused(f"{name}={word[:40]!r} in the environment is not a number: unset it")


def _under_srun() -> bool:
    """Whether this is one of several tasks of a job step. The script of a batch job and the shell of an allocation are
    one process each, however many tasks were asked for.
    """
    if "SLURM_STEP_NUM_TASKS" in os.environ:
        return os.environ["SLURM_STEP_NUM_TASKS"] != "1"
    return os.environ.get("SLURM_PROCID", "0") != "0"


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
