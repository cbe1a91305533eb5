"""Ray: the runs of a sweep are tasks of a cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from harness import atomic, progress
from harness.config.schema import Run
from harness.errors import Refused, counted, one_line
from harness.launch import batch_jobs, pool, slots
from harness.launch.base import Launcher
from harness.launch.cells import Cell, Outcome, end_reason
from harness.launch.slots import Slot
from harness.launch.sweep_files import Sweep
from harness.progress import say
from harness.system import lease
from harness.system.signals import PATIENCE, interruptible

ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent to the makers of Ray
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # otherwise Ray prints a warning; GPUs are hidden in do()
    "RAY_kill_child_processes_on_worker_exit": "false",  # a run that loses its worker saves, and ends by itself
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # under uv, Ray would send the working folder to every node
}
"""What Ray reads from the environment when it is imported and started."""
LOCAL = "local"
"""The address of a cluster that is started on this machine and ends with the sweep."""
ADDRESS = re.compile(r"(?P<host>[\w.-]+|\[[0-9A-Fa-f:.]+\]):(?P<port>[0-9]{1,5})")
OBJECTS = 100 * 2**20
"""Bytes for objects in a cluster of this machine: tasks exchange a few words."""
CONNECTS = 10.0
"""Seconds in which a cluster has to answer."""
LOOK_EVERY = 0.2
"""Seconds between looks at what has ended."""
AT_ONCE = 100
"""Tasks that Ray is given between two looks."""
COUNT_EVERY = 5.0
"""Seconds between looks at which runs are at work."""
SEEN_AFTER = 30.0
"""Seconds after which a record that was written on one node is seen on another, at most."""
ENDS = PATIENCE + 15.0
"""Seconds in which tasks that were cancelled end: their runs have :data:`PATIENCE` to save."""


class Lost(Exception):
    """A run has ended without a record: Ray begins its task again, on whichever node has room."""


class RayCluster(Launcher):
    """Tasks of Ray, each of which is a run as a process of its own. Ray schedules them by their CPU cores and GPUs, and
    does those of a lost worker or node elsewhere, where they go on from their checkpoints.
    """

    elsewhere = True

    def __init__(
        self,
        *,
        address: Annotated[str, Field(max_length=200)] = "",
        cpus: Annotated[int, Field(ge=1, le=4096)] = 1,
        gpus: Annotated[float, Field(ge=0, le=1)] = 1.0,
        memory: Annotated[int, Field(ge=0, le=10**5)] = 0,
        throttle: Annotated[int, Field(ge=0, le=10**5)] = 0,
        retries: Annotated[int, Field(ge=0, le=1000)] = 3,
    ) -> None:
        self.address = address
        self.cpus = cpus
        self.gpus = gpus
        self.memory = memory
        self.throttle = throttle
        self.retries = retries

    def check(self, run: Run) -> None:
        """Raise :class:`Refused` if there is no Ray here, or if a run would need several nodes."""
        if run.trainer.nodes > 1:
            raise Refused(f"launcher=ray: a run is on one node, not on trainer.nodes={run.trainer.nodes}")
        self._address()
        _ray()

    def _address(self) -> str:
        """Where the cluster is, as ``ray.init`` takes it. Raises :class:`Refused` for anything else."""
        address = self.address or os.environ.get("RAY_ADDRESS", "") or LOCAL
        if address not in (LOCAL, "auto") and not ADDRESS.fullmatch(address):
            said = f"launcher.address={address}" if self.address else f"RAY_ADDRESS={address}"
            raise Refused(
                f"{one_line(said)}: HOST:PORT of a cluster is wanted, as 10.0.0.1:6379, or auto on a node of it"
            )
        return address

    def places(self, run: Run) -> int:
        return self.throttle

    def launch(self, todo: Sequence[Cell], sweep: Sweep, outcome: Outcome) -> None:
        ray = _ray()
        address = self._address()
        # On standard output Ray tells every error of every node.
        with interruptible(), Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
            _connect(ray, address)
            with interruptible():  # once more: Ray has set a handler of its own
                try:
                    task = ray.remote(do).options(**self._options(ray, todo[0].run, sweep, address))
                    self._work(ray, task, todo, outcome)
                finally:
                    ray.shutdown()

    def _options(self, ray: Any, run: Run, sweep: Sweep, address: str) -> dict[str, Any]:
        """The options of tasks. Raises :class:`Refused` if a cluster that does not grow has no room for one."""
        where = run.trainer
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        without = where.accelerator == "cpu" or not (where.accelerator == "gpu" or any("GPU" in one for one in nodes))
        gpus = 0.0 if without or not self.gpus else self.gpus if where.devices == 1 else float(where.devices)
        cpus = self.cpus * where.devices
        memory = self.memory * 10**9
        asked = {"CPU": cpus, "GPU": gpus, "memory": memory}
        room = sum(
            min((int(one.get(key, 0) / count) for key, count in asked.items() if count), default=0) for one in nodes
        )
        needs = f"{counted(cpus, 'CPU core')}, {gpus:g} GPU{'' if gpus == 1 else 's'}"
        needs += f" and {self.memory} GB" if self.memory else ""
        if room:
            where_to = counted(len(nodes), "node")
            say(f"{min(room, self.throttle or room)} at a time on {where_to} of Ray, each with {needs}")
        elif address == LOCAL:
            raise Refused(f"launcher=ray: a run takes {needs}, more than this machine has")
        else:
            say(f"a run takes {needs}, which no node of Ray has now: they wait until one has")
        own = slots.own_environment()
        return {
            "name": sweep.name,
            "num_cpus": cpus,
            "num_gpus": gpus,
            "memory": memory or None,
            "max_retries": self.retries,
            "retry_exceptions": [Lost],
            "runtime_env": {"env_vars": {key: own[key] for key in ("PYTHONPATH", "PYTHONSAFEPATH")}},
        }

    def _work(self, ray: Any, task: Any, todo: Sequence[Cell], outcome: Outcome) -> None:
        """Do the runs; ask those at work to save and stop if this process is asked to end."""
        waiting = batch_jobs.packed(todo, 1)
        running: dict[Any, list[Cell]] = {}
        try:
            with progress.shown("sweep", len(todo)) as shown:
                at_work, counted = 0, 0.0
                while waiting or running:
                    most = min(self.throttle or sys.maxsize, len(running) + AT_ONCE)
                    while waiting and len(running) < most:
                        cells = waiting.pop(0)
                        for cell in cells:
                            atomic.write(cell.paths.config, cell.run.model_dump_json(indent=1) + "\n")
                        running[task.remote(cells, os.getcwd(), self.cpus)] = cells
                    ended, _ = ray.wait(list(running), num_returns=len(running), timeout=LOOK_EVERY)
                    for one in ended:
                        _note(ray, one, running.pop(one), outcome)
                    if time.monotonic() - counted > COUNT_EVERY:
                        counted = time.monotonic()
                        at_work = sum(lease.holder(cells[0].paths.lease) is not None for cells in running.values())
                    shown(outcome.count, outcome.note(min(at_work, len(running))))
        except BaseException:
            _stop(ray, running)
            raise


def do(cells: Sequence[Cell], folder: str, threads: int) -> None:
    """What a task of Ray does: the runs of these cells, which need the same weights, one after another, as a sweep of
    one slot. ``folder`` is the working folder of the sweep.

    Raises :class:`Lost` if one of them leaves no record, and ``KeyboardInterrupt``, once they have saved, if the task
    was cancelled.
    """
    import ray

    context = ray.get_runtime_context()
    try:
        os.chdir(folder)
    except OSError as error:
        raise Lost(f"{folder}, where the sweep was started, is not seen from node {context.get_node_id()}") from error
    gpus = tuple(context.get_accelerator_ids().get("GPU", []))
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    outcome = Outcome()
    # When the task is begun again, those that have ended are left alone, whatever retry= and force= say.
    left = [cell for cell in cells if not _has_new_record(cell)]
    if left:
        pool.work(left, [Slot(gpus, threads)], outcome, copies=False)
    if outcome.undone:
        raise Lost(outcome.undone[0][1])


def _has_new_record(cell: Cell) -> bool:
    """Whether a run has left a record since it was begun, when its config is written. Both times are the file system's:
    nodes need not agree on the time.
    """
    try:
        return cell.paths.record.stat().st_mtime >= cell.paths.config.stat().st_mtime
    except OSError:
        return False


def _note(ray: Any, task: Any, cells: Sequence[Cell], outcome: Outcome) -> None:
    """Note how the runs of a task that has ended have ended."""
    lost = ""
    try:
        ray.get(task)
    except ray.exceptions.RayTaskError as error:
        lost = str(error.cause) if isinstance(error.cause, Lost) else f"its task failed: {_said(error.cause)}"
    except ray.exceptions.RayError as error:
        lost = f"Ray has given it up: {_said(error)}"
    end = time.monotonic() + (0 if lost else SEEN_AFTER)
    for cell in cells:
        while not cell.paths.record.exists() and time.monotonic() < end:
            time.sleep(LOOK_EVERY)
        since = cell.paths.config.stat().st_mtime
        outcome.ended(cell, since, lost or end_reason(cell, None), clean=not cell.run.force)


def _stop(ray: Any, running: Mapping[Any, object]) -> None:
    """Cancel tasks, whose runs then save and stop; end those that have not after a while, or on a second interrupt."""
    left = list(running)
    try:
        for task in left:
            ray.cancel(task)
        if left:
            _, left = ray.wait(left, num_returns=len(left), timeout=ENDS)
    except KeyboardInterrupt:
        pass
    for task in left:
        ray.cancel(task, force=True)


def _connect(ray: Any, address: str) -> None:
    """Connect to a cluster, or start one on this machine. Raises :class:`Refused`."""
    own = {"include_dashboard": False, "object_store_memory": OBJECTS} if address == LOCAL else {}
    say("starting Ray on this machine" if own else f"connecting to Ray at {address}")
    try:
        if place := ADDRESS.fullmatch(address):  # Ray itself tries for minutes
            socket.create_connection((place["host"].strip("[]"), int(place["port"])), CONNECTS).close()
        with _silent():
            ray.init(address=address, log_to_driver=False, logging_level=logging.CRITICAL, **own)
    except Exception as error:  # it raises whatever its parts raise
        what = "Ray cannot be started here" if own else f"no cluster of Ray at {address}"
        raise Refused(f"launcher=ray: {what}: {_said(error)}") from error


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Nothing is printed meanwhile, not even by what is written in C++."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _said(error: BaseException) -> str:
    """The first line of what Ray says of an error."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return one_line(lines[0] if lines else type(error).__name__)


def _ray() -> Any:
    os.environ.update(ENVIRONMENT)
    try:
        import ray
    except ImportError as error:
        raise Refused("launcher=ray needs the package ray: pip install 'length-generalization-harness[ray]'") from error
    return ray
