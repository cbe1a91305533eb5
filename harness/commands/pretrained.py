"""Find out which test-time extension suits a pretrained model: tests without training, one table, one figure.

python -m harness pretrained /models/llama
python -m harness pretrained /models/llama --longest 32768 --tasks text,passkey,needle_multikey
python -m harness pretrained gpt2 --extensions truncate,hierarchical 'task.files=["book/*.txt"]'

Text is scored in bits per byte, needles by exact match given the length of the answer; everything is in the model's
own tokens. Each task is one run, whose record can be shown, compared and ranked as any other; further words of the
command line, such as trainer=gpu, hold for all of them.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.composition.arguments import Parser
from harness.errors import Refused
from harness.files import user_paths
from harness.progress import fitted, say
from harness.system import lifeline, signals

if TYPE_CHECKING:
    from harness.composition.extension_tests import Saved
    from harness.config.schema import Run
    from harness.results.records import Record

TIMES = 4
"""The longest tested length over the length of the pretraining, unless it is given."""


def main(arguments: list[str]) -> int:
    parser = Parser(
        prog="python -m harness pretrained", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "words", nargs="*", metavar="MODEL [KEY=VALUE]", help="a folder or a name on the Hub, and words"
    )
    parser.add_argument("--trained", type=int, help="tokens of its pretraining (default: what its config.json states)")
    parser.add_argument("--longest", type=int, help=f"the longest tested length (default: {TIMES} times that)")
    parser.add_argument("--tasks", default="text,passkey", help="text, passkey, needle, needle_multikey, ...")
    parser.add_argument("--extensions", help="those to be tried, such as ntk,yarn (default: one of each kind)")
    parser.add_argument("--examples", type=int, default=64, help="examples of each length")
    parser.add_argument("--figures", help="folder of the figure (default: figures/ in the folder of results)")
    parser.add_argument("--style", choices=("paper", "slides"), default="paper", help="the size of the figure")
    parser.add_argument("--dry-run", action="store_true", help="print what would run and how long it may take")
    parsed = parser.read(arguments)
    models = [word for word in parsed.words if "=" not in word]
    further = [word for word in parsed.words if "=" in word]
    if len(models) != 1:
        raise Refused("name one model: a folder with config.json, tokenizer.json and safetensors, or a name on the Hub")
    from harness.composition import extension_tests
    from harness.composition.compose import composer

    tasks = [name for name in parsed.tasks.split(",") if name]
    extension_tests.check_tasks(tasks)
    local = "architecture.local_files_only=true" in further
    network = extension_tests.saved(models[0], parsed.trained, local_files_only=local)
    longest = parsed.longest or TIMES * network.context
    if longest <= network.context:
        raise Refused(f"--longest {longest}: the model was made for {network.context} tokens, and extensions go beyond")
    if sys.stderr.isatty():
        say("texts are cut into the tokens of the network, which may take a while")
    with composer() as hydra:
        chosen = [name for name in (parsed.extensions or "").split(",") if name] or extension_tests.possible(
            hydra, network, tasks, longest, parsed.examples, further
        )
        runs = [extension_tests.run(hydra, network, task, longest, chosen, parsed.examples, further) for task in tasks]
    if parsed.dry_run:
        from harness.launch.plan import print_plan

        cells = [([f"task={run.task.name}", f"extension=[{','.join(run.extension)}]"], run) for run in runs]
        print_plan(cells, alone=True)
        return 0
    records = [_done(run) for run in runs]
    _print(network, records)
    folder = Path(
        user_paths.expanded(parsed.figures, "--figures ") if parsed.figures else Path(runs[0].results, "figures")
    )
    for path in _draw(records, network, folder, parsed.style):
        print(f"figure {path}")
    return 0


def _done(run: "Run") -> "Record":
    """The record of a run, which is done unless it has finished before."""
    from harness.launch import slots
    from harness.results import finished

    paths = finished.paths_of(run)
    record = finished.existing_record(run, paths)
    if record is None:
        say(f"{run.task.name}: {', '.join(run.extension)}")
        slots.check_devices(run)
        with signals.interruptible(final=True):
            lifeline.watch_parent(signals.request_end)
            from harness.recipe import execute

            record = execute(run)
    if record is None:
        raise Refused(f"{run.task.name}: another process has done this run: try again")
    if record.status == "failed":
        raise Refused(f"{run.task.name}: {record.reason} (details {paths.log})")
    return record


def _print(network: "Saved", records: "Sequence[Record]") -> None:
    from harness.results import extension_choice
    from harness.results.report import table

    print(f"{network.folder.resolve().name}, made for {network.context} tokens (* below)")
    for record in records:
        heading = f"\n{record.task.name}: {extension_choice.measured(record)}, 95 % interval"
        for part in extension_choice.by_extension(record):
            table(heading, part.columns, part.rows, left=1)
            heading = f"\n{record.task.name}, longer"
    print()
    for record in records:
        if (found := extension_choice.best(record)) is None:
            continue
        alike = f"; at length {found.length} not told from it: {', '.join(found.alike)}" if found.alike else ""
        said = f"best on average beyond {network.context} is {found.name}{alike}"
        print(fitted(f"{record.task.name}: {said if found.mean else f'nothing is right beyond {network.context}'}"))
    for record in records:
        print(f"record {record.name}", file=sys.stderr)


def _draw(records: "Sequence[Record]", network: "Saved", folder: Path, style: str) -> list[Path]:
    from harness.figures import extensions
    from harness.figures.files import UNDATED, file_stem, save_figure
    from harness.figures.styles import STYLES
    from harness.results import frames, tables

    user_paths.make_folder(folder, f"--figures {folder}")
    drawn = extensions.draw(
        [tables.curves(frames.of([record])) for record in records], network.folder.name, STYLES[style]
    )
    stem = f"pretrained-{file_stem(network.folder.resolve().name)}"
    return save_figure(drawn, folder, stem, STYLES[style], tuple(UNDATED))
