"""What a message advises works when it is typed as it stands."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import cli
from harness.composition import suggestions
from harness.composition.compose import composer
from harness.config import catalogue

Said = Callable[..., str]

CHOICES = {
    "encoding=ropee": "rope",
    "encoding=RoPE": "rope",
    "encoding=ALiBi": "alibi",
    "encoding=NoPE": "nope",
    "encoding=FIRE": "fire",
    "encoding=rotary": "rope",
    "encoding=none": "nope",
    "encoding=nopos": "nope",
    "encoding=absolute": "sinusoidal",
    "encoding=sin": "sinusoidal",
    "encoding=kerple-log": "kerple_log",
    "encoding=Transformer-XL": "transformer_xl",
    "extension=YaRN": "yarn",
    "extension=[extrapolate,NTK-by-parts]": "ntk_by_parts",
    "task=SCAN": "scan",
    "architecture=seq2seq": "encoder_decoder",
    "trainer=cuda": "gpu",
}
KEYS = {
    "train.lr=0.1": "train.learning_rate",
    "lr=0.1": "train.learning_rate",
    "learning_rate=0.1": "train.learning_rate",
    "batch_size=8": "train.batch",
    "train.batch_size=8": "train.batch",
    "steps=5": "train.steps",
    "epochs=5": "train.steps",
    "n_layers=2": "model.layers",
    "d_model=64": "model.dimension",
    "model.hidden_size=64": "model.dimension",
    "num_heads=4": "model.heads",
    "heads=4": "model.heads",
    "modle.heads=4": "model.heads",
    "lenghts.train=10": "lengths.train",
    "model.encoding=rope": "encoding",
    "encodng=rope": "encoding",
    "encoding.rope=1": "encoding=rope",
    "rope=1": "encoding=rope",
}
ARGUMENTS = {
    ("lengths.grid=5,25,30",): "lengths.grid=[5,25,30]",
    ("-m", "lengths.grid=5,25,30"): "lengths.grid=[5,25,30]",
    ("encoding =rope",): "encoding=rope",
    ("encoding = rope",): "encoding=rope",
    ("encoding", "=", "rope"): "encoding=rope",
    ("encoding", "rope"): "encoding=rope",
    ("task:copy",): "task=copy",
    ("task==copy",): "task=copy",
    ("task copy",): "task=copy",
    ("encoding=rope,",): "encoding=rope",
    ("encoding='rope",): "encoding=rope",
    ("encoding.rope",): "encoding=rope",
    ("rope",): "encoding=rope",
    ("RoPE",): "encoding=rope",
    ("--task=copy",): "task=copy",
    ("--task", "copy"): "task=copy",
    ("-encoding", "rope"): "encoding=rope",
    ("-model", "nano"): "model=nano",
    ("--lr=0.1",): "train.learning_rate=0.1",
    ("--n-layers", "2"): "model.layers=2",
    ("show", "--task=copy"): "task=copy",
    ("results=/tmp/ünï",): "results='/tmp/ünï'",
    ("results=~/x",): "results='~/x'",
    ("results=a'b",): 'results="a\'b"',
    ('results=a"b',): "results='a\"b'",
    ("results=a'\"b",): "results='a\\'\"b'",
    ("results=a`b#c",): "results='a`b#c'",
    ("task=text", "task.tokenizer=a#b"): "task.tokenizer='a#b'",
}


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """The one line in which a command line is refused."""
    monkeypatch.chdir(tmp_path)

    def say(*arguments: str) -> str:
        assert cli.main(arguments) == 2
        (line,) = capsys.readouterr().err.splitlines()
        return line

    return say


def accepted(*arguments: str) -> bool:
    with composer() as hydra:
        hydra.run(arguments, check=lambda run: run)
    return True


@pytest.mark.parametrize("typed", CHOICES)
def test_a_choice_by_another_name(typed: str, said: Said) -> None:
    found = re.search(r"did you mean '(.*?)'\?", said(typed))
    assert found
    assert found[1] == CHOICES[typed]
    assert accepted(f"{typed.partition('=')[0]}={found[1]}")


@pytest.mark.parametrize("typed", KEYS)
def test_a_key_by_another_name(typed: str, said: Said) -> None:
    found = re.search(r"did you mean '(.*?)'\?", said(typed))
    assert found
    assert found[1] == KEYS[typed]
    assert accepted(found[1] if "=" in found[1] else f"{found[1]}={typed.partition('=')[2]}")


@pytest.mark.parametrize("typed", ARGUMENTS, ids=" ".join)
def test_an_argument_that_is_written_otherwise(typed: tuple[str, ...], said: Said) -> None:
    line = said(*typed)
    (word,) = shlex.split(re.split(r"\b(?:written|mean|own|list):? ", line)[-1].removesuffix("?"))
    assert word == ARGUMENTS[typed]
    assert accepted(*(other for other in typed[:-1] if "=" in other[1:]), word)


@pytest.mark.parametrize("typed", ["task=addition task.symbols=4", "encoding=xyzzy", "xyzzy=1", "xyzzy", "a=b=c", "="])
def test_no_guess_where_nothing_is_near(typed: str, said: Said) -> None:
    assert "did you mean" not in said(*typed.split())


def test_the_advice_to_sweep_works(said: Said, capsys: pytest.CaptureFixture[str]) -> None:
    assert said("encoding=rope,alibi").endswith("several values need a sweep: add -m to python -m harness")
    assert cli.main(["encoding=rope,alibi", "-m", "seed=0,1", "--cfg", "job", "--package", "seed"]) == 0
    assert capsys.readouterr().out.splitlines()[::2] == [
        f"--- # encoding={encoding} seed={seed}" for encoding in ("rope", "alibi") for seed in (0, 1)
    ]


def test_keys_that_are_advised_exist() -> None:
    with composer() as hydra:
        config = hydra.shown([])
    for key in {*suggestions.KEYS.values()} - {*catalogue.GROUPS}:
        node = config
        for part in key.split("."):
            assert part in node, key
            node = node[part]


@pytest.mark.parametrize("group", [group for group in catalogue.GROUPS if catalogue.aliases(group)])
def test_another_name_means_one_choice_and_is_none_itself(group: str) -> None:
    names = catalogue.names()[group]
    listed = [
        plain
        for name in names
        for line in re.findall(r"^# Also called: (.*)$", (catalogue.CONF / group / f"{name}.yaml").read_text(), re.M)
        for plain in (suggestions.normalized(one) for one in line.split(","))
    ]
    assert len(set(listed)) == len(listed)
    assert not {suggestions.normalized(name) for name in names} & set(listed)


@pytest.mark.parametrize(
    "typed",
    [
        "hydra.run.dir=out",
        "++hydra.sweep.dir=x",
        "hydra.job.chdir=true",
        "hydra/launcher=joblib",
        "hydra/sweeper=optuna",
        "hydra.verbose=true",
        "hydra.output_subdir=null",
        "hydra/job_logging=none",
        "+hydra.x=1",
        "hydra=null",
    ],
)
def test_settings_of_hydras_name_what_does_it_here(typed: str, said: Said) -> None:
    line = said(typed)
    begins = f"error: {typed}: this setting of Hydra's has no effect here; "
    assert line.startswith(begins)
    for key in re.findall(r"\b(results|launcher|logger)=(\w+)", line.removeprefix(begins)):
        assert accepted("=".join(key))
