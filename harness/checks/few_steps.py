"""A run of a few steps with a choice, from data to record, in a folder that is removed."""

import contextlib
import io
import math
import tempfile

from harness import recipe
from harness.checks.claims import DoesNotApply, Failed, require
from harness.checks.tried import FURTHER, SMALL, Tried
from harness.composition.compose import Composer
from harness.config import identity, instantiation
from harness.config.schema import LISTED_GROUPS
from harness.errors import counted

STEPS = 3
FEW = ("train=quick", f"train.steps={STEPS}", "train.warmup=1", "evaluation.examples=4", "logger=[]")


def ends_in_a_record(hydra: Composer, choice: Tried) -> str:
    """What the run of a few steps came to. Raises :class:`Failed` where it does not finish."""
    if choice.group == FURTHER:
        raise DoesNotApply("weights of another run are trained further with it")
    run = choice.valid()
    tested = identity.tested_lengths(run, instantiation.task(run))
    trained = [length for length in tested if length <= run.lengths.train]
    lengths = [*trained[-1:], *tested[len(trained) : len(trained) + 1]]
    chosen = f"{choice.group}=[{choice.name}]" if choice.group in LISTED_GROUPS else f"{choice.group}={choice.name}"
    few = [word for word in FEW if word.partition("=")[0] != choice.group]
    words = [*SMALL, *few, *choice.background, chosen, f"lengths.grid={lengths}".replace(" ", ""), *choice.words]
    with tempfile.TemporaryDirectory(prefix="harness-check-") as folder:
        small = hydra.run([*words, f"results={folder}"])
        with contextlib.redirect_stderr(io.StringIO()):
            record = recipe.execute(small)
    if record is None:
        raise Failed("it gave no record")
    require(record.status == "finished" and record.cost, f"it failed: {record.reason}")
    assert record.cost is not None
    require(all(math.isfinite(score.nats) for score in record.scores), "a score is not finite")
    require({score.length for score in record.scores} == set(lengths), f"it scored other lengths than {lengths}")
    return f"{counted(record.cost.steps, 'step')}, lengths {' and '.join(map(str, lengths))}"
