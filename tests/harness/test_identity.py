"""The same science has the same id; anything else has no part in it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused

Compose = Callable[..., Run]


def ids(run: Run) -> tuple[str, str]:
    task = instantiation.task(run)
    return identity.training_name(run, task), identity.run_name(run, task)


@pytest.mark.parametrize(
    "override",
    [
        "trainer=cpu",
        "logger=wandb",
        "results=elsewhere",
        "launcher.slots=3",
        "force=true",
        "trainer.checkpoint_every=7",
        "trainer.kernel=explicit",
        "encoding.base=10000",
        "encoding=rope",
        "packages=[numpy]",
        "lengths.grid=[1,5,10,15,20,21,25,30,35,40,45,50,55,60,65,70,75,80,85,90,95,100]",
    ],
)
def test_what_is_not_science_changes_nothing(composed: Compose, override: str) -> None:
    assert ids(composed(override)) == ids(composed())


@pytest.mark.parametrize(
    "override",
    [
        "seed=1",
        "encoding=alibi",
        "encoding.base=500.0",
        "task=reverse",
        "task.symbols=10",
        "lengths.train=10",
        "lengths.shortest=2",
        "positions=randomized",
        "logit=log_n",
        "model=nano",
        "model.layers=4",
        "train.steps=801",
        "train.batch=64",
        "architecture.dropout=0.1",
    ],
)
def test_what_decides_the_weights_changes_both_ids(composed: Compose, override: str) -> None:
    training, run = ids(composed(override))
    assert training != ids(composed())[0]
    assert run != ids(composed())[1]


@pytest.mark.parametrize(
    "override", ["extension=ntk", "extension=[extrapolate,ntk]", "evaluation.examples=9", "lengths.test=95"]
)
def test_what_decides_only_the_test_keeps_the_weights(composed: Compose, override: str) -> None:
    training, run = ids(composed(override))
    assert training == ids(composed())[0]
    assert run != ids(composed())[1]


def test_the_size_of_blocks_counts_where_it_is_not_the_usual_one(composed: Compose) -> None:
    """Training on few lengths draws what it always drew."""
    few, many = composed("lengths.train=63", "lengths.test=64"), composed("lengths.train=500", "lengths.test=501")
    assert "block" not in identity.training(few, instantiation.task(few))
    assert identity.training(many, instantiation.task(many))["block"] == 8192


def test_ids_do_not_change_from_day_to_day(composed: Compose) -> None:
    """A change here means that finished runs are not found again: it needs a reason and a line in the changelog."""
    published = composed("train=quick", "schedule=cosine")
    assert ids(published) == ("copy-rope-seed0-b6bdbf27b935", "copy-rope-seed0-becaa8af5915")
    before = composed("train.until_examples=256")
    assert ids(before) == ("copy-rope-seed0-ff9a3f22194d", "copy-rope-seed0-b7847571425c")
    assert ids(composed()) == ("copy-rope-seed0-cca2cd61ff1b", "copy-rope-seed0-762e5978a20a")


def test_a_corpus_is_known_by_its_content_and_not_by_its_place(composed: Compose, tmp_path) -> None:
    names = []
    rng = np.random.default_rng(0)
    one, another = (["".join(rng.choice(list(letters), 9000)) for _ in range(40)] for letters in ("ab", "cd"))
    for folder, contents in (("here", one), ("there", one), ("other", another)):
        (tmp_path / folder).mkdir()
        for number in range(40):
            (tmp_path / folder / f"{number}.txt").write_text(contents[number])
        names.append(ids(composed("task=text", f"task.files=[{tmp_path / folder}/*.txt]")))
    assert names[0] == names[1] != names[2]


def test_a_class_from_elsewhere_is_not_taken_for_ours(
    composed: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = composed()
    package = tmp_path / "mine.py"
    package.write_text("class RoPE:\n    def __init__(self, dimensions, *, base: float = 10000.0):\n        pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    foreign = run.model_copy(update={"encoding": run.encoding.model_copy(update={"target": "mine.RoPE"})})
    assert ids(foreign) != ids(run)


def test_a_shipped_name_is_of_no_other_class(composed: Compose) -> None:
    with pytest.raises(Refused, match=r"encoding=nope is harness.encodings.nope.NoPE and nothing else"):
        composed("encoding=nope", "encoding._target_=harness.encodings.sandwich.Sandwich")


def test_a_default_said_aloud_is_the_default(composed: Compose) -> None:
    """So a new option that changes nothing by default leaves all ids as they were."""
    run = composed()
    told = {name: option for name, option in run.encoding.options.items() if name != "layout"}
    older = run.model_copy(update={"encoding": run.encoding.model_copy(update={"options": told})})
    assert ids(older) == ids(run)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("train.weight_decay=-0.0", "train.weight_decay=0"),
        ("train.clip=-0.0", "train.clip=0.0"),
        ("train.learning_rate=1e-3", "train.learning_rate=0.001"),
        ("encoding.base=500", "encoding.base=5.0e2"),
        ("extension=[ntk,extrapolate]", "extension=[extrapolate,ntk]"),
        ("lengths.grid=[30,5,5,20]", "lengths.grid=[5,20,30]"),
    ],
)
def test_the_same_said_otherwise_is_the_same_run(composed: Compose, one: str, other: str) -> None:
    assert ids(composed(one)) == ids(composed(other))
