"""Gives Lightning the ranks of the distributed processes, which it would otherwise guess from the environment."""

from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.trainer.connectors.signal_connector import _SignalConnector

from harness.system.distributed import World


class ProcessEnvironment(ClusterEnvironment):
    """The rank of this process, known beforehand. Lightning starts no other processes."""

    creates_processes_externally = True

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        # Lightning reads it from the environment when it is imported.
        rank_zero_only.rank = world.rank  # type: ignore[attr-defined]

    @property
    def main_address(self) -> str:
        return self.world.address

    @property
    def main_port(self) -> int:
        return self.world.port

    @staticmethod
    def detect() -> bool:
        return False

    def world_size(self) -> int:
        return self.world.size

    def set_world_size(self, size: int) -> None:
        return

    def global_rank(self) -> int:
        return self.world.rank

    def set_global_rank(self, rank: int) -> None:
        return

    def local_rank(self) -> int:
        return self.world.local_rank

    def node_rank(self) -> int:
        return self.world.node


class NoSignalConnector(_SignalConnector):
    """Leaves signals to :mod:`harness.system.signals`. Lightning's own handler stops only some of the processes, and
    under Slurm it writes into the working folder and requeues the job.
    """

    def register_signal_handlers(self) -> None:
        self.received_sigterm = False
