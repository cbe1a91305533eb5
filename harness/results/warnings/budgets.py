"""Budgets that differ between the methods of a task: training examples, parameters, learning rates tried."""

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from harness.results.warnings.warning import Tabled, Warned, listed

MORE = 1.01
"""How many times the training examples of another method count as more."""
LONGER = 1.05
"""How many times the tokens in as many training examples: lengths are drawn, and differ by less between seeds."""
LARGER = 1.25
"""How many times the parameters: encodings and mixers of one size differ by less."""


def unequal_training(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task that may have taken more training examples than others. What counts is the largest number:
    where training ends when everything is learned, a method that learns fast takes fewer.
    """
    for task, runs in tabled.tasks():
        budgets = _budgets(tabled, runs)
        low, high = min(budgets.values()), max(budgets.values())
        if high > low * MORE:
            more = sorted(name for name, budget in budgets.items() if budget > low * MORE)
            yield Warned(
                "unequal training",
                task,
                more,
                f"up to {high} training examples for {listed(more)}, {low} for others",
                "compare runs with the same train.steps and train.batch",
            )


def unequal_tokens(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task whose training examples have more tokens than those of others, where records know it."""
    for task, runs in tabled.tasks():
        each = (runs.training_tokens / runs.examples).groupby(runs.method).mean().dropna()
        if len(each) and each.max() > each.min() * LONGER:
            longer = sorted(each.index[each > each.min() * LONGER])
            yield Warned(
                "unequal tokens",
                task,
                longer,
                f"{each.min():.1f} to {each.max():.1f} tokens in a training example; longer ones: {listed(longer)}",
                "compare by training_tokens or training_flops, not by examples",
            )


def _budgets(tabled: Tabled, runs: Any) -> dict[str, int]:
    known = runs[["method", "method_id"]].drop_duplicates()
    train = {name: tabled.found.methods[key]["train"] for name, key in zip(known.method, known.method_id, strict=True)}
    return {name: int(own["steps"]) * int(own["batch"]) for name, own in train.items()}


def unequal_parameters(tabled: Tabled) -> Iterator[Warned]:
    """Methods of a task that have many more parameters than another."""
    for task, runs in tabled.tasks():
        sizes = runs.groupby("method").parameters.max().dropna()
        if len(sizes) and sizes.max() > sizes.min() * LARGER:
            larger = sorted(sizes.index[sizes > sizes.min() * LARGER])
            yield Warned(
                "unequal parameters",
                task,
                larger,
                f"{sizes.min():.0f} to {sizes.max():.0f} parameters; more than {LARGER:g} times the fewest: "
                f"{listed(larger)}",
                "compare networks of one size, or show the score against the parameters",
            )


def unequal_tuning(tabled: Tabled) -> Iterator[Warned]:
    """Methods that were run with more learning rates than others of their task, or have those that more were tried
    for: the best of several is higher by chance. Trials of a search are in the record of what it chose; other rates
    that were tried and are not here cannot be known.
    """
    for task, runs in tabled.tasks():
        rates: dict[str, dict[float, str]] = defaultdict(dict)
        known = runs[["method", "method_id"]].drop_duplicates()
        for name, key in zip(known.method, known.method_id, strict=True):
            rate, rest = _without_rate(tabled.found.methods[key])
            rates[rest][rate] = name
        searched = runs.groupby("method").learning_rates_tried.max().fillna(0).to_dict()
        counts = {rest: max(len(own), *(int(searched[name]) for name in own.values())) for rest, own in rates.items()}
        tried = set(counts.values())
        if len(rates) > 1 and len(tried) > 1:
            more = sorted(name for rest, own in rates.items() if counts[rest] == max(tried) for name in own.values())
            yield Warned(
                "unequal tuning",
                task,
                more,
                f"{max(tried)} learning rates for {listed(more)}, {min(tried)} for others: the best of several is "
                "higher by chance",
                "try as many for every method and choose by the score in distribution",
            )


def _without_rate(method: dict[str, Any]) -> tuple[float, str]:
    train = {key: value for key, value in method["train"].items() if key not in ("learning_rate", "warmup")}
    return method["train"]["learning_rate"], json.dumps({**method, "train": train}, sort_keys=True, default=str)
