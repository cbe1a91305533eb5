"""Every optimizer of conf/optimizer and every schedule of conf/schedule, and what a run makes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import choices, component, held, record

from harness.checks.batteries import schedule as battery
from harness.checks.batteries.optimizer import Subject, learns, made, resumes, trained
from harness.checks.batteries.schedule import CLAIMS
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.optimizers.muon import hidden_matrices
from harness.results.frames import of
from harness.results.tables import leaderboard
from harness.training import loop

SMALL = ("model=nano", "task=copy", "lengths.train=5", "lengths.test=10", "trainer=cpu", "train.warmup=5")
RATES = {"sgd": 0.1}
"""Learning rates for optimizers that that of AdamW is not for."""


@pytest.mark.slow
@pytest.mark.parametrize("schedule", choices("schedule"))
@pytest.mark.parametrize("optimizer", choices("optimizer"))
def test_they_train(optimizer: str, schedule: str, composed: Callable[..., Run]) -> None:
    rate = RATES.get(optimizer, 0.003)
    chosen = (f"optimizer={optimizer}", f"schedule={schedule}", f"train.learning_rate={rate}")
    run = composed(*SMALL, "task.symbols=4", "train.steps=100", *chosen)
    learns(Subject(run))


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("optimizer.momentum=0.0",)])
@pytest.mark.parametrize("optimizer", choices("optimizer"))
def test_training_that_was_cut_ends_with_the_same_weights(
    optimizer: str, options: tuple[str, ...], composed: Callable[..., Run]
) -> None:
    """The state of every optimizer is found in a checkpoint, recognised and taken up."""
    options = options if optimizer != "adamw" else ()
    run = composed(*SMALL, f"optimizer={optimizer}", *options)
    resumes(Subject(run))


def test_a_checkpoint_of_another_optimizer_is_left_aside(
    composed: Callable[..., Run], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = (*SMALL, "train.steps=20", "trainer.checkpoint_every=8")
    trained(composed(*words, "optimizer=sgd"), tmp_path)
    for other in ("adamw", "muon"):
        caplog.clear()
        run = composed(*words, f"optimizer={other}")
        model, _, optimization = made(run)
        where = {"seed": run.seed, "checkpoints": tmp_path, "training": "tried"}
        assert loop.resumable(model, run.train, optimization, **where) is None  # type: ignore[arg-type]
        assert "not of this model and optimizer" in caplog.text


def test_muon_is_muon_on_matrices_of_blocks_and_adamw_elsewhere(composed: Callable[..., Run], tmp_path: Path) -> None:
    """Two optimizers side by side, written out once more."""
    run = composed(
        *SMALL, "encoding=t5", "train.steps=12", "optimizer=muon", "train.weight_decay=0.1", "train.clip=0",
        "schedule=constant",
    )  # fmt: skip
    model, _ = trained(run, tmp_path)

    mine, data, _ = made(run)
    inner = {f"blocks.{n}.{part}.weight" for n in range(run.model.layers) for part in
             ("mixer.project", "mixer.output", "widen", "narrow")}  # fmt: skip
    named = dict(mine.named_parameters())
    assert inner <= set(named)
    outer = {name: p for name, p in named.items() if name not in inner}
    groups = [
        {"params": [p for p in outer.values() if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in outer.values() if p.ndim < 2], "weight_decay": 0.0},
    ]
    both = (
        torch.optim.Muon(
            [named[name] for name in inner], lr=1, weight_decay=0.1, momentum=0.95, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(groups, lr=1, betas=(0.9, run.train.beta2)),
    )
    for step in range(12):
        batch = data(step)
        logits = mine.readout(mine(batch.tokens, batch.positions)).flatten(0, 1)[batch.scored]
        mine.zero_grad()
        torch.nn.functional.cross_entropy(logits, batch.targets).backward()
        for optimizer in both:
            for group in optimizer.param_groups:
                group["lr"] = run.train.learning_rate * min(1, (step + 1) / 5)
            optimizer.step()
    start = dict(made(run)[0].named_parameters())
    for (name, theirs), own in zip(model.named_parameters(), mine.parameters(), strict=True):
        moved = (own - start[name]).norm()  # Muon computes in bfloat16, which makes much of a rounding error
        assert (theirs - own).norm() < 0.02 * moved, name


def test_encodings_have_a_learning_rate_of_their_own(composed: Callable[..., Run], tmp_path: Path) -> None:
    """The first step of Adam is as long as the learning rate for every number that has a gradient."""
    words = (*SMALL[:-1], "encoding=t5", "train.steps=1", "train.warmup=0", "train.clip=0", "schedule=constant")
    run = composed(*words, "optimizer.encoding_rate=0.1")
    start = dict(made(run)[0].named_parameters())
    moved = {name: (p - start[name]).abs() for name, p in trained(run, tmp_path)[0].named_parameters()}
    table = next(change for name, change in moved.items() if change.shape == (run.model.heads, 32))
    assert table.max().item() == pytest.approx(0.1 * run.train.learning_rate, rel=1e-3)
    others = [change.max().item() for change in moved.values() if change is not table]
    assert others == pytest.approx([run.train.learning_rate] * len(others), rel=1e-3)


def test_a_learning_rate_for_what_is_not_learned_is_refused(command: Callable[..., Any], tmp_path: Path) -> None:
    done = command("encoding=rope", "optimizer.encoding_rate=0.1", *SMALL)
    assert done.returncode == 2
    assert "optimizer=adamw with architecture=decoder: encoding_rate=0.1: the encoding has no parameters" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("architecture", choices("architecture"))
def test_muon_leaves_embeddings_readouts_and_encodings_to_adamw(
    architecture: str, composed: Callable[..., Run]
) -> None:
    """A prediction changes with the readout through nothing that Muon moves."""
    try:
        run = composed("model=nano", f"architecture={architecture}", "encoding=nope", "logit=standard")
        model, *_ = made(run)
    except Refused:
        pytest.skip("it needs something else beside it")
    matrices = hidden_matrices(model)
    assert all(matrix.ndim == 2 for matrix in matrices)
    assert len({id(matrix) for matrix in matrices}) == len(matrices)
    model.readout(torch.zeros(1, run.model.dimension)).sum().backward()
    read = [matrix for matrix in matrices if matrix.grad is not None]
    assert not read
    tables = [module.weight for module in model.modules() if isinstance(module, torch.nn.Embedding)]
    assert not {id(table) for table in tables} & {id(matrix) for matrix in matrices}


def test_where_muon_has_nothing_to_do_it_is_refused_before_anything_is_written(
    command: Callable[..., Any], tmp_path: Path
) -> None:
    done = command("optimizer=muon", "architecture=lstm", "encoding=nope", *SMALL)
    assert done.returncode == 2
    assert "optimizer=muon with architecture=lstm: the network has no blocks" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", choices("schedule"))
@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
def test_a_schedule_keeps(claim: Callable[[battery.Subject], object], name: str) -> None:
    held(claim, battery.Subject(component("schedule", name)))


@pytest.mark.parametrize("name", choices("schedule"))
def test_a_schedule_is_a_share_of_the_peak(name: str) -> None:
    for steps in (1, 7, 1000):
        shares = [component("schedule", name).factor(step, steps) for step in range(steps)]  # restarts has one part
        assert shares[0] == 1
        assert all(0 <= share <= 1 for share in shares)
        assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("name", [name for name in choices("schedule") if name != "constant"])
def test_a_schedule_ends_at_the_share_that_it_is_given(name: str) -> None:
    assert component("schedule", name, final=0.1).factor(1000, 1000) == pytest.approx(0.1)
    assert component("schedule", name).factor(1000, 1000) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("form", ["linear", "one_minus_sqrt"])
def test_warm_up_stable_decay_is_stable_and_then_decays(form: str) -> None:
    wsd = component("schedule", "warm_up_stable_decay", decay=0.25, form=form)
    assert [wsd.factor(step, 100) for step in (0, 40, 75)] == [1, 1, 1]
    assert wsd.factor(84, 100) == pytest.approx({"linear": 0.64, "one_minus_sqrt": 0.4}[form])
    never = component("schedule", "warm_up_stable_decay", decay=0.0)
    assert never.factor(100, 100) == 1


def test_restarts_go_down_again_and_again_and_end_with_training() -> None:
    """Parts of 10, 20 and 40 steps; what is left too few for another belongs to the last one."""
    restarts = component("schedule", "restarts", first=10, final=0.1)
    for steps, begins in ((5, [0]), (29, [0]), (30, [0, 10]), (69, [0, 10]), (70, [0, 10, 30]), (100, [0, 10, 30])):
        shares = [restarts.factor(step, steps) for step in range(steps + 1)]
        assert [step for step in range(steps + 1) if shares[step] == 1] == begins
        for begin, end in zip(begins, [*begins[1:], steps + 1], strict=True):
            assert shares[begin:end] == sorted(shares[begin:end], reverse=True)
        assert shares[-1] == pytest.approx(0.1)
    same = component("schedule", "restarts", first=10, growth=1)
    assert [step for step in range(35) if same.factor(step, 35) == 1] == [0, 10, 20]


@given(st.integers(1, 50), st.integers(1, 3), st.integers(1, 400), st.data())
def test_restarts_that_are_finished_end_with_the_part_in_which_all_was_learned(
    first: int, growth: int, steps: int, data: st.DataObject
) -> None:
    learned = data.draw(st.integers(1, steps))
    restarts = component("schedule", "restarts", first=first, growth=growth, finish=True)
    end = restarts.end(learned, steps)
    assert learned <= end <= steps
    assert [restarts.factor(step, end) for step in range(end)] == [restarts.factor(step, steps) for step in range(end)]
    assert end == steps or restarts.factor(end, steps) == 1, "the next step would begin another part"
    assert component("schedule", "restarts", first=first, growth=growth).end(learned, steps) == learned


@pytest.mark.slow
def test_the_usual_ones_leave_ids_as_they_were_and_others_do_not(composed: Callable[..., Run]) -> None:
    usual = composed("schedule=cosine")
    names = {"usual": identity.training_name(usual, instantiation.task(usual))}
    assert not {"optimizer", "schedule"} & set(identity.training(usual, instantiation.task(usual)))
    for words in (
        "optimizer=sgd", "optimizer=muon", "optimizer.beta1=0.8", "schedule=linear", "schedule.final=0.1",
        "schedule=constant", "schedule=restarts",
    ):  # fmt: skip
        run = composed(*([] if words.startswith("schedule=") else ["schedule=cosine"]), words)
        names[words] = identity.training_name(run, instantiation.task(run))
    assert len(set(names.values())) == len(names)
    same = composed("optimizer.beta1=0.9", "schedule=cosine", "schedule.final=0")
    assert identity.training_name(same, instantiation.task(same)) == names["usual"]


def test_a_leaderboard_tells_them_apart(composed: Callable[..., Run]) -> None:
    chosen = ([], ["optimizer=sgd"], ["schedule=linear"], ["optimizer.beta1=0.8"])
    runs = [composed(*words) if "schedule=linear" in words else composed("schedule=cosine", *words) for words in chosen]
    table = leaderboard(of([record(run, lambda length: 5) for run in runs]))
    methods = {method for method in table.method if method.startswith("rope")}
    assert methods == {
        "rope",
        "rope · sgd",
        "rope · linear",
        "rope · adamw · beta1=0.8",
    }
