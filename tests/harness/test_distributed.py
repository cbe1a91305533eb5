"""One device is one process whatever the environment says; several are agreed upon or refused."""

import os

import pytest

from harness.errors import Refused
from harness.system import distributed
from harness.system.distributed import World

LEFT_OVER = [
    {"LOCAL_RANK": "1"},
    {"NODE_RANK": "1"},
    {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1", "MASTER_ADDR": "far", "MASTER_PORT": "1"},
    {"SLURM_NTASKS": "4"},
    {"SLURM_NTASKS": "2", "SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_NODEID": "0", "SLURM_JOB_ID": "7"},
    {"TORCHELASTIC_RUN_ID": "7", "TORCHELASTIC_USE_AGENT_STORE": "True", "GROUP_RANK": "1"},
    {"LSB_JOBID": "1", "LSB_DJOB_RANKFILE": "x", "JSM_NAMESPACE_SIZE": "2", "JSM_NAMESPACE_LOCAL_RANK": "1"},
    {"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"},
    {"PMI_RANK": "1", "PMI_SIZE": "2"},
]

STEP = {
    "SLURM_STEP_NUM_TASKS": "2",
    "SLURM_NTASKS": "2",
    "SLURM_STEP_TASKS_PER_NODE": "2",
    "SLURM_STEP_NUM_NODES": "1",
    "SLURM_NODEID": "0",
    "SLURM_PROCID": "0",
    "SLURM_LOCALID": "0",
}
"""What srun sets for the first of two tasks on one node."""


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in list(os.environ):
        if distributed.is_launcher_variable(name):
            monkeypatch.delenv(name)
    return monkeypatch


def put(variables: pytest.MonkeyPatch, values: dict[str, str]) -> None:
    for name, value in values.items():
        variables.setenv(name, value)


@pytest.mark.parametrize("values", LEFT_OVER)
def test_one_device_is_one_process_and_no_library_sees_another(
    values: dict[str, str], variables: pytest.MonkeyPatch
) -> None:
    put(variables, values)
    assert distributed.this_process(1) == World()
    before = dict(os.environ)
    with distributed.launcher_variables_hidden(distributed.this_process(1)):
        assert not set(values) & set(os.environ)
        os.environ["MASTER_PORT"] = "3"  # as PyTorch does when processes meet
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, World(0, 0, 2)),
        ({"SLURM_NTASKS": "4"}, World(0, 0, 2)),  # in an allocation of four tasks, outside srun
        ({"SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_LOCALID": "0"}, World(0, 0, 2)),  # the script of a batch job
        ({"SLURM_NTASKS": "1", "SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, World(0, 0, 2)),
        (
            {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"},
            World(1, 1, 2, "127.0.0.1", 29500),
        ),
        (
            {"LOCAL_RANK": "1", "NODE_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "here", "MASTER_PORT": "29500"},
            World(1, 1, 2, "here", 29500),
        ),
        (
            {**STEP, "SLURM_PROCID": "1", "SLURM_LOCALID": "1", "SLURM_JOB_ID": "10"},
            World(1, 1, 2, "127.0.0.1", 20310),
        ),
    ],
)
def test_the_place_among_two(values: dict[str, str], expected: World, variables: pytest.MonkeyPatch) -> None:
    put(variables, values)
    assert distributed.this_process(2) == expected


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"LOCAL_RANK": "1"}, "LOCAL_RANK=1 is set .* but not WORLD_SIZE, MASTER_ADDR, MASTER_PORT: unset it"),
        ({"NODE_RANK": "1"}, "NODE_RANK=1 is set"),
        (
            {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1"},
            "trainer.devices=2, but the environment speaks of 4 processes",
        ),
        (
            {"RANK": "2", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"},
            "process 2 of 2",
        ),
        (
            {"RANK": "x", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"},
            "RANK='x' in the environment is not a number",
        ),
        ({**STEP, "SLURM_STEP_TASKS_PER_NODE": "3"}, "srun runs 3 tasks on its nodes: give srun --nodes=1"),
        ({**STEP, "SLURM_STEP_TASKS_PER_NODE": "1(x2)"}, r"srun runs 1\(x2\) tasks on its nodes"),
        ({**STEP, "SLURM_PROCID": "2", "SLURM_LOCALID": "0"}, "process 2 of 2"),
        ({"SLURM_PROCID": "1", "SLURM_STEP_NUM_TASKS": "2"}, "does not say which process this is"),
        ({"OMPI_COMM_WORLD_SIZE": "2", "OMPI_COMM_WORLD_RANK": "1"}, "mpirun started 2 processes"),
    ],
)
def test_a_disagreement_is_refused(values: dict[str, str], said: str, variables: pytest.MonkeyPatch) -> None:
    put(variables, values)
    with pytest.raises(Refused, match=said):
        distributed.this_process(2)


def test_two_machines_of_two_devices_under_srun_and_torchrun(variables: pytest.MonkeyPatch) -> None:
    put(
        variables,
        {
            **STEP,
            **{"SLURM_STEP_NUM_TASKS": "4", "SLURM_NTASKS": "4", "SLURM_STEP_TASKS_PER_NODE": "2(x2)"},
            **{"SLURM_STEP_NUM_NODES": "2", "SLURM_PROCID": "3", "SLURM_LOCALID": "1", "SLURM_NODEID": "1"},
            **{"SLURM_NODELIST": "node[07-08]", "SLURM_JOB_ID": "10", "SLURM_STEP_ID": "2"},
        },
    )
    assert distributed.this_process(2, 2) == World(3, 1, 4, "node07", 20312, 1)
    with pytest.raises(Refused, match="but srun runs"):
        distributed.this_process(4)
    torchrun = {"RANK": "2", "LOCAL_RANK": "0", "GROUP_RANK": "1", "WORLD_SIZE": "4", "MASTER_PORT": "5"}
    put(variables, {**torchrun, "MASTER_ADDR": "far"})
    assert distributed.this_process(2, 2) == World(2, 0, 4, "far", 5, 1), "torchrun is used inside Slurm too"


def test_several_machines_need_a_launcher(variables: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match="srun --nodes=2 --ntasks-per-node=4 python -m harness"):
        distributed.this_process(4, 2)
