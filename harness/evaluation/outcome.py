"""What a finished run has found: scores, baselines, what its test examples are and what it cost."""

import resource
import sys
import time
from typing import Any

import torch

from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.evaluation import baselines, coverage, held_out, overlap, scoring
from harness.layouts.base import Layout
from harness.models.base import Model
from harness.results.paths import baseline_cache
from harness.results.records import Cost, ScoreRow, SliceRow
from harness.training.loop import TrainingResult
from tasks.base import Task


def evaluated(
    run: Run, task: Task, layout: Layout, model: Model, trained: TrainingResult, device: torch.device
) -> dict[str, Any]:
    """Evaluate a trained model: the part of the record that a finished run has."""
    tested = identity.tested_lengths(run, task)
    rule, extensions = instantiation.rule(run), instantiation.extensions(run)
    clock = _Clock()
    scores = scoring.evaluate(
        model,
        task,
        layout,
        rule,
        extensions,
        tested,
        train_length=run.lengths.train,
        examples=run.evaluation.examples,
        device=device,
    )
    evaluation_seconds = clock()
    science, cache = identity.science(run, task), baseline_cache(run.results)
    baseline = baselines.baselines(task, layout, tested, run.evaluation.examples, science, cache)
    baseline_seconds = clock()
    drawn = trained.steps * run.train.batch
    trained_lengths, examples = identity.training_lengths(run, task), run.evaluation.examples
    tests = overlap.test_facts(
        task, layout, trained_lengths, tested, seed=run.seed, trained_examples=drawn, examples=examples
    )
    overlap_seconds = clock()
    held = [] if run.selection is None else held_out.counts(run, task, layout, model, device)
    reach = {"train_length": run.lengths.train, "test_length": max(tested)}
    return {
        "status": "finished",
        "novelty": coverage.uncovered(model, task, layout, rule, extensions, **reach),
        "scores": [ScoreRow(**_counts(score)) for score in scores if not score.at],
        "slices": [SliceRow(**_counts(score), at=dict(score.at)) for score in scores if score.at],
        **baseline._asdict(),
        "tests": tests,
        "training_compared": 0 if task.form == "stream" else min(drawn, overlap.MOST),
        "final_loss": trained.loss,
        "looks": list(trained.looks),
        "held_out": held,
        "cost": Cost(
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            receptive_field=model.receptive_field,
            steps=trained.steps,
            examples=trained.steps * run.train.batch,
            training_tokens=trained.tokens,
            training_positions=trained.positions,
            training_flops=trained.flops,
            training_seconds=round(trained.seconds, 2),
            evaluation_seconds=evaluation_seconds,
            baseline_seconds=baseline_seconds,
            overlap_seconds=overlap_seconds,
            resumed_from=list(trained.resumed_from),
            threads=list(trained.threads),
            initial_weights=trained.initial,
            peak_memory_bytes=_peak_memory(device),
        ),
    }


class _Clock:
    """Says the seconds since it was last asked."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self) -> float:
        now = time.monotonic()
        seconds, self._last = now - self._last, now
        return round(seconds, 2)


def _counts(score: scoring.Score) -> dict[str, Any]:
    return {key: value for key, value in score._asdict().items() if key != "at"}


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
