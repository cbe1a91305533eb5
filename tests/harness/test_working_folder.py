"""The folder one happens to be in gives the program no code, but for packages that the user names."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import untrusted
from support import QUICK, environment
from untrusted import TRAP

TRAPS = ("hydra_plugins/x.py", "hydra_plugins/__init__.py", "tensorboard.py", "tensorboardX.py", "datasets.py",
         "torchvision.py", "IPython.py", "ipywidgets.py", "sitecustomize.py", "usercustomize.py", "yaml.py",
         "typing.py", "__future__.py", "wandb/__init__.py", "comet_ml.py", "lightning_habana.py", "hydra/__init__.py",
         "tasks/__init__.py", "harness.py", "numpy.py", "_distutils_hack.py", "matplotlib.py",
         "colorama.py")  # fmt: skip
"""Files of a working folder that Python or a library would import if it looked there."""


FIRST = ("harness.py", "tasks/__init__.py", "typing.py", "__future__.py", "yaml.py")
"""Of these, what Python itself takes from the working folder when it looks there first, before a line of ours."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return untrusted.folder(tmp_path, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "traps"),
    [
        (["-m", "harness"], [trap for trap in TRAPS if trap != "harness.py"]),
        (["-m", "harness.cli"], [trap for trap in TRAPS if trap not in FIRST]),
        (["-c", "import sys; del sys.path[0]; from harness.cli import main; sys.exit(main())"], TRAPS),  # the script
        (["-c", "import sys, harness; harness.run(*sys.argv[1:])"], TRAPS[:2]),  # a notebook, whose path is its own
    ],
    ids=["module", "cli", "script", "notebook"],
)
def test_nothing_of_the_working_folder_is_imported(start: list[str], traps: Sequence[str], tmp_path: Path) -> None:
    for trap in traps:
        path = tmp_path / trap
        path.parent.mkdir(exist_ok=True)
        path.write_text(TRAP.format(path=str(tmp_path / f"PWNED-{trap.replace('/', '-')}")))
    run = [*QUICK, "train.steps=2", "lengths.train=3", "lengths.test=5", "logger=[csv,tensorboard]"]
    env = environment()
    env.pop("PYTHONPATH", None)
    composing = {"harness": (run, ["leaderboard"], ["-sc", "query=bash"], ["--help"])}.get(
        start[1], (["--cfg", "job"],)
    )
    for arguments in composing if len(traps) > 2 else (run,):
        words = [sys.executable, *start, *arguments]
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0 or "-sc" in arguments, done.stderr
    assert list(tmp_path.glob("PWNED-*")) == []


def test_hydra_of_a_program_around_this_one_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    from hydra.core.plugins import Plugins
    from hydra.core.singleton import Singleton

    from harness.composition.isolation import isolated

    theirs = object()
    monkeypatch.setitem(Singleton._instances, Plugins, theirs)
    with isolated():
        assert Plugins.instance() is not theirs
        with isolated():
            pass
        with pytest.raises(ImportError):
            import hydra_plugins  # type: ignore[import-not-found]  # noqa: F401
    assert Singleton._instances[Plugins] is theirs


def test_the_working_folder_gives_named_packages_alone(folder: Path) -> None:
    code = (
        "import sys\nfrom harness.config import user_packages\nuser_packages.make_importable(['named'])\nimport named\n"
        "try:\n    import beside\nexcept ImportError:\n    print('not found')\n"
    )
    (folder / "named.py").write_text("")
    env = {**os.environ, "PYTHONSAFEPATH": "1"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=env, capture_output=True, text=True)
    assert done.stdout == "not found\n", done.stderr
