"""A real Slurm on this machine."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from slurm_cluster import queued, until
from support import environment

PROGRAMS = ("slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "munged")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a shell on a cluster of one node, whose Slurm is started for these tests."""
    pytest.importorskip("submitit", reason="launcher=slurm needs submitit")
    if os.geteuid() != 0:
        pytest.skip("only root can start a Slurm cluster")
    if missing := [program for program in PROGRAMS if shutil.which(program) is None]:
        pytest.skip(f"Debian's packages slurm-wlm and munge are not installed: there is no {', '.join(missing)}")
    folder = tmp_path_factory.mktemp("slurm")
    script = str(Path(__file__).with_name("cluster.sh"))
    started = subprocess.run([script, "up", str(folder)], capture_output=True, text=True, timeout=120)
    if started.returncode:
        pytest.skip(f"no Slurm cluster can be started here: {started.stderr.strip()}")
    try:
        yield {**environment(), "SLURM_CONF": str(folder / "slurm.conf")}
    finally:
        own = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        subprocess.run(["scancel", "--me"], env=own, timeout=60)
        until(lambda: not queued(own))  # what is at work needs its Slurm to end
        subprocess.run([script, "down", str(folder)], timeout=60)
