"""Arguments of Lightning's Trainer: handed on where they change no result, refused with what is meant otherwise."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning
from shell import TINY, Command, only_record

from harness import cli
from harness.config import identity, instantiation, trainer_arguments
from harness.config.schema import Run, TrainerSettings
from harness.errors import Refused
from harness.training import loop

SIGNATURE = inspect.signature(pytorch_lightning.Trainer.__init__).parameters
NAMES = [name for name, parameter in SIGNATURE.items() if parameter.kind is parameter.KEYWORD_ONLY]
VALUES = {
    "deterministic": "warn",
    "benchmark": "true",
    "profiler": "simple",
    "detect_anomaly": "true",
    "barebones": "true",
}


def test_every_argument_is_set_here_handed_on_or_has_something_instead() -> None:
    """One that Lightning adds is handed on: this test asks whether it may change a result."""
    assert set(trainer_arguments.accepted()) == set(VALUES)
    assert set(trainer_arguments.INSTEAD) <= set(NAMES), "none that Lightning no longer has"
    ours = set(TrainerSettings.model_fields) & set(NAMES)
    assert ours == {"accelerator", "devices", "strategy"}
    assert ours | set(trainer_arguments.INSTEAD) | set(VALUES) == set(NAMES)
    assert not ours & set(trainer_arguments.INSTEAD)


@pytest.mark.parametrize("plus", ["", "+", "++"])
@pytest.mark.parametrize("name", sorted(trainer_arguments.INSTEAD))
def test_what_is_not_handed_on_is_refused_with_a_key_that_there_is(
    name: str, plus: str, composed: Callable[..., Run], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main([f"{plus}trainer.{name}=3", f"results={tmp_path / 'results'}"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: trainer.{name}: it is not handed on to Lightning: ")
    assert len(said.splitlines()) == 1
    assert not list(tmp_path.iterdir())
    keys = re.findall(r"(?:train|trainer|lengths|evaluation)\.\w+", said.partition("Lightning: ")[2])
    run = composed().model_dump()
    for key in keys:
        group, _, rest = key.partition(".")
        assert rest in run[group]
    assert keys or re.search(r"(results=|logger=|callbacks=|seed|show prints)", said)


@pytest.mark.parametrize(("name", "value"), VALUES.items())
def test_the_others_reach_lightning_and_no_id(name: str, value: str, composed: Callable[..., Run]) -> None:
    run = composed("trainer=cpu", f"trainer.{name}={value}")
    assert trainer_arguments.extra_arguments(run.trainer) == {name: {"true": True}.get(value, value)}
    loop.try_arguments(run.trainer)
    task, usual = instantiation.task(run), composed()
    assert identity.run_name(run, task) == identity.run_name(usual, task)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("trainer.benchmark=3", "trainer.benchmark=3: it should be a valid boolean"),
        ("trainer.detect_anomaly=null", "trainer.detect_anomaly=None: it should be a valid boolean"),
        ("trainer.deterministic=never", "trainer.deterministic=never: it should be a"),
        ("trainer.profiler=[simple]", "trainer.profiler=['simple']: it should be a valid string"),
        ("trainer.determinstic=true", "unknown key 'trainer.determinstic'; did you mean 'trainer.deterministic'?"),
        ("+trainer.determinstic=true", "unknown key 'trainer.determinstic'; did you mean 'trainer.deterministic'?"),
        ("+trainer.self=1", "unknown key 'trainer.self'"),
    ],
)
def test_what_lightning_would_not_take_is_refused(word: str, said: str, composed: Callable[..., Run]) -> None:
    with pytest.raises(Refused) as refusal:
        composed(word)
    assert said in str(refusal.value)


def test_what_lightning_objects_to_is_said_before_anything_is_written(command: Command, tmp_path: Path) -> None:
    done = command(*TINY, "trainer.profiler=nonsense")
    assert done.returncode == 2
    assert done.stderr.startswith("error: trainer.profiler=nonsense: Lightning rejects this: ")
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_run_hands_them_on_and_keeps_them_in_its_record(command: Command, tmp_path: Path) -> None:
    done = command(*TINY, "trainer.profiler=simple", "trainer.deterministic=true")
    assert done.returncode == 0, done.stderr
    assert "FIT Profiler Report" in done.stdout + done.stderr
    trainer: Any = only_record(tmp_path).config["trainer"]
    assert (trainer["profiler"], trainer["deterministic"]) == ("simple", True)
    again = command(*TINY)
    assert "training" not in again.stderr, "it is the same run"


def test_a_sweep_hands_them_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["-m", "trainer.benchmark=true", "seed=0,1", "--cfg", "job"]) == 0
    assert capsys.readouterr().out.count("  benchmark: true\n") == 2


def test_a_file_of_the_users_can_hold_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "trainer").mkdir()
    file = tmp_path / "trainer" / "careful.yaml"
    usual = "# Careful\naccelerator: cpu\ndevices: 1\nstrategy: auto\ncheckpoint_every: 500\n"
    file.write_text(f"{usual}detect_anomaly: true\n")
    words = ["--config-dir", str(tmp_path), "trainer=careful"]
    assert cli.main([*words, "--cfg", "job"]) == 0
    assert "detect_anomaly: true" in capsys.readouterr().out
    file.write_text(f"{usual}max_epochs: 2\n")
    assert cli.main(words) == 2
    assert "trainer.max_epochs: it is not handed on" in capsys.readouterr().err
