"""The command line: ``python -m harness key=value ...`` runs, ``python -m harness show|doctor|leaderboard ...`` are the
other commands.

Nothing heavier than Hydra is imported here: PyTorch is loaded only when a run has been validated.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness import commands
from harness.errors import Refused
from harness.files import user_paths
from harness.progress import say
from harness.system import distributed, faults, lifeline, signals, waiting
from harness.system.signals import INTERRUPTED

if TYPE_CHECKING:
    from harness.composition.compose import Composer
    from harness.config.schema import Run
    from harness.results.records import Record

HYDRA_SHOWS = ("hydra_help", "info", "shell_completion")
"""Hydra's own flags, which print information about Hydra and run nothing."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute the command line and return the exit code: 0 done, 1 failed, 2 refused, 3 not done because of this
    machine, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    waiting.wait_briefly()
    try:
        _check_own_tasks()
        return _dispatch(arguments)
    except Refused as refusal:
        if os.environ.get("HYDRA_FULL_ERROR"):
            raise
        if isinstance(refusal.__cause__, OSError) and (explained := faults.explain(refusal.__cause__)) is not None:
            return _not_done(explained, arguments)
        print(f"error: {refusal}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if os.environ.get("HYDRA_FULL_ERROR"):
            raise
        if (explained := faults.explain(error)) is not None:
            return _not_done(explained, arguments)
        if not isinstance(error, OSError):
            raise
        said = Refused(f"{error.filename or 'the system'}: {error.strerror or error}")
        say(f"error: {said}")
        return 2
    except KeyboardInterrupt:
        say(f"interrupted: {_resumption(arguments)}")
        return INTERRUPTED


def _not_done(explained: str, arguments: Sequence[str]) -> int:
    say(f"error: not done because of this machine: {Refused(explained)}. Then {_resumption(arguments)}")
    return faults.NOT_DONE


def _resumption(arguments: Sequence[str]) -> str:
    from harness.launch.sweep import resumption

    return resumption(arguments)


def _commands() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(commands.__path__)]


def _dispatch(arguments: list[str]) -> int:
    if arguments and arguments[0] in _commands():
        command: Any = importlib.import_module(f"harness.commands.{arguments[0]}")
        return command.main(arguments[1:])
    if arguments[:1] == ["--job"]:
        return _job(arguments[1:])
    if arguments[:1] == ["--batch-job"]:
        return _batch_job(arguments[1:])
    if arguments[:1] == ["--members"]:
        return _members(arguments[1:])
    if arguments[:1] == ["--copies"]:
        return _copies(arguments[1:])
    if arguments == ["--version"]:
        print(f"length-generalization-harness {harness.__version__}")
        return 0
    from hydra._internal.utils import get_args_parser

    from harness.composition.arguments import Parser

    parser = Parser(parents=[get_args_parser()], add_help=False, prog="python -m harness")
    parser.add_argument("--dry-run", action="store_true", help="print what would run and how long it may take")
    parsed = parser.read(arguments)
    if parsed.help and parsed.overrides:
        from harness.commands.ls import print_listing
        from harness.config.catalogue import GROUPS

        if (first := parsed.overrides[0]) in _commands() and first not in GROUPS:
            return _dispatch([first, "--help"])
        print_listing(parsed.overrides, parsed.config_dir)
        return 0
    if parsed.help:
        from harness.composition.help import page

        meanings = {name: importlib.import_module(f"harness.commands.{name}").__doc__ or "" for name in _commands()}
        print(page({name: text.strip().splitlines()[0] for name, text in meanings.items()}, parsed.config_dir))
        return 0
    if parsed.config_path or parsed.config_name or parsed.experimental_rerun or parsed.run:
        raise Refused(
            "--config-path, --config-name, --experimental-rerun and --run are not for this program; "
            "--config-dir adds choices of your own"
        )
    from harness import declarations
    from harness.composition.compose import composer

    with composer([] if parsed.config_dir is None else [parsed.config_dir]) as hydra:
        if parsed.cfg:
            from harness.composition.printed_config import configs

            for document in configs(hydra, parsed):
                sys.stdout.write(document)
            return 0
        if any(getattr(parsed, name) for name in HYDRA_SHOWS):
            if parsed.info:
                hydra.check(parsed.overrides)
        elif parsed.multirun or hydra.multirun(parsed.overrides):
            _log_to_standard_error()
            attempts = hydra.attempts(parsed.overrides)
            from harness.composition import searches

            return searches.main(hydra, attempts, arguments, dry=parsed.dry_run)
        else:
            run = hydra.run(parsed.overrides)
            if parsed.dry_run:
                return _planned([(parsed.overrides, run)])
            if not declarations.lookup(run.launcher.target).attributes["elsewhere"]:
                return _run(run, lambda record, path: _print_next_steps(hydra, parsed, run, record, path))
            from harness.launch.sweep import sweep

            return sweep([(parsed.overrides, run)], arguments)
    return _shown_by_hydra(arguments)


def _planned(attempts: Sequence[tuple[list[str], Run | Refused]]) -> int:
    from harness.launch.plan import print_plan

    print_plan(attempts)
    return 0


def _run(run: Run, afterwards: Callable[[Record, Path], None] = lambda record, path: None) -> int:
    """Do a run, print what it has found, and then what ``afterwards`` makes of its record."""
    world = distributed.this_process(run.trainer.devices, run.trainer.nodes)  # refused before anything is written
    with signals.interruptible(final=True):
        lifeline.watch_parent(signals.exit_now if world.rank else signals.request_end)
        return _finish(run, afterwards, agreed=world.port > 0)


def _finish(run: Run, afterwards: Callable[[Record, Path], None], *, agreed: bool) -> int:
    """``agreed``: other processes wait for what this one finds (:mod:`harness.training.agreement`)."""
    _log_to_standard_error()
    from harness.launch import slots
    from harness.results import finished
    from harness.results.report import print_report

    paths = finished.paths_of(run)
    record = None if agreed else finished.existing_record(run, paths)
    if record is None:
        slots.check_devices(run)
        user_paths.check_folder(Path(run.results) / "records", f"results={run.results}")
        from harness.recipe import execute

        _set_threads(run)
        record = execute(run)
    if record is None:
        return 0
    if record.status == "failed":
        say(f"failed: {record.reason}\nrecord {paths.record}, details {paths.log}")
        return 1
    print_report(record)
    print(f"record {paths.record}")
    afterwards(record, paths.record)
    return 0


def _print_next_steps(hydra: Composer, parsed: Namespace, run: Run, record: Record, path: Path) -> None:
    """On a terminal, commands that make sense now."""
    if not sys.stdout.isatty():
        return
    from harness.composition.next_steps import commands

    options = [] if parsed.config_dir is None else ["--config-dir", parsed.config_dir]
    print("\nwhat could come next")
    for command, meaning in commands(hydra, parsed.overrides, run, record, path, options):
        print(f"  # {meaning}\n  {command}")


def _set_threads(run: Run) -> None:
    if isinstance(threads := run.launcher.options.get("threads"), int) and threads:
        import torch

        torch.set_num_threads(threads)


def _job(words: list[str]) -> int:
    """A run of a sweep, from its config file and the settings that the sweep adds."""
    if not words or any("=" not in word for word in words[1:]):
        raise Refused("--job takes one file, which a sweep writes, and words such as results=DIR packages=[mine]")
    return _run(_of_sweep(words[0], words[1:]))


def _members(words: list[str]) -> int:
    """The training of several runs of a sweep as one program, from their config files."""
    count = int(words[0]) if words and words[0].isdecimal() and len(words[0]) < 6 else 0
    if not 0 < count < len(words) or any("=" not in word for word in words[count + 1 :]):
        raise Refused("--members takes a number, as many files, which a sweep writes, and words such as results=DIR")
    runs = [_of_sweep(file, words[count + 1 :]) for file in words[1 : count + 1]]
    with signals.interruptible(final=True):
        lifeline.watch_parent(signals.request_end)
        _log_to_standard_error()
        from harness.runs.members import train_together

        _set_threads(runs[0])
        train_together(runs)
    return 0


def _of_sweep(file: str, words: Sequence[str]) -> Run:
    from harness.config import saved_configs

    return saved_configs.job(file, words)


def _batch_job(words: list[str]) -> int:
    """The runs of one job of a batch system, from the file that was written when it was submitted."""
    from harness.launch import batch_jobs

    if len(words) != 1:
        raise Refused("--batch-job takes one file, which a launcher writes")
    _log_to_standard_error()
    return batch_jobs.do(Path(words[0]))


def _copies(words: list[str]) -> int:
    """The process that the runs of a sweep are copies of; in a copy, the run."""
    from harness.launch import warm

    if len(words) != 1 or not words[0].isdigit() or not warm.is_socket(int(words[0])):
        raise Refused("--copies takes the number of a socket, which a sweep opens")
    job = warm.copies(int(words[0]), lambda: importlib.import_module("harness.recipe"))
    return 0 if job is None else main(job)


def _log_to_standard_error() -> None:
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("harness").setLevel(logging.INFO)


def _shown_by_hydra(arguments: Sequence[str]) -> int:
    import hydra

    from harness.composition.isolation import isolated
    from harness.config.catalogue import CONF

    sys.argv = [sys.argv[0], *arguments]
    with isolated():
        hydra.main(config_path=str(CONF), config_name="run", version_base="1.3")(lambda config: None)()
    return 0


def _check_own_tasks() -> None:
    import tasks

    ours = Path(harness.__file__).resolve().parents[1]
    theirs = Path(tasks.__file__ or "").resolve().parents[1]
    if ours != theirs:
        raise Refused(
            f"another package called tasks, in {theirs}, hides the one of the harness: "
            "start the program from another folder"
        )


if __name__ == "__main__":
    import runpy

    runpy.run_module("harness", run_name="__main__", alter_sys=True)  # which leaves the working folder alone
