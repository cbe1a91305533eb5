"""Callbacks of the user's own."""

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from shell import TINY, Command, only_record, same, weights
from support import ROOT, environment

OWN = ("--config-dir", "my_conf", "packages=[mylab]")
SHORT = (*TINY, "train.steps=40", "trainer.checkpoint_every=10")

CUT = """

import os

_end = Averaged.on_train_batch_end


def cut(self, trainer, *others):
    _end(self, trainer, *others)
    if trainer.global_step == 25:
        os.kill(os.getpid(), int(os.environ["CUT"]))


if "CUT" in os.environ:
    Averaged.on_train_batch_end = cut
"""


def documented(folder: Path) -> None:
    """Write the files of the page on extending, as they stand there."""
    text = (ROOT / "docs" / "extending.md").read_text()
    for name in ("mylab.py", "my_conf/callbacks/averaged.yaml"):
        found = re.search(rf"`{name}`:\n\n```(?:python|yaml)\n(.*?)^```", text, re.M | re.S)
        assert found
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(found[1])


def write(folder: Path, code: str, options: str = "") -> None:
    """A callback of this body, called ``own``."""
    (folder / "mylab.py").write_text(f"from pytorch_lightning import Callback\n\n\nclass Own(Callback):\n{code}\n")
    path = folder / "my_conf" / "callbacks" / "own.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# @package callbacks.own\n_target_: mylab.Own\n{options}")


@pytest.mark.slow
def test_the_documented_one_changes_the_weights_and_goes_on_after_a_kill(command: Command, tmp_path: Path) -> None:
    """Polyak's mean over the last step alone is the weights of training without it; over all steps it is not. Killed or
    interrupted at step 25, a run goes on from its last checkpoint with the mean so far, and ends with the same weights.
    """
    places = {}
    for name in ("plain", "last", "whole", "killed", "interrupted"):
        places[name] = tmp_path / name
        documented(places[name])
        with (places[name] / "mylab.py").open("a") as file:
            file.write(CUT)
    assert command(*SHORT, cwd=places["plain"]).returncode == 0
    averaged = (*OWN, *SHORT, "callbacks=[averaged]", "callbacks.averaged.start=5")
    assert command(*averaged, "callbacks.averaged.start=39", cwd=places["last"]).returncode == 0
    assert command(*averaged, cwd=places["whole"]).returncode == 0
    for name, number, code in (("killed", signal.SIGKILL, -9), ("interrupted", signal.SIGINT, 130)):
        cut = command(*averaged, cwd=places[name], env=environment(CUT=str(int(number))))
        assert cut.returncode == code, cut.stderr
        assert not list(places[name].glob("results/records/*"))
        assert command(*averaged, cwd=places[name]).returncode == 0
    found = {name: weights(place) for name, place in places.items()}
    for name, tensor in found["plain"].items():
        assert torch.allclose(tensor, found["last"][name], atol=1e-6)
    assert not same(found["plain"], found["whole"])
    assert same(found["whole"], found["killed"])
    assert same(found["whole"], found["interrupted"])
    record, usual = only_record(places["whole"]), only_record(places["plain"])
    assert record.science["training"]["callbacks"] == [  # type: ignore[index, call-overload]
        {"name": "averaged", "options": {"start": 5}, "target": "mylab.Averaged"}
    ]
    assert "callbacks" not in usual.science["training"]  # type: ignore[operator]
    assert len({only_record(places[name]).training_name for name in ("plain", "last", "whole")}) == 3
    assert [only_record(places[name]).cost.resumed_from for name in ("killed", "interrupted")] == [[20], [25]]  # type: ignore[union-attr]
    board = command("leaderboard", *(str(places[name] / "results") for name in ("plain", "whole")), "--output", "board")
    assert board.returncode == 0, board.stderr
    table = (tmp_path / "board" / "leaderboard.csv").read_text()
    assert "rope · no callbacks" in table
    assert "rope · averaged" in table


@pytest.mark.slow
def test_callbacks_of_lightnings_own(command: Command, tmp_path: Path) -> None:
    """They are those of a package that is named. One of them ends training, and the record says when."""
    folder = tmp_path / "my_conf" / "callbacks"
    folder.mkdir(parents=True)
    for name, said in {
        "timer": "Timer\nduration: '00:00:00:01'\n",
        "saver": "ModelCheckpoint\n",
        "rate": "LearningRateMonitor\n",
    }.items():
        text = f"# @package callbacks.{name}\n_target_: pytorch_lightning.callbacks.{said}"
        (folder / f"{name}.yaml").write_text(text)
    own = ("--config-dir", "my_conf", *TINY, "packages=[pytorch_lightning]")
    refused = command("--config-dir", "my_conf", *TINY, "callbacks=[timer]")
    assert refused.returncode == 2
    assert "other packages provide classes only if packages=[...] names them" in refused.stderr
    refused = command(*own, "callbacks=[timer,saver]")
    assert refused.returncode == 2
    assert "error: callbacks=[timer,saver]: Lightning objects: Trainer was configured with" in refused.stderr
    assert not (tmp_path / "results").exists()
    assert command(*own, "callbacks=rate", "results=failed").returncode == 1
    done = command(*own, "callbacks=timer", "train.steps=100000")
    assert done.returncode == 0, done.stderr
    record = only_record(tmp_path)
    assert record.cost is not None
    assert 0 < record.cost.steps < 100000
    assert record.final_loss is not None
    assert record.cost.examples == record.cost.steps * 32
    assert command(*own, "callbacks=timer", "train.steps=100000", "extension=ntk").returncode == 0, "they are known"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        (
            "    def on_train_start(self, trainer, module):\n        1 / 0",
            1,
            "failed: ZeroDivisionError: division by zero",
        ),
        (
            "    def on_train_batch_end(self, trainer, *others):\n        raise OverflowError('too\\nmuch')",
            1,
            "failed: OverflowError: too much",
        ),
        (
            "    def on_train_start(self, trainer, module):\n        raise SystemExit(0)",
            1,
            "failed: RuntimeError: a callback has called sys.exit(0)",
        ),
        (
            "    def on_fit_start(self, trainer, module):\n        trainer.should_stop = True",
            1,
            "failed: RuntimeError: a callback has ended training before its first step",
        ),
        (
            "    def on_train_start(self, trainer, module):\n        self.seen = {object()}\n"
            "    def state_dict(self):\n        return {'seen': self.seen}",
            1,
            "failed: ValueError: callbacks: a checkpoint cannot hold the state of Own: it must be made of numbers",
        ),
        (
            "    def state_dict(self):\n        return {'function': lambda: 0}",
            2,
            "error: callbacks=own: a checkpoint cannot hold the state of Own: it must be made of numbers",
        ),
        ("    def __init__(self):\n        raise KeyError('gone')", 2, "error: own: 'gone'"),
        ("    def __init__(self, size):\n        self.size = size", 2, "error: callbacks=own: option size is missing"),
    ],
)
def test_what_goes_wrong_in_one_is_said_in_one_line(
    command: Command, tmp_path: Path, code: str, status: int, said: str
) -> None:
    write(tmp_path, code)
    done = command(*OWN, *TINY, "callbacks=[own]", "trainer.checkpoint_every=10")
    assert done.returncode == status, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    if status == 1:
        assert only_record(tmp_path).status == "failed"
    else:
        assert not list(tmp_path.glob("results/r*/*"))


@pytest.mark.slow
def test_a_class_that_is_no_callback(command: Command, tmp_path: Path) -> None:
    write(tmp_path, "    pass")
    (tmp_path / "mylab.py").write_text("class Own:\n    pass\n")
    done = command(*OWN, *TINY, "callbacks=own")
    assert done.returncode == 2
    assert "mylab.Own does not inherit from pytorch_lightning.callbacks.callback.Callback" in done.stderr
    (tmp_path / "my_conf" / "callbacks" / "own.yaml").write_text(
        "# @package callbacks.own\n_target_: harness.training.monitor.TrainingMonitor\n"
    )
    done = command(*OWN, *TINY, "callbacks=own")
    assert done.returncode == 2
    assert "harness.training.monitor.TrainingMonitor is the class of no callbacks in conf/" in done.stderr


@pytest.mark.slow
def test_what_a_callback_adds_to_checkpoints_comes_back(command: Command, tmp_path: Path) -> None:
    """``on_save_checkpoint`` may add what it likes beside the states, as Lightning's own averaging does."""
    write(
        tmp_path,
        "    def on_save_checkpoint(self, trainer, module, checkpoint):\n"
        "        checkpoint['added'] = {'step': trainer.global_step}\n"
        "    def on_load_checkpoint(self, trainer, module, checkpoint):\n"
        "        open('loaded', 'w').write(str(checkpoint['added']['step']))\n"
        "    def on_train_batch_end(self, trainer, *others):\n"
        "        import os\n"
        "        if trainer.global_step == 15 and not os.path.exists('loaded'):\n"
        "            os._exit(9)\n",
    )
    arguments = (*OWN, *TINY, "callbacks=own", "trainer.checkpoint_every=10")
    assert command(*arguments).returncode == 9
    assert command(*arguments).returncode == 0
    assert (tmp_path / "loaded").read_text() == "10"


@pytest.mark.slow
def test_training_that_a_callback_ends_is_over_at_that_step(command: Command, tmp_path: Path) -> None:
    """Also where a checkpoint is due then, and the run is killed before its weights are kept."""
    write(
        tmp_path,
        "    def on_train_batch_end(self, trainer, *others):\n"
        "        trainer.should_stop = trainer.global_step == 10\n"
        "    def on_train_end(self, trainer, module):\n"
        "        import os\n"
        "        if not os.path.exists('killed'):\n"
        "            open('killed', 'w').close()\n"
        "            os._exit(9)\n",
    )
    arguments = (*OWN, *TINY, "callbacks=own", "trainer.checkpoint_every=5")
    assert command(*arguments).returncode == 9
    assert command(*arguments).returncode == 0
    cost = only_record(tmp_path).cost
    assert cost is not None
    assert (cost.steps, cost.resumed_from) == (10, [5])


@pytest.mark.slow
def test_callbacks_enter_ids_with_their_options_and_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, composed: Callable[..., object]
) -> None:
    from harness.composition.compose import composer
    from harness.config import identity, instantiation

    documented(tmp_path)
    averaged = (tmp_path / "my_conf" / "callbacks" / "averaged.yaml").read_text()
    (tmp_path / "my_conf" / "callbacks" / "other.yaml").write_text(averaged.replace("averaged", "other", 1))
    monkeypatch.chdir(tmp_path)
    with composer(["my_conf"]) as hydra:

        def name(*overrides: str) -> str:
            run = hydra.run(["packages=[mylab]", *overrides])
            assert json.loads(run.model_dump_json())
            return identity.training_name(run, instantiation.task(run))

        plain = name()
        assert plain == name("callbacks=[]")
        names = [
            plain,
            name("callbacks=averaged"),
            name("callbacks=averaged", "callbacks.averaged.start=1"),
            name("callbacks=[averaged,other]"),
            name("callbacks=[other,averaged]"),
        ]
        assert len(set(names)) == 5
        assert name("callbacks=averaged", "callbacks.averaged.start=0") == name(
            "callbacks=[averaged]", "callbacks.averaged.start=0"
        )
