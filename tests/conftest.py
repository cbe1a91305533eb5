"""Fixtures that several tests need."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side; read when PyTorch is loaded

import forked
import golden_cases
import pytest
from hypothesis import settings
from support import environment

from harness import declarations
from harness.composition.compose import composer
from harness.config import user_packages
from harness.config.schema import Run
from harness.system.waiting import wait_briefly

wait_briefly()  # as every program of the harness does, once

settings.register_profile("random", deadline=None)  # a busy machine fails no test
settings.register_profile("same", settings.get_profile("random"), derandomize=True)  # judges a change by itself
settings.load_profile("same")

OF_TERMINALS = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGQUIT: signal.SIG_DFL,
    signal.SIGHUP: signal.SIG_DFL,
}
"""Signals that are ignored in a shell's background or under nohup, where programs under test would inherit that."""
for number, handler in OF_TERMINALS.items():
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, handler)


OF_LIBRARIES = (
    "PYTEST_", "TORCH_", "TORCHINDUCTOR_", "_TORCHINDUCTOR_", "PYTORCH_", "TRITON_", "KMP_", "CUBLAS_", "NCCL_", "RAY_",
    "WANDB_SERVICE",
)  # fmt: skip
"""How the names of variables begin that pytest and libraries set for as long as the process lives."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--write-digests", action="store_true", help="pin the data of tasks that are new or have new options"
    )
    parser.addoption("--write-parity", action="store_true", help="write tests/golden/parity.csv, for docs/encodings.md")


FAST_CASES = 4
"""Cases of one test that the fast tier has, spread evenly over all. The whole suite has every one, and so has what is
asked for by name, with ``-k``: who adds a task or an encoding tries everything that concerns it.
"""


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.keyword:
        return
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow") is None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    for of_one in cases.values():
        kept = {len(of_one) * number // FAST_CASES for number in range(FAST_CASES)}
        for number, item in enumerate(of_one):
            if len(of_one) > FAST_CASES and number not in kept:
                item.add_marker(pytest.mark.slow)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if session.config.getoption("--write-parity") and exitstatus == 0:
        golden_cases.write_measured()


@pytest.fixture(autouse=True)
def seeded() -> None:
    """The same random numbers in a test whatever ran before it, in whichever process."""
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(autouse=True)
def no_variables_remain() -> Iterator[None]:
    """What a test or the code under it leaves in the environment would reach the programs that later tests start."""

    def own() -> dict[str, str]:
        return {name: value for name, value in os.environ.items() if not name.startswith(OF_LIBRARIES)}

    before = own()
    yield
    after = own()
    changed = {name: after.get(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert not changed, f"this is left in the environment: {changed}"


@pytest.fixture(autouse=True)
def no_modules_remain(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test imports from its own folder is not there for the next one, whose package may have the same name."""
    folder = str(request.getfixturevalue("tmp_path")) if "tmp_path" in request.fixturenames else None
    yield
    if folder is None:
        return

    def is_own(place: str) -> bool:
        return bool(place) and str(Path(folder, place)).startswith(folder)  # relative ones are those of its folder

    sys.path[:] = [place for place in sys.path if not is_own(place)]
    named = user_packages._named.folders
    for name in [name for name, places in named.items() if any(map(is_own, places))]:
        del named[name]
    own = [
        name
        for name, module in sys.modules.items()
        if isinstance(module, ModuleType) and any(is_own(place) for place in _places(module))
    ]
    for name in own:
        del sys.modules[name]
    if own:
        declarations.lookup.cache_clear()


def _places(module: ModuleType) -> list[str]:
    """The file of a module and the folders of a package. Not by its attributes: some of PyTorch have any."""
    said = vars(module)
    return [said.get("__file__") or "", *map(str, said.get("__path__") or ())]


@pytest.fixture(scope="session")
def composed() -> Iterator[Callable[..., Run]]:
    """Composes a validated run."""
    with composer() as hydra:
        yield lambda *overrides: hydra.run(overrides)


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs ``python -m harness`` in a process and a folder of its own."""

    def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return forked.run(arguments, **{"cwd": tmp_path, "timeout": 300, "env": environment(), **options})

    return run


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder where things happen to a sweep, and one for the same sweep without them."""
    here, undisturbed = tmp_path / "here", tmp_path / "undisturbed"
    here.mkdir()
    undisturbed.mkdir()
    return here, undisturbed
