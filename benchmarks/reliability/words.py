"""Bad input of every kind: each must be refused in one line, and nothing be left behind."""

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from commands import run
from table import Row, Tally

GROUPS = (
    "task", "encoding", "positions", "extension", "logit", "architecture", "model", "train", "evaluation", "trainer",
    "logger", "launcher", "study",
)  # fmt: skip
NUMBERS = (
    "train.steps", "train.batch", "train.learning_rate", "train.warmup", "train.beta2", "train.clip", "lengths.train",
    "lengths.test", "lengths.step", "model.dimension", "model.heads", "model.layers", "evaluation.examples", "seed",
    "encoding.base", "architecture.dropout",
)  # fmt: skip
NO_NUMBERS = ("x", "''", "nan", "-inf", "[]", "{}", "-5", "1e400", "9" * 5000, "true", "${oc.env:HOME}")
CHOICES = ("'nothing here'", "rope,,alibi", "RÖPE", "../rope", "null", "12", "[]")
GRAMMAR = (
    ("encoding",), ("=",), ("encoding=",), ("=rope",), ("encoding =rope",), ("--task=copy",), ("-x",), ("task:copy",),
    ("task==copy",), ("task=copy", "task"), ("task=[copy",), ("task=copy]",), ("{}",), ("'",), ('"task=copy',),
    ("$HOME=1",), ("train..steps=3",), (".train=3",), ("train.=3",), ("+task=copy",), ("++a.b.c=1",), ("~task",),
    ("~train.steps",), ("hydra=null",), ("hydra.run.dir=x",), ("hydra.job.chdir=true",), ("hydra/launcher=joblib",),
    ("hydra/sweeper=optuna",), ("hydra.sweep.dir=x",), ("seed=range(0,2,0)",), ("seed=interval(0,1)",),
    ("seed=range(3)",), ("seed=0,1",), ("-m", "seed=range(0,2,0)"), ("-m", "seed=interval(0,1)"),
    ("-m", "seed=glob(x)"),
    ("-m", "encoding=glob(nothing*)"), ("-m", "lengths.grid=5,25,30"), ("lengths.grid=5,25,30",),
    ("encoding._target_=os.system",), ("encoding._target_=harness.encodings.alibi.ALiBi", "encoding=nope"),
    ("task._target_=subprocess.Popen",), ("task._target_=harness.layouts.Causal",),
    ("packages=[os]", "task._target_=os.system"),
    ("packages=['../x']",), ("packages=[no_such_package]",), ("results='~no_such_user/x'",), ("results=''",),
    ("results=/dev/null",), ("results=/proc/nowhere",), ("results='${oc.env:HOME}'",), ("logger.csv._target_=x",),
    ("--config-dir", "/nowhere"), ("--config-name", "x"), ("--config-path", "x"), ("--run",), ("leaderbord",),
    ("inspect", "--record", "/nowhere.json"), ("inspect", "--record", "/dev/null"), ("--job",), ("--job", "/nowhere"),
    ("--job", "/dev/null"), ("show", "--length", "-1"), ("show", "--count", "0"), ("show", "--length", "x"),
    ("leaderboard", "/nowhere"), ("leaderboard", "/dev/null"), ("\x1b[31mtask=copy",), ("task=\x01copy",),
    ("task=" + "x" * 100_000,), ("x" * 100_000,), ("train.lr=1",), ("lr=1",), ("batch_size=3",), ("rope",),
    ("task=Copy",),
)  # fmt: skip
IMPOSSIBLE = (
    ("task=copy", "architecture=bert"), ("task=text", "architecture=encoder"), ("architecture=lstm",),
    ("encoding=alibi", "extension=[ntk]"), ("encoding=swin",), ("positions=grid",), ("mixer=[delta_net]",),
    ("positions=abacus", "task=copy"), ("encoding=learned", "encoding.rows=3"), ("encoding=pretrained_rotary",),
    ("architecture=huggingface",), ("task=text", "task.corpus=/nowhere"), ("train.steps=0",), ("trainer.devices=2",),
    ("trainer=ddp", "trainer.devices=3"), ("lengths.train=100", "lengths.test=50"), ("lengths.grid=[50]",),
    ("lengths.grid=[5]",), ("model.dimension=15", "model.heads=5", "encoding=rope"), ("model.heads=7",),
    ("extension=[yarn]", "extension.yarn.factor=-2"), ("extension=[longrope]", "extension.longrope.long=[1,2]"),
    ("extension=[]",), ("pattern=[mamba]",), ("mixer.attention.kv_heads=3",),
    ("task=parity", "task.nothing=1"), ("encoding.nothing=1",), ("task=scan", "lengths.test=1000000"),
    ("evaluation.examples=0",), ("launcher.slots=-1",), ("lengths.step=0",), ("train.precision=fp8",),
)  # fmt: skip
FILES = {
    "broken": b"a: [1,",
    "not UTF-8": b"a: \xff\xfe\xff",
    "a list": b"- 1\n- 2\n",
    "a number": b"12\n",
    "deep": b"a: " + b"[" * 5000 + b"]" * 5000,
    "twice the same key": b"_target_: harness.encodings.rope.RoPE\nbase: 1\nbase: 2\n",
    "a class that is not there": b"_target_: harness.encodings.rope.Nothing\n",
    "another kind of class": b"_target_: harness.models.decoder.Decoder\n",
    "a function": b"_target_: os.system\ncommand: id\n",
    "a secret": b"_target_: harness.encodings.rope.RoPE\nbase: ${oc.env:HOME}\n",
    "a resolver": b"_target_: harness.encodings.rope.RoPE\nbase: ${now:%Y}\n",
    "a target that is a number": b"_target_: 12\n",
    "a bomb": b"a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\n" + b"d: [" + b"*c," * 200 + b"]\n",
    "a cycle": b"defaults:\n  - mine\n",
    "an object of Python": b"!!python/object/apply:os.system ['id']\n",
    "nothing": b"",
}
NAMES = ("12", "inf", "nan", "NA", "1e3", "true", "null", "None", "a b", "a,b", "-x")


def attack(share: float) -> Iterator[Row]:
    step = max(1, round(1 / share))
    yield refused("arguments that are no override, flag or command", GRAMMAR)
    values = [("show", f"{key}={value}") for key, value in itertools.product(NUMBERS, NO_NUMBERS)]
    yield refused("values that are no number, or none that is possible", values[::step])
    choices = [("show", f"{group}={value}") for group, value in itertools.product(GROUPS, CHOICES)]
    yield refused(
        "choices that are not there", [c for c in choices if c not in (("show", "study=null"), ("show", "logger=[]"))]
    )
    yield refused("choices that are impossible together", [("show", *words) for words in IMPOSSIBLE])
    yield from files()


def refused(fault: str, every: Sequence[tuple[str, ...]]) -> Row:
    tally = Tally(fault, "refused in one line, exit code 2, nothing is left behind")
    for words in every:
        with tempfile.TemporaryDirectory() as folder:
            outcome = run(words, Path(folder))
            left = list(Path(folder).iterdir())
            shown = " ".join(words)[:100]
            tally.add(outcome.refused and not left, f"{shown!r}: {outcome.code}, {outcome.err[-300:]!r}, left {left}")
    return tally.row()


def files() -> Iterator[Row]:
    tally = Tally(
        "files of --config-dir that are broken or hostile", "refused in one line, exit code 2, by every command"
    )
    for fault, content in FILES.items():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "conf", "encoding", "mine.yaml")
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
            for words in (("encoding=mine",), ("inspect", "encoding=mine"), ("show", "encoding=mine")):
                outcome = run((*words, "--config-dir", "conf"), Path(folder))
                tally.add(outcome.refused, f"{fault}, {words}: {outcome.code}, {outcome.err[-300:]!r}")
    yield tally.row()
    tally = Tally(
        "files of --config-dir with names that are read as numbers or lost", "refused in one line, exit code 2"
    )
    for name in NAMES:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "conf", "encoding", f"{name}.yaml")
            path.parent.mkdir(parents=True)
            path.write_text("_target_: harness.encodings.rope.RoPE\n")
            outcome = run((f"encoding={name}", "--config-dir", "conf"), Path(folder))
            tally.add(outcome.refused, f"{name}: {outcome.code}, {outcome.err[-300:]!r}")
    yield tally.row()
