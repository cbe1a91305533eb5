"""Show a task: sample questions and answers, what a model reads and predicts, what a trained one answers, and the
scores of trivial baselines.
"""

import inspect
import math
import re
import textwrap
from collections.abc import Sequence

import numpy as np

from harness.composition.arguments import Parser, path
from harness.composition.compose import composer
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.evaluation import baselines
from harness.evaluation.answers import print_answers
from harness.evaluation.trained_models import of_record
from harness.layouts.base import Layout, TokenBatch
from harness.positions.base import Sequences
from harness.progress import columns, fitted
from harness.results import metrics
from harness.rng import generator
from tasks.base import ABSENT, Batch, Task

WIDE = 100
"""Characters of the longest line."""
MOST = 1000
"""The most examples that can be shown."""
LONGEST = 20_000
"""The most tokens that can be shown."""


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness show", description=__doc__)
    parser.add_argument("overrides", nargs="*", help="as for a run, for example task=addition task.answer=plain")
    parser.add_argument(
        "--length", type=int, help="length of the examples (default: about a third of the training length)"
    )
    parser.add_argument("--count", type=int, default=4, help="number of examples")
    parser.add_argument("--config-dir", help="folder with choices of your own")
    parser.add_argument(
        "--model", type=path, metavar="RECORD", help="record of a trained run: its config, and what its model answers"
    )
    parsed = parser.read(arguments)
    weights = None
    if parsed.model:
        run, weights = of_record("--model", parsed.model, parsed.overrides)
    else:
        with composer([] if parsed.config_dir is None else [parsed.config_dir]) as hydra:
            run = hydra.run(parsed.overrides)
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    trained = identity.training_lengths(run, task)
    length = trained[len(trained) // 3] if parsed.length is None else parsed.length
    if not 1 <= parsed.count <= MOST:
        raise Refused(f"--count {parsed.count}: give a number from 1 to {MOST}")
    if not task.produces(length):
        raise Refused(f"--length {length}: task={run.task.name} cannot produce that length")
    if layout.width(task, length) > LONGEST:
        raise Refused(f"--length {length}: these are {layout.width(task, length)} tokens; {LONGEST} can be shown")
    try:
        instantiation.rule(run).maximum_position(task, length, layout.width(task, length), training=True)
    except ValueError as error:
        raise Refused(f"--length {length}: positions={run.positions.name}: {error}") from error
    print(f"{run.task.name}, version {task.version}")
    _print_definition(task)
    _print_options(run)
    rng = generator("show", length)
    batch = task.sample(rng, length, parsed.count)
    print(f"\nexamples of length {length}")
    for question, answer in zip(*_tokens(task, batch), strict=True):
        for line in task.write(question, answer).splitlines():
            print(
                textwrap.fill(line, columns(WIDE), initial_indent="  ", subsequent_indent="    ", drop_whitespace=False)
            )
    heading = (
        f"what architecture={run.architecture.name} reads, what it should predict for each token, "
        "and the position index each token receives (first example)"
    )
    print(f"\n{fitted(heading)}")
    rule = instantiation.rule(run)
    channels = {name: numbers[:1] for name, numbers in batch.channels.items()}
    first = Batch(batch.prompt[:1], batch.answer[:1], batch.scored[:1], channels)
    arranged, channels = layout.arrange(first, length), layout.channels(first, length, rule.needs)
    positions = rule.sample(
        rng, Sequences(arranged.lengths, arranged.tokens.shape[1], training=True, channels=channels)
    )[0]
    _print_columns(layout, arranged, positions)
    if weights:
        print_answers(run, task, layout, batch, length, weights)
    tested = identity.tested_lengths(run, task)
    lengths = f"trained on lengths {trained[0]} to {trained[-1]}, tested on {', '.join(map(str, tested))}"
    print("\n" + textwrap.fill(lengths, columns(WIDE), subsequent_indent="  "))
    _print_baselines(task, layout, [trained[-1], tested[-1]], run.evaluation.examples)
    for line in task.known_results:
        print(textwrap.fill(f"published: {line}", columns(WIDE), subsequent_indent="  "))
    return 0


def definition(task: Task) -> list[str]:
    """The docstring of a task: a line per paragraph and per item of a list, with code between backquotes."""
    paragraphs = re.split(r"\n\n|\n(?=- )", inspect.getdoc(type(task)) or "")
    return [
        re.sub(r":\w+:`~?([^`]*)`", r"`\1`", " ".join(paragraph.split())).replace("``", "`")
        for paragraph in paragraphs
        if not paragraph.startswith("Raises ")
    ]


def _print_definition(task: Task) -> None:
    for line in definition(task):
        indent = "    " if line.startswith("- ") else "  "
        print(textwrap.fill(line.replace("`", ""), columns(WIDE), initial_indent="  ", subsequent_indent=indent))


def _print_options(run: Run) -> None:
    if run.task.options:
        options = ", ".join(f"task.{key}={value}" for key, value in run.task.options.items())
        print("\n" + textwrap.fill(f"options: {options}", columns(WIDE), subsequent_indent="  "))


def _print_baselines(task: Task, layout: Layout, lengths: Sequence[int], examples: int) -> None:
    """The scores of trivial baselines, a line each."""
    found = baselines.compute(task, layout, lengths, examples)
    rates = {
        "blind": [metrics.rate(row) for row in found.blind],
        "chance": [metrics.rate(row) for row in found.chance],
        **{f"shortcut {name}": [metrics.rate(row) for row in rows] for name, rows in found.shortcuts.items()},
    }
    first = "bits per byte" if task.metric == "bits_per_byte" else "exact match"
    ends = any(row.ends for row in found.blind)
    measured = f"{first}, token accuracy{', token accuracy without the end of the answer' if ends else ''}"
    print(
        textwrap.fill(
            f"trivial baselines: {measured} (blind: from the length and the index in the answer alone)",
            columns(WIDE),
            subsequent_indent="  ",
        )
    )
    widest = max(map(len, rates))
    wide = 21 if ends else 14
    print(f"  {'':<{widest}}" + "".join(f"  {f'length {length}':>{wide}}" for length in lengths))
    for name, rows in rates.items():
        values = [
            (
                row.bits if task.metric == "bits_per_byte" else row.exact_match,
                row.token_accuracy,
                *([row.without_ends] if ends else []),
            )
            for row in rows
        ]
        if not all(math.isnan(row[0]) for row in values):
            cells = [", ".join("  -  " if math.isnan(value) else f"{value:.3f}" for value in row) for row in values]
            print(f"  {name:<{widest}}" + "".join(f"  {cell:>{wide}}" for cell in cells))


def _tokens(task: Task, batch: Batch) -> tuple[list[list[str]], list[list[str]]]:
    """Prompts and answers as words; in labels, "" where there is none."""

    def written(rows: np.ndarray) -> list[list[str]]:
        return [[task.alphabet[token] for token in row if token != ABSENT] for row in rows]

    prompts = written(batch.prompt)
    if task.form != "labels":
        return prompts, written(batch.answer)
    labels = [["" if token == ABSENT else task.alphabet[token] for token in row] for row in batch.answer]
    return prompts, [row[: len(prompt)] for prompt, row in zip(prompts, labels, strict=True)]


def _position(position: np.ndarray) -> str:
    """A whole number, a fraction, or a pair on a grid such as 2,3."""
    form = ".5g" if position.dtype.kind == "f" else "d"
    return ",".join(format(number, form) for number in np.atleast_1d(position))


def _print_columns(layout: Layout, arranged: TokenBatch, positions: np.ndarray) -> None:
    """Three lines, one column per token, wrapped."""
    count = int(arranged.lengths[0])
    reads = layout.symbols(arranged.tokens[0, :count])
    predicts = [
        word if scored else "."
        for word, scored in zip(layout.symbols(arranged.targets[0, :count]), arranged.scored[0], strict=False)
    ]
    shown = [_position(position) for position in positions[:count]]
    widths = [max(map(len, column)) for column in zip(reads, predicts, shown, strict=True)]
    start = 0
    while start < count:
        end = start + 1
        while end < count and sum(widths[start : end + 1]) + end - start + 12 < columns(WIDE):
            end += 1
        for name, cells in (("reads", reads), ("predicts", predicts), ("position", shown)):
            print(
                f"  {name:<9} "
                + " ".join(cell.rjust(width) for cell, width in zip(cells[start:end], widths[start:end], strict=True))
            )
        start = end
        if start < count:
            print()
