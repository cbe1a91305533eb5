"""What the documents tell their readers to type works as written.

Every command in a block of code is run, page by page, in the order of the page and in a folder of the page's own; where
training is concerned with the small budget that ``documented.small`` makes of any. What cannot be run here is in one of
the two lists below with its reason, and is composed, or checked by ``--dry-run``, instead. Commands in sentences are
composed, or their arguments read.
"""

import glob
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from documented import PAGES, SMALL, Command, cells, in_blocks, in_sentences, read_only, small
from support import ROOT

from harness import cli
from harness.composition.compose import composer

MOST_CELLS = 4
"""Sweeps of more cells, once they are small, are planned and not run."""

ELSEWHERE = {
    "study=": "hours of training",
    "launcher=slurm": "a cluster, which tests/slurm has",
    "launcher=ray": "a cluster, which tests/end_to_end/test_ray.py has",
    "launcher.per_gpu=": "GPUs",
    "trainer=ddp": "several devices, which tests/end_to_end/test_ddp.py has",
    "architecture.name_or_path=": "a pretrained network, in whose place stands a small one (saved_networks)",
}
"""Trainings that cannot be run in CI, by how one of their words begins, and why. Each is composed, cell by cell."""

WRITTEN_ON_THE_PAGE = ("encoding=gaussian", "task=sort", "architecture=bag_of_words", "callbacks=[averaged]")
"""Choices whose files stand on the page itself: test_extending_pages.py and test_callbacks.py run them."""

IN_THIS_PROCESS = (
    "leaderboard",
    "compare",
    "verify",
    "study",
    "findings",
    "status",
    "ls",
    "doctor",
    "--help",
    "--version",
)
"""Commands without PyTorch, which need no process of their own."""

Run = Callable[..., subprocess.CompletedProcess[str]]


def begun(folder: Path) -> None:
    """What a reader has before the first command of a page."""
    for study in ("huang2025", "kazemnejad2023", "deletang2023", "context_extension", "state_tracking"):
        shutil.copytree(ROOT / "results" / study, folder / "results" / study)
    own = folder / "results" / "records"
    core = folder / "results" / "core" / "records"
    for made in (own, core):
        made.mkdir(parents=True)
    for path in (ROOT / "results" / "core" / "records").iterdir():
        if not path.name.startswith(("copy-", "reverse-")) or "-seed0-" not in path.name:
            continue  # two tasks will do, however large the leaderboard grows
        shutil.copy(path, core)
        science = json.loads(path.read_text())["science"]
        training = science["training"]
        others = [training["architecture"]["name"], training["positions"]["name"], *science["extension"]]
        if "mixer" not in training and others == ["decoder", "sequential", "extrapolate"]:
            shutil.copy(path, own)  # his own differ in their encodings alone


def saved_networks(folder: Path) -> None:
    """Networks and a tokenizer of random weights, in the places of those that a page names."""
    transformers, tokenizers = pytest.importorskip("transformers"), pytest.importorskip("tokenizers")
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    llama = transformers.LlamaConfig(vocab_size=300, max_position_embeddings=2048, **sizes)
    gpt2 = transformers.GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4)
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel()
    letters = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(["a text"], tokenizers.trainers.BpeTrainer(initial_alphabet=letters))
    for name, config in (("llama", llama), ("gpt2", gpt2)):
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(folder / name)
        tokenizer.save(str(folder / name / "tokenizer.json"))


def named(word: str, folder: Path) -> str:
    """A word that names a record, a sweep or a saved network of the writer's, with one of the folder in its place."""
    word = word.replace("=/models/", "=")
    if match := re.fullmatch(r"((?:\w+=)?)results/records/[\w-]+\.json", word):
        before = {path.name for path in (folder / "results" / "core" / "records").iterdir()}
        made = [path for path in (folder / "results" / "records").glob("*.json") if path.name not in before]
        first = min(made, key=lambda path: path.stat().st_mtime_ns)  # the original run of the page
        return f"{match[1]}{first.relative_to(folder)}"
    if re.fullmatch(r"\w+-[0-9a-f]{8}", word):
        return next((folder / "results" / "sweeps").glob("*.json")).stem
    return word


def check_training(command: Command, words: list[str], run: Run, folder: Path) -> None:
    """Compose all cells of a training as it stands, and run it with a small budget unless it belongs elsewhere."""
    own = [word for word in words if word.startswith("--config-dir") or word in WRITTEN_ON_THE_PAGE]
    if own:
        assert "`conf/" in (page := (ROOT / command.page).read_text()) or "_conf/" in page, command
        return
    with composer() as hydra:
        if any(word.startswith("weights_from=") for word in words):  # of a network that was trained small
            words = [*words, *(word for word in SMALL if word.partition("=")[0] not in " ".join(words))]
        if "architecture=huggingface" in words:  # without tokenizing a corpus, which takes half a minute
            assert cells(hydra, [word for word in words if not word.startswith("task.tokenizer=")])
            return
        runs = cells(hydra, words)
        shrunk = small(words, runs[0])
        if not any(word.startswith(begin) for word in words for begin in ELSEWHERE):
            if len(hydra.cells([word for word in shrunk if not word.startswith("-")])) <= MOST_CELLS:
                done(command, run(*shrunk))
            else:
                assert cli.main([*words, *(["--dry-run"] if "--dry-run" not in words else [])]) == 0, command
        elif command.started_directly and "trainer=ddp" not in words:
            assert cli.main([*words, *(["--dry-run"] if "--dry-run" not in words else [])]) == 0, command


def done(command: Command, process: subprocess.CompletedProcess[str]) -> None:
    said = process.stdout[-1500:] + process.stderr[-1500:]
    assert process.returncode == 0, f"{command}\n{shlex.join(process.args)}\n{said}"


def check_other(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that is not the harness: an installation, a target of make, tests, a script of this repository."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    match command.words:
        case ("pip", "install", *rest):
            for what in rest:
                name, _, extras = what.removesuffix("]").partition("[")
                if name in (".", project["name"]):
                    assert set(extras.split(",")) <= {"", *project["optional-dependencies"]}, command
                else:
                    assert name == "-e" or name in project["optional-dependencies"], command
        case ("make", target, *_):
            assert f"\n{target}:" in (ROOT / "Makefile").read_text(), command
        case ("pytest", path, "-k", _) | ("pytest", path):
            assert (ROOT / path).exists(), command
        case ("ssh", _, there):  # on another machine: the command is one of the harness, and composes
            words = Command(command.page, tuple(shlex.split(there.rpartition("&&")[2]))).harness
            assert words, command
            with composer() as hydra:
                assert cells(hydra, words), command
        case ("rsync", "-a", there, here):  # without the slashes a folder would come into the other
            assert there.endswith("results/"), command
            assert here == "results/", command
        case ("mkdocs", "build" | "serve", *_):
            assert (ROOT / "mkdocs.yml").exists()
        case ("tensorboard", "--logdir", folder):
            assert Path(folder).is_dir(), command
        case ("python", script, *_) if not script.startswith("-"):
            read_only(list(command.words), monkeypatch)
        case _:
            pytest.fail(f"{command}: no test knows what this is")


def check(command: Command, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail unless the command does what a reader expects of it."""
    words = command.harness
    if words is None:
        check_other(command, monkeypatch)
        return
    if words[:1] == ["status"] and not (folder / "results" / "sweeps").exists():  # a reader asks after starting one
        done(command, run("-m", "seed=0", "lengths.grid=[20,25]", *SMALL))
    if "study=fine_tuning" in words:  # its file names the record of a training at full size
        words = [*words, "weights_from=results/records/the-one-before.json"]
    words = [named(found, folder) for word in words for found in (glob.glob(word) if word.endswith("/*") else [word])]
    if words[:1] == ["pretrained"]:  # which tests/end_to_end/test_pretrained.py runs
        read_only(words, monkeypatch)
    elif words[:1] and words[0] in IN_THIS_PROCESS:
        assert cli.main(words) == 0, command
    elif words[:1] and words[0] in cli._commands():
        if not any(word in WRITTEN_ON_THE_PAGE for word in words):
            done(command, run(*words))
    else:
        check_training(command, words, run, folder)


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if in_blocks(page)], ids=lambda page: page.stem)
def test_every_command_of_a_page(
    page: Path, command: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "my_choices"]:
        monkeypatch.delitem(sys.modules, name)  # of the folder of another page
    begun(tmp_path)
    if "architecture.name_or_path" in page.read_text():
        saved_networks(tmp_path)
    for own in re.findall(r"^```yaml\n(version: .*?)^```", page.read_text(), re.M | re.S):
        (tmp_path / "mine.yaml").write_text(own)
    for documented in in_blocks(page):
        check(documented, command, tmp_path, monkeypatch)


@pytest.mark.slow
def test_commands_in_sentences_are_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    begun(tmp_path)
    found = [command for page in PAGES for command in in_sentences(page)]
    assert len(found) > 20
    with composer() as hydra:
        for command in found:
            words = command.harness
            if words is None:
                read_only(list(command.words), monkeypatch)
            elif words[:1] and (words[0] in cli._commands() or words[0].startswith("--")):
                if words[0] not in ("--help", "--version"):
                    read_only(words, monkeypatch)
            else:
                assert cells(hydra, words), command


def test_links_lead_somewhere() -> None:
    for path in PAGES:
        prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.M | re.S)
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", prose):
            assert target.startswith("http") or (path.parent / target).exists(), f"{path.name}: {target}"
