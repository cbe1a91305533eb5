"""The ways of six users, from an empty folder on: how many commands, seconds of CPU and lines each takes.

    python benchmarks/personas.py [NAME ...] [--rounds 1] [--page]

Every command is a new interpreter, and every way has a new folder. Networks and budgets are those of a test, so seconds
are what the program adds to training. ``--page`` writes docs/personas.md. The exit code is 1 if a command ends
otherwise than it should, or if a limit is not held that is no matter of speed.
"""

import argparse
import datetime
import os
import platform
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
SMALL = "model=nano train=quick train.steps=20 lengths.train=6 lengths.test=12 trainer=cpu launcher.threads=1"
"""Added to every training."""

LIMITED = ("finished cell", "refusal")
HELP_LINES, COLUMNS, SECONDS, OWN_COMMANDS = 60, 80, 1.5, 4

HEAD = """\
# The ways of six users

What each has to type, and what it costs, is counted by `python benchmarks/personas.py --page`, which writes this page.
Every command is a new interpreter, which loads everything anew. Networks and budgets are those of a test, so the
seconds are what the program adds to training; commands stand here without that budget, and without `python -m harness`
before them.

Limits: `--help` fits 60 lines of 80 columns; a refusal and a finished run are told within 1.5 seconds of CPU; an own
encoding and task in an own folder take four commands. {late}

{machine}; rounds: {rounds}, on one thread of a shared and busy machine.
"""


class Step(NamedTuple):
    """A command as it is typed after ``python -m harness``, and its exit code. ``kind`` says which limit holds for it,
    ``added`` what the page leaves out.
    """

    words: str
    code: int = 0
    kind: str = ""
    added: str = ""


class Way(NamedTuple):
    """What a user wants, and the commands that lead there. ``before`` prepares the folder and is not counted."""

    user: str
    wants: str
    steps: tuple[Step, ...]
    before: Callable[[Path], None] = lambda folder: None


class Cost(NamedTuple):
    """Of one command: seconds of CPU with those of its children, lines printed, the longest of them, the exit code."""

    seconds: float
    lines: int
    columns: int
    code: int


def training(words: str, kind: str = "") -> Step:
    """A training, made small."""
    return Step(words, 0, kind, SMALL)


def published(folder: Path) -> None:
    """Records of others, as a download of the repository has them."""
    for name in ("core", "huang2025"):
        shutil.copytree(ROOT / "results" / name, folder / "results" / name)


def saved_network(folder: Path) -> None:
    """A Llama of random weights in the library's format, with a tokenizer of bytes, and texts."""
    import tokenizers
    import transformers

    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = transformers.LlamaConfig(vocab_size=300, max_position_embeddings=512, **sizes)
    transformers.LlamaForCausalLM(config).save_pretrained(folder / "llama")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel()
    letters = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(["a text"], tokenizers.trainers.BpeTrainer(initial_alphabet=letters))
    tokenizer.save(str(folder / "llama" / "tokenizer.json"))
    (folder / "texts").mkdir()
    for number in range(24):
        (folder / "texts" / f"{number}.txt").write_text(f"This is text number {number}. " * 200)


TESTED = "--longest 1024 --examples 4 --extensions extrapolate,yarn trainer=cpu"
"""Added to tests of a saved network."""
MODEL = "architecture=huggingface architecture.name_or_path=llama architecture.tokens=fresh"
WAYS = {
    "student": Way(
        "a student",
        "a first run, what it means, and the next question",
        (
            Step("--help", kind="help"),
            Step("ls encodings rotary"),
            Step("show task=copy"),
            training("encoding=rope task=copy"),
            training("encoding=rope task=copy", "finished cell"),
            Step("encoding=ropee task=copy", 2, "refusal"),
            training("-m encoding=rope,alibi task=copy"),
            Step("leaderboard --columns method,score,converged"),
        ),
    ),
    "researcher": Way(
        "a researcher with her own encoding",
        "her own encoding and task, in her own folder",
        (
            Step("new encoding far", kind="own"),
            Step("new task pairs", kind="own"),
            Step("check far", kind="own"),
            training("encoding=far task=pairs", "own"),
        ),
    ),
    "engineer": Way(
        "a lab's engineer",
        "a sweep planned, run, watched and repeated",
        (
            Step("doctor"),
            Step("study=core --dry-run"),
            Step("-m encoding=rope,alibi task=copy launcher=slurm launcher.partitoin=gpu", 2, "refusal"),
            training("-m encoding=rope,alibi task=copy seed=0,1"),
            training("-m encoding=rope,alibi task=copy seed=0,1"),
            Step("status"),
        ),
    ),
    "reviewer": Way(
        "a reviewer",
        "whether published numbers are what they say",
        (
            Step("verify results/core"),
            Step("leaderboard results/core --columns method,score,score_low,score_high,seeds,converged"),
            Step("study huang2025 results/huang2025"),
            Step("leaderboard results/nowhere", 2, "refusal"),
        ),
        published,
    ),
    "pretrained": Way(
        "somebody with a pretrained model",
        "which extension goes furthest",
        (
            Step("ls extension"),
            Step("pretrained llama 'task.files=[texts/*.txt]' --dry-run", added=TESTED),
            Step("pretrained llama 'task.files=[texts/*.txt]'", added=TESTED),
            Step(f"{MODEL} encoding=pretrained_rotray task=copy", 2, "refusal"),
        ),
        saved_network,
    ),
    "maintainer": Way(
        "the maintainer of a leaderboard",
        "a submission checked, the tables and the page",
        (
            Step("verify results/core"),
            Step("leaderboard results/core --output tables"),
            Step("leaderboard results/core --page leaderboard.html --output tables"),
            Step("compare results/core --baseline rope"),
        ),
        published,
    ),
}


def words_of(step: Step) -> list[str]:
    """The arguments, with the small budget, of which what the command itself sets is left out."""
    own = shlex.split(step.words)
    keys = {word.partition("=")[0] for word in own}
    return [*own, *(word for word in step.added.split() if word.partition("=")[0] not in keys)]


def cost(folder: Path, words: Sequence[str]) -> Cost:
    """What a command costs in a folder."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("HARNESS_", "WANDB"))}
    env |= {"OMP_NUM_THREADS": "1", "COLUMNS": str(COLUMNS), "PYTHONPATH": str(ROOT)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "harness", *words]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = (done.stdout + done.stderr).splitlines()
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(seconds, len(lines), max(map(len, lines), default=0), done.returncode)


def walked(way: Way) -> list[Cost]:
    """What each command of a way costs, in a new folder."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        way.before(folder)
        return [cost(folder, words_of(step)) for step in way.steps]


def median(rounds: Sequence[list[Cost]]) -> list[Cost]:
    """Of each command the median of the seconds; all else is the same in every round."""
    return [
        costs[0]._replace(seconds=statistics.median(cost.seconds for cost in costs))
        for costs in zip(*rounds, strict=True)
    ]


def broken(way: Way, costs: Sequence[Cost]) -> list[str]:
    """What is not as it should be, speed apart."""
    said = [
        f"{step.words}: exit code {cost.code}, not {step.code}"
        for step, cost in zip(way.steps, costs, strict=True)
        if step.code != cost.code
    ]
    for step, cost in zip(way.steps, costs, strict=True):
        if step.kind == "help" and (cost.lines > HELP_LINES or cost.columns > COLUMNS):
            said.append(f"{step.words}: {cost.lines} lines of up to {cost.columns} columns")
    if (count := sum(step.kind == "own" for step in way.steps)) > OWN_COMMANDS:
        said.append(f"{count} commands to a choice of one's own")
    return said


def slow(way: Way, costs: Sequence[Cost]) -> list[str]:
    """The commands beyond the limit of seconds."""
    return [
        f"`{step.words}` took {cost.seconds:.2f} s"
        for step, cost in zip(way.steps, costs, strict=True)
        if step.kind in LIMITED and cost.seconds > SECONDS
    ]


def table(found: dict[str, list[Cost]]) -> list[str]:
    """A line for each user, then one for each command."""
    lines = ["| user | wants | commands | s of CPU | lines |", "| --- | --- | ---: | ---: | ---: |"]
    for name, costs in found.items():
        way, total = WAYS[name], sum(cost.seconds for cost in costs)
        lines.append(f"| {way.user} | {way.wants} | {len(costs)} | {total:.1f} | {sum(c.lines for c in costs)} |")
    for name, costs in found.items():
        lines += ["", f"## {WAYS[name].user.capitalize()}", "", "| command | s of CPU | lines | limit |"]
        lines.append("| --- | ---: | ---: | --- |")
        for step, each in zip(WAYS[name].steps, costs, strict=True):
            limit = {"help": f"{HELP_LINES} lines", "own": f"{OWN_COMMANDS} commands"}.get(step.kind, "")
            limit = f"{SECONDS} s: {step.kind}" if step.kind in LIMITED else limit
            shown = step.words.replace("|", "\\|")
            lines.append(f"| `{shown}` | {each.seconds:.2f} | {each.lines} | {limit} |")
    return lines


def page(found: dict[str, list[Cost]], rounds: int) -> str:
    """The whole of docs/personas.md."""
    late = [line for name, costs in found.items() for line in slow(WAYS[name], costs)]
    said = "All limits are held." if not late else "Limits that are not held: " + "; ".join(late) + "."
    machine = f"{datetime.date.today()}, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    head = HEAD.format(late=said, machine=machine, rounds=rounds)
    return "\n".join([head, *table(found), ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(WAYS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--page", action="store_true", help="write docs/personas.md; for all users")
    arguments = parser.parse_args()
    names = arguments.names or list(WAYS)
    if unknown := [name for name in names if name not in WAYS]:
        parser.error(f"{unknown[0]}: there are {', '.join(WAYS)}")
    found, wrong = {}, []
    for name in names:
        found[name] = median([walked(WAYS[name]) for _ in range(arguments.rounds)])
        wrong += broken(WAYS[name], found[name])
        print(f"{name}: done", file=sys.stderr, flush=True)
    print("\n".join(table(found)))
    for line in [*wrong, *(line for name in names for line in slow(WAYS[name], found[name]))]:
        print(f"not held: {line}")
    if arguments.page and names == list(WAYS):
        (ROOT / "docs" / "personas.md").write_text(page(found, arguments.rounds))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
