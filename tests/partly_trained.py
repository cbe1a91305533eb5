"""Models that are right sometimes, so that agreement means something, and their scores."""

import torch

from harness.config import instantiation, network
from harness.config.schema import Run
from harness.evaluation import scoring
from harness.layouts import Causal
from harness.models.base import Model
from harness.positions.base import PositionRule
from tasks.base import Task
from tasks.copying.copy import Copy

CPU = torch.device("cpu")


def scored(model: Model, questions: scoring.Questions, rule: PositionRule) -> scoring.Score:
    """The score of the whole of one length."""
    return next(
        scoring._scores(scoring.judgements(model, questions, rule, Causal(Copy()), CPU), questions, "extrapolate")
    )


def partly_trained(run: Run, steps: int) -> tuple[Model, Task, Causal]:
    """A model that is right sometimes, so that agreement means something."""
    from harness.config.identity import training_lengths
    from harness.data.training_examples import TrainingData

    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    torch.manual_seed(0)
    model = network.model(run, task, layout)
    data = TrainingData(task, layout, instantiation.rule(run), training_lengths(run, task), seed=0, batch=64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for step in range(steps):
        batch = data(step)
        hidden = model(batch.tokens, batch.positions).flatten(0, 1)[batch.scored]
        torch.nn.functional.cross_entropy(model.readout(hidden), batch.targets).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model.eval(), task, layout
