"""More than one run from Python, trained networks, and what a terminal shows."""

import fcntl
import json
import os
import pty
import random
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest
import torch
from support import QUICK, ROOT, environment

import harness
from harness.errors import Refused
from harness.evaluation import blind
from harness.evaluation.decoding import greedy
from harness.layouts.base import TokenBatch
from harness.results.records import Record

SMALL = {"task": "copy", "task.symbols": 2, "lengths": {"train": 3, "test": 6}}
WORDS = (*QUICK, "train.steps=120", "train.learning_rate=0.01")


def in_python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
def test_importing_loads_nothing_and_tables_load_no_pytorch(tmp_path: Path) -> None:
    code = f"""
import sys
before = set(sys.modules)
import harness
assert {{name for name in set(sys.modules) - before if not name.startswith("harness")}} == set()
assert {{"run", "sweep", "load", "leaderboard", "score", "model"}} <= set(dir(harness))
results = harness.load({str(ROOT / "results" / "core_candidates")!r})
board = results.leaderboard()
print(len(harness.leaderboard(results.table)), "torch" in sys.modules)
"""
    rows, torch_is_loaded = in_python(code, tmp_path).split()
    assert int(rows) >= 36
    assert torch_is_loaded == "False"
    with pytest.raises(AttributeError, match="module 'harness' has no attribute 'walk'"):
        harness.walk  # noqa: B018


@pytest.mark.slow
def test_a_sweep_from_python_is_that_of_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    choices = {**SMALL, "encoding": ["rope", "alibi"], "positions": ["sequential", "randomized"]}
    results = harness.sweep(*QUICK, "train.steps=10", seed=range(2), **choices)
    from harness.composition.compose import composer

    with composer() as hydra:
        words = ["task=copy", "task.symbols=2", "lengths.train=3", "lengths.test=6", "encoding=rope,alibi"]
        attempts = hydra.attempts(
            [*QUICK, "train.steps=10", "seed=range(2)", *words, "positions=sequential,randomized"]
        )
    from harness.launch.cells import cell as cell_of

    wanted = [cell_of(cell, run).name for cell, run in attempts if not isinstance(run, Refused)]
    assert sorted(path.stem for path in results.records) == sorted(wanted)
    impossible = [" ".join(cell) for cell, run in attempts if isinstance(run, Refused)]
    assert results.failed.run.tolist() == impossible
    assert len(results) == len(wanted) == 8 - len(impossible)
    assert set(results.table.method) == set(results.leaderboard().query("kind == 'method'").method)
    assert "<table" in results._repr_html_()
    assert results.plot().axes
    again = harness.sweep(*QUICK, "train.steps=10", seed=range(2), **choices)
    assert again.table.equals(results.table), "found, not done again"
    assert len(harness.load()) == len(wanted)
    with pytest.raises(Refused, match="an empty list means no run"):
        harness.sweep(encoding=[])
    with pytest.raises(Refused, match="did you mean 'rope'"):
        harness.sweep(encoding=["ropee"])


@pytest.mark.slow
def test_a_run_from_python_takes_choices_and_packages_of_ones_own(tmp_path: Path) -> None:
    """In a process of its own, because packages stay importable; a sweep hands them to its processes."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").touch()
    (tmp_path / "mine" / "still.py").write_text(
        "from harness.encodings.nope import NoPE\n\n\nclass Still(NoPE):\n    pass\n"
    )
    (tmp_path / "choices" / "encoding").mkdir(parents=True)
    (tmp_path / "choices" / "encoding" / "still.yaml").write_text("# Nothing\n_target_: mine.still.Still\n")
    code = f"""
import harness
own = dict(config_dir="choices", packages=["mine"])
small = {SMALL!r}
result = harness.run(*{(*QUICK, "train.steps=5")!r}, encoding="still", **own, **small)
trained = harness.model(result, packages=["mine"])
results = harness.sweep(*{(*QUICK, "train.steps=5")!r}, encoding=["still", "nope"], **own, **small)
print(type(next(m for n, m in trained.module.named_modules() if "encoding" in n)).__name__, len(results))
"""
    assert in_python(code, tmp_path).splitlines()[-1].endswith(" 2")


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> "harness.Result":
    words = (*WORDS, f"results={tmp_path_factory.mktemp('learned') / 'results'}")
    return harness.run(*words, encoding="rope", extension=["extrapolate", "ntk"], **SMALL)


def questions(inputs: "harness.Inputs") -> TokenBatch:
    return TokenBatch(*(part.numpy() for part in (inputs.tokens, inputs.targets, inputs.scored)), lengths=None)  # type: ignore[arg-type]


def test_a_trained_network_answers_as_its_record_says(learned: "harness.Result") -> None:
    trained = harness.model(learned)
    record: Record = learned.record
    assert trained.extensions == ["extrapolate", "ntk"]
    total = 0
    for row in record.scores:
        batch = blind.test_examples(trained.task, row.length, row.examples)
        inputs = trained._inputs(batch, row.length)
        answers = trained.answers(inputs, extension=row.extension)
        right = [a == b for a, b in zip(answers, trained.right_answers(inputs), strict=True)]
        total += sum(right)
        assert sum(right) == row.exact, (row.extension, row.length)
        if row.extension == "extrapolate" and row.length <= 3:
            exact, _ = greedy(trained.module, questions(inputs), inputs.positions, torch.device("cpu"))
            assert exact.tolist() == right
            logits = trained.logits(inputs)
            hits = (logits.argmax(-1) == inputs.targets) & inputs.scored
            assert int(hits.sum()) == row.correct
    assert total > 0


def test_a_question_of_ones_own(learned: "harness.Result") -> None:
    random.seed(1)
    state = torch.random.get_rng_state()
    trained = harness.model(str(learned.path))
    assert torch.equal(torch.random.get_rng_state(), state), "a notebook's random numbers stay as they were"
    inputs = trained.question("ab")
    assert trained.layout.symbols(inputs.tokens[0].tolist()) == ["[BOS]", "a", "b", "[SEP]", "a", "b"]
    assert trained.right_answers(inputs) == [["a", "b"]]
    assert trained.tokenizer.decode(inputs.targets[0][inputs.scored[0]]) == ["a", "b", "[EOS]"]
    assert inputs.length == 2
    hidden = trained.module(inputs.tokens, inputs.positions)
    assert torch.allclose(trained.module.readout(hidden), trained.logits(inputs), atol=1e-5)
    tokens = trained.tokenizer.encode(["[BOS]", "a", "b", "[SEP]"])
    assert trained.tokenizer.decode(tokens) == ["[BOS]", "a", "b", "[SEP]"]
    assert trained.examples(2, 3).tokens.shape == (3, 6)
    assert "rope on copy" in repr(trained)
    for asked, said in (
        (lambda: trained.question("abz"), "unknown word 'z'"),
        (lambda: trained.question("ab", length=1), "2 words are no prompt of length 1"),
        (lambda: trained.examples(0), "cannot produce length 0"),
        (lambda: trained.logits(inputs, extension="nkt"), "did you mean 'ntk'"),
        (lambda: trained.tokenizer.decode([99]), "99 is the number of no word"),
        (lambda: harness.model(learned.path.parent), "this is a folder"),
    ):
        with pytest.raises(Refused, match=re.escape(said)):
            asked()


def test_a_result_shows_itself(learned: "harness.Result") -> None:
    shown = learned._repr_html_()
    assert shown.count("<tr") == 1 + len(learned.record.scores)
    assert "exact_low" in shown
    with pytest.raises(Refused, match="no learning curve"):
        learned.plot_learning()


@pytest.mark.slow
def test_a_terminal_of_80_columns_shows_table_curve_and_next_commands(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    words = [*QUICK, "train.steps=10", "lengths.train=6", "lengths.test=12"]
    child = subprocess.Popen(
        [sys.executable, "-m", "harness", *words],
        cwd=tmp_path, env=environment(TERM="dumb"), stdout=slave, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(slave)
    written = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the last process that had the other end has closed it
            break
        if not part:
            break
        written += part
    os.close(master)
    assert child.wait(60) == 0
    lines = [line.rstrip() for line in written.decode().replace("\r", "").splitlines()]
    commands = [line.strip() for line in lines if line.startswith("  python -m harness")]
    assert len(commands) == 3
    assert "train.steps=20" in commands[0]
    assert max(len(line) for line in lines if line.strip() not in commands) <= 80
    assert "exact match at each length (┊ 6, the training length)" in lines
    header = next(line for line in lines if line.startswith("length"))
    assert header.split("  ")[0] == "length"
    assert "95 % interval" in header
    (record,) = (tmp_path / "results" / "records").glob("*.json")
    rows = [line for line in lines if re.fullmatch(r" +\d+ +\d\.\d{3} +\d\.\d{3}-\d\.\d{3} .* (in|out)", line)]
    assert len(rows) == len(json.loads(record.read_text())["scores"])
