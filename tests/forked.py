"""Commands in processes of their own that need not load PyTorch first, which takes most of the time of a short run.

A server loads it once and is copied for each command (``forkserver`` of :mod:`multiprocessing`); what the copy executes
is ``python -m harness`` from its first line.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["harness.composition.compose", "harness.recipe"])


def run(
    arguments: tuple[str, ...], *, cwd: Path, env: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """What ``subprocess.run`` gives for ``python -m harness`` with these arguments."""
    with tempfile.TemporaryDirectory() as folder:
        said = [str(Path(folder, stream)) for stream in ("stdout", "stderr")]
        process = start(arguments, cwd=cwd, env=env, said=said)
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            raise subprocess.TimeoutExpired(arguments, timeout)
        return subprocess.CompletedProcess(arguments, process.exitcode, *(Path(path).read_text() for path in said))


def start(
    arguments: tuple[str, ...], *, cwd: Path, env: Mapping[str, str], said: Sequence[str] = (os.devnull, os.devnull)
) -> BaseProcess:
    """The same at work, its standard output and error going to two files."""
    process = CONTEXT.Process(target=_main, args=(arguments, str(cwd), dict(env), said))
    process.start()
    return process


def _main(arguments: tuple[str, ...], cwd: str, env: dict[str, str], said: Sequence[str]) -> None:
    for number, path in enumerate(said, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path.insert(0, cwd)  # as `python -m` does
    sys.argv = ["harness", *arguments]
    runpy.run_module("harness", run_name="__main__", alter_sys=True)
