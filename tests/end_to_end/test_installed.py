"""The built wheel, installed elsewhere, works from any folder."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from support import QUICK, ROOT, environment


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel installed in it; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True, timeout=300)
    (site,) = (folder / "venv" / "lib").glob("*/site-packages")
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"harness", "tasks", "conf"}
    assert {"conf/encoding/rope.yaml", "harness/py.typed", "tasks/py.typed"} <= set(names)
    assert {f"harness/page/files/{path.name}" for path in (ROOT / "harness" / "page" / "files").iterdir()} <= set(names)
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--quiet",
        "--target",
        str(site),
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True, timeout=300)
    return folder / "venv"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A folder that holds a conf/ and a tasks/ of its own, and a file called like a module of Python's."""
    (tmp_path / "conf" / "encoding").mkdir(parents=True)
    (tmp_path / "conf" / "__init__.py").write_text("raise SystemExit('the wrong conf')\n")
    (tmp_path / "conf" / "run.yaml").write_text("wrong: true\n")
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "__init__.py").write_text("raise SystemExit('the wrong tasks')\n")
    (tmp_path / "logging.py").write_text("raise SystemExit('the wrong logging')\n")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("start", ["python -m harness", "script"])
def test_a_sweep_and_two_processes_from_a_folder_with_conf_and_tasks_of_its_own(
    start: str, installed: Path, foreign: Path
) -> None:
    env = environment()
    env.pop("PYTHONPATH", None)
    begin = [str(installed / "bin" / "python"), "-m", "harness"]
    if start == "script":
        (foreign / "harness.py").write_text("raise SystemExit('not the harness')\n")
        (script,) = installed.glob("lib/*/site-packages/bin/harness")
        begin = [begin[0], str(script)]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*begin, *arguments], cwd=foreign, env=env, capture_output=True, text=True, timeout=200)

    doctor = run("doctor")
    assert f"in {installed}/lib" in doctor.stdout, "the wheel is what runs"
    tiny = (*QUICK, "train.steps=10", "lengths.train=6", "lengths.test=12")
    for arguments in (
        ("-m", "seed=1,2", *tiny),
        ("seed=3", "trainer=ddp", "trainer.accelerator=cpu", *[t for t in tiny if t != "trainer=cpu"]),
    ):
        done = run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(list((foreign / "results" / "records").glob("*.json"))) == 3
    assert run("leaderboard", "--page", "page.html").returncode == 0
    assert "</html>" in (foreign / "page.html").read_text()
    assert run("encoding=ropee").returncode == 2


def test_tab_completion_answers(tmp_path: Path) -> None:
    line = "harness encoding=al"
    done = subprocess.run(
        [sys.executable, "-m", "harness", "-sc", "query=bash"],
        cwd=tmp_path, env=environment(COMP_LINE=line, COMP_POINT=str(len(line))), capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.split() == ["encoding=alibi"], done.stderr


@pytest.mark.slow
def test_hydra_shows_what_its_users_expect(tmp_path: Path) -> None:
    def show(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    job = show("--cfg", "job", "encoding=t5", "encoding.buckets=16")
    assert "buckets: 16" in job
    assert "hydra:" not in job
    assert show("--cfg", "job", "--package", "encoding").startswith("# @package encoding")
    assert "Defaults List" in show("--info", "defaults")
    assert "completion" in show("--hydra-help")
    assert show("--version").startswith("length-generalization-harness ")
    assert list(tmp_path.iterdir()) == [], "showing writes nothing"
