"""Runs that are trained as one program become what each becomes by itself."""

from collections.abc import Callable
from pathlib import Path

import members
import pytest
import torch
import torch.nn.functional as F
from support import choices

from harness import declarations
from harness.config.schema import Run
from harness.errors import Refused
from harness.models.base import Model
from harness.runs.job import Job, training_data
from harness.system.signals import Interrupt
from harness.training import member_batches
from harness.training.learning import Learning
from harness.training.module import dropout_seed
from harness.training.stack import Stack

Composed = Callable[..., Run]


@pytest.mark.slow
@pytest.mark.parametrize(
    "overrides",
    [
        ("encoding=rope",),
        ("encoding=alibi", "optimizer=sgd", "train.learning_rate=0.1", "train.clip=0"),
        ("encoding=t5", "architecture=decoder", "architecture.dropout=0.2"),
        ("encoding=learned", "architecture=chomsky_encoder"),
        ("encoding=kerple_log", "architecture=gpt2", "positions=random_offset"),
        ("encoding=fope", "architecture=llama", "schedule=warm_up_stable_decay"),
        ("encoding=nope", "architecture=cnn", "architecture.dropout=0.2"),
        ("encoding=cope", "trainer.kernel=explicit"),
    ],
    ids=" ".join,
)
def test_after_thirty_steps_members_are_what_they_are_by_themselves(
    overrides: tuple[str, ...], composed: Composed, tmp_path: Path
) -> None:
    own = members.jobs(composed, *overrides, seeds=(0, 1))
    expected = {job.run.seed: members.alone(job, tmp_path / "alone") for job in own}
    stacked = members.jobs(composed, *overrides, seeds=(0, 1))
    found = members.together(stacked, tmp_path / "together")
    assert found.keys() == expected.keys()
    for job, other in zip(stacked, own, strict=True):
        result, known = found[job.run.seed], expected[job.run.seed]
        assert members.difference(job, other) < 1e-6
        assert result.loss == pytest.approx(known.loss, abs=1e-5)
        assert (result.steps, result.members, known.members) == (known.steps, 2, 1)
    losses = {round(result.loss or 0, 4) for result in found.values()}
    assert len(losses) == 2, "each has data and weights of its own"


def test_the_comparison_would_show_another_stream_of_data(composed: Composed, tmp_path: Path) -> None:
    first, second = members.jobs(composed, seeds=(0, 1))
    members.alone(first, tmp_path)
    members.alone(second, tmp_path)
    assert members.difference(first, second) > 0.01


def gradients(job: Job) -> dict[str, torch.Tensor]:
    """Those of one network on its first batch, as wide as its longest row."""
    batch = training_data(job, 1)(0)
    torch.manual_seed(dropout_seed(job.run.seed, 0))
    hidden = job.model(batch.tokens, batch.positions)
    logits = job.model.readout(hidden.flatten(0, 1)[batch.scored])
    (F.cross_entropy(logits.float(), batch.targets, reduction="sum") / batch.total).backward()
    return {name: p.grad for name, p in job.model.named_parameters() if p.grad is not None}


def fitting(composed: Composed, words: tuple[str, ...]) -> list[Job]:
    """Two seeds on the first of a few tasks, with the first of a few other choices, that these fit."""
    refusals = []
    for others in (
        ("task=copy",),
        ("task=copy", "encoding=nope"),
        ("task=parity",),
        ("task=copy", "architecture=encoder"),
        ("task=copy", "model.layers=4"),
    ):
        try:
            return members.jobs(composed, *others, *words, seeds=(0, 1))
        except Refused as refusal:
            refusals.append(str(refusal))
    raise AssertionError(refusals)


ELSEWHERE = {"learned_levels", "multi_channel_rope", "pretrained_rotary", "pretrained_table", "swin", "swin_v2"}
"""Encodings of positions that few tasks have, and of saved networks."""
ENCODINGS = [(f"encoding={name}",) for name in choices("encoding") if name not in ELSEWHERE]
NETWORKS = [
    *((f"architecture={name}",) for name in choices("architecture") if name != "huggingface"),
    *((f"mixer=[{name}]", "encoding=nope") for name in choices("mixer")),
    ("mixer.attention.sinks=true", "encoding=t5"),
    ("mixer.attention.window=3", "encoding=alibi"),
]


@pytest.mark.parametrize("words", [*ENCODINGS, *NETWORKS], ids=" ".join)
def test_gradients_are_those_of_each_network(words: tuple[str, ...], composed: Composed) -> None:
    jobs = fitting(composed, words)
    batches = [data(0) for data in map(members.wide, jobs)]
    expected = [gradients(job) for job in jobs]
    stack = Stack([job.model for job in jobs], jobs[0].run.train, jobs[0].optimization, seeds=[0, 1])
    if not declarations.lookup(jobs[0].run.architecture.target).attributes["stackable"]:
        with pytest.raises(RuntimeError, match=r"[Bb]atching rule|vmap"):
            stack.losses(batches)
        return
    found = stack.gradients(stack.losses(batches))
    for number, own in enumerate(expected):
        assert own.keys() == found.keys()
        for name, gradient in own.items():
            torch.testing.assert_close(found[name][number], gradient, rtol=1e-5, atol=1e-8, msg=f"{name} of {number}")


def learning_after(steps: dict[int, int]) -> members.Looking:
    """Looks every five steps that find everything right from a step on, by seed; the others never."""

    def looking(seed: int) -> Learning:
        looks = iter(range(5, 1000, 5))
        return Learning(lambda model: (float(next(looks) >= steps.get(seed, 1000)), None), 5, 0.5)

    return looking


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["cosine", "warm_up_stable_decay"])
def test_a_member_that_has_learned_ends_when_it_would_by_itself(
    schedule: str, composed: Composed, tmp_path: Path
) -> None:
    """After a cosine it ends at once, and otherwise with a decay that the others do not have yet."""
    words = ("train.until=0.5", f"schedule={schedule}")
    looking = learning_after({0: 10, 1: 20})
    own = members.jobs(composed, *words)
    expected = {job.run.seed: members.alone(job, tmp_path / "alone", looking) for job in own}
    stacked = members.jobs(composed, *words)
    found = members.together(stacked, tmp_path / "together", looking)
    steps = [found[seed].steps for seed in (0, 1, 2)]
    assert steps == [expected[seed].steps for seed in (0, 1, 2)]
    assert steps[0] < steps[1] < steps[2] == 30
    for job, other in zip(stacked, own, strict=True):
        assert members.difference(job, other) < 1e-6
        assert found[job.run.seed].looks == expected[job.run.seed].looks
        assert found[job.run.seed].loss == pytest.approx(expected[job.run.seed].loss, abs=1e-5)


def interrupted_at(step: int) -> tuple[members.Looking, Interrupt]:
    """An interrupt that the look after this step requests."""
    interrupt = Interrupt(final=False)

    def looking(seed: int) -> Learning:
        looks = iter(range(1, 1000))

        def held(model: Model) -> tuple[float, None]:
            if next(looks) == step:
                interrupt.requested_at = 0.0
            return 0.0, None

        return Learning(held, 1, 0.5)

    return looking, interrupt


@pytest.mark.slow
@pytest.mark.parametrize("then", ["alone", "together"])
def test_members_that_were_interrupted_go_on_alone_or_together(then: str, composed: Composed, tmp_path: Path) -> None:
    words = ("architecture.dropout=0.1", "trainer.checkpoint_every=5")
    own = members.jobs(composed, *words)
    expected = {job.run.seed: members.alone(job, tmp_path / "alone") for job in own}
    looking, interrupt = interrupted_at(12)
    with pytest.raises(KeyboardInterrupt):
        members.together(members.jobs(composed, *words), tmp_path / "cut", looking, interrupt=interrupt)
    kept = sorted(path.name[:13] for path in (tmp_path / "cut" / "1").glob("*.ckpt"))
    assert kept == ["step-00000010", "step-00000012"]
    jobs = members.jobs(composed, *words)
    if then == "together":
        found = members.together(jobs, tmp_path / "cut")
    else:
        found = {
            job.run.seed: members.alone(job, tmp_path / "cut", resumed=members.resumed(job, tmp_path / "cut"))
            for job in jobs
        }
    for job, other in zip(jobs, own, strict=True):
        result, known = found[job.run.seed], expected[job.run.seed]
        assert members.difference(job, other) < 1e-6
        assert result.loss == pytest.approx(known.loss, abs=1e-5)
        assert (list(result.resumed_from), len(result.threads), result.members) == ([12], 2, 3)


@pytest.mark.slow
def test_runs_that_were_interrupted_alone_go_on_together(composed: Composed, tmp_path: Path) -> None:
    """At different steps: each goes on from its own."""
    own = members.jobs(composed)
    for job in own:
        members.alone(job, tmp_path / "alone")
    for seed, step in ((0, 7), (1, 7), (2, 12)):
        looking, interrupt = interrupted_at(step)
        (job,) = members.jobs(composed, seeds=[seed])
        with pytest.raises(KeyboardInterrupt):
            members.alone(job, tmp_path / "cut", looking, interrupt=interrupt)
    jobs = members.jobs(composed)
    found = members.together(jobs, tmp_path / "cut")
    assert [list(found[seed].resumed_from) for seed in (0, 1, 2)] == [[7], [7], [12]]
    for job, other in zip(jobs, own, strict=True):
        assert members.difference(job, other) < 1e-6


def test_members_whose_loss_is_not_finite_are_left_to_themselves(
    composed: Composed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = members.jobs(composed, "train.learning_rate=1e30", "train.clip=0", "train.warmup=0")
    assert members.together(jobs, tmp_path) == {}
    assert caplog.text.count("is trained by itself") == 3


def test_a_network_that_is_another_one_together_is_refused(composed: Composed, tmp_path: Path) -> None:
    jobs = members.jobs(composed)
    for number, job in enumerate(jobs):
        job.model.embedding.scaled = number == 0  # no parameter, and not the same in all
    with pytest.raises(Refused, match="get other gradients together"):
        members.together(jobs, tmp_path)


def test_positions_of_their_own_stay_their_own(composed: Composed) -> None:
    """Random positions differ between members; where all count up, one row serves all."""
    for rule, shared in (("sequential", True), ("randomized", False)):
        jobs = members.jobs(composed, f"positions={rule}")
        batches = [data(3) for data in map(members.wide, jobs)]
        joined = member_batches.together(batches)
        assert joined.shared_positions == shared
        for number, batch in enumerate(batches):
            values = joined.positions if shared else joined.positions[number]
            assert torch.equal(values, batch.positions.values)
            assert int(joined.weights[number].sum()) == len(batch.scored) == int(joined.total[number])
