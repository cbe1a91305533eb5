"""Write docs/tasks.md and docs/tasks/ from what the tasks declare, sample and score: ``python docs/make_tasks.py``."""

import importlib
import math
from collections.abc import Iterator
from pathlib import Path

from harness.commands.show import definition
from harness.composition.compose import composer
from harness.config import catalogue, identity, instantiation
from harness.config.schema import Run
from harness.errors import Refused
from harness.evaluation import baselines
from harness.layouts import Causal
from harness.results import metrics
from harness.rng import generator
from tasks.base import ABSENT, Batch, Task

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = 256
"""Test examples on which baselines are estimated."""
SHOWN = 120
"""Characters of an example line, at most."""

HEAD = f"""\
# Tasks

There is a page for each family of tasks, with the definition, examples and trivial baselines of every one. These pages
are written by `python docs/make_tasks.py` from the tasks; a test compares them.
`python -m harness show task=NAME` prints any of them at any length and with any options, with the position of each
token. Twelve of them, `python -m harness study=core`, are learned by a small network on a CPU and separate methods.
[My task](my_task.md) shows how one is added.

## How to read these pages

*Reads and predicts* is what a causal model reads and what it should predict for each token of one example; `.` is not
scored. The trivial baselines are *chance*, which guesses each token uniformly from those that are possible there and
knows where the answer ends; *blind*, the best predictor that knows only the length and the index in the answer; and
*shortcuts*, which guess from a part of the prompt. Their scores are exact match / token accuracy (/ token accuracy
without the end of the answer, where the end is scored) on test examples of the longest trained and the longest tested
length; a model's score means what it is above these. Blind and shortcuts are scored on {EXAMPLES} examples, so a rate
of a half has an error of .06, and where nothing can be known blind is below chance as often as above. The *oracle*
solves every task; tests compare it with the sampler. [A battery of cheap predictors](shortcuts.md) was used to search
for other shortcuts.

Token accuracy counts the end of an answer, which a model has to predict, as one more token: of an answer of one symbol
it is half of the tokens, and easily guessed. The code of Deletang et al. (2023), like all that fixes the length of
answers, does not count it, so compare their figures with the third one here. Published figures that count otherwise
say so.
"""

FAMILY_HEAD = "How to read this page, and all other families: [tasks](../tasks.md).\n"


def pages() -> dict[str, str]:
    """All pages by their paths from docs/: the index, and one for each family."""
    index, written = [HEAD], {}
    for package, members in _families().items():
        path = f"tasks/{package.rpartition('.')[2]}.md"
        index += [f"## {_title(package)}", "", *_index_table(path, members), ""]
        lines = [f"# {_title(package)}", "", FAMILY_HEAD]
        lines += [", ".join(f"[`{name}`](#{name})" for name, _, _ in members)]
        for name, meaning, run in members:
            lines += ["", *_task(name, meaning, run)]
        written[path] = "\n".join([*lines, ""])
    return {"tasks.md": "\n".join(index), **written}


def _index_table(path: str, members: list[tuple[str, str, Run]]) -> Iterator[str]:
    yield "| task | what it asks |"
    yield "| --- | --- |"
    for name, meaning, _ in members:
        yield f"| [`{name}`]({path}#{name}) | {meaning.replace('|', chr(92) + '|')} |"


def _families() -> dict[str, list[tuple[str, str, Run]]]:
    """The name, the meaning and the default run of every task, by the package of its family."""
    families: dict[str, list[tuple[str, str, Run]]] = {}
    with composer() as hydra:
        hydra.cells([])  # from here on runs are composed as cells of a sweep, which share what they have in common
        for choice in catalogue.choices("task"):
            run = hydra.attempt([f"task={choice.name}"])
            if isinstance(run, Refused):
                raise run
            package = str(choice.target).rpartition(".")[0].rpartition(".")[0]
            families.setdefault(package, []).append((choice.name, choice.meaning, run))
    return dict(sorted(families.items()))


def _title(package: str) -> str:
    return (importlib.import_module(package).__doc__ or package).split("\n")[0].rstrip(".")


def _task(name: str, meaning: str, run: Run) -> list[str]:
    task = instantiation.task(run)
    trained, tested = identity.training_lengths(run, task), identity.tested_lengths(run, task)
    lines = [f"## {name}", "", f"*{meaning}.* Version {task.version}.", *_definition(task)]
    lines += ["```text", *_examples(task, run, trained), "```", ""]
    facts = [
        f"Trained on lengths {trained[0]} to {trained[-1]}, tested to {tested[-1]}; shortest that makes sense: "
        f"{next(length for length in range(1, 10**4) if task.produces(length))}.",
        f"Ranked by {task.metric.replace('_', ' ')}.",
    ]
    if run.task.options:
        options = ", ".join(f"`{key}={value}`" for key, value in run.task.options.items())
        facts.append(f"Options: {options}.")
    if task.channels:
        facts.append(f"Channels: {', '.join(task.channels)}.")
    if task.axes:
        facts.append(f"Axes: {', '.join(task.axes)}.")
    lines += [" ".join(facts), ""]
    if task.fingerprint() is None:
        lines += [*_baselines(task, [trained[-1], tested[-1]]), ""]
    lines += [f"- {line}" for line in task.known_results]
    return lines if lines[-1] else lines[:-1]


def _definition(task: Task) -> Iterator[str]:
    before = ""
    for line in definition(task):
        if not (before.startswith("- ") and line.startswith("- ")):
            yield ""
        yield line
        before = line
    yield ""


def _examples(task: Task, run: Run, trained: list[int]) -> Iterator[str]:
    if task.fingerprint() is not None:
        yield "(its data belongs to the machine: python -m harness show)"
        return
    length = trained[len(trained) // 3]
    batch = task.sample(generator("page", length), length, 3)
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        words = [task.alphabet[token] for token in prompt if token != ABSENT]
        answered = ["" if token == ABSENT else task.alphabet[token] for token in answer]
        if task.form != "labels":
            answered = [token for token in answered if token]
        yield _short(
            task.write(words, answered[: len(words)] if task.form == "labels" else answered).replace("\n", "\n    ")
        )
    layout = Causal(task)
    arranged = layout.arrange(Batch(batch.prompt[:1], batch.answer[:1], batch.scored[:1]), length)
    count = int(arranged.lengths[0])
    targets = layout.symbols(arranged.targets[0, :count])
    predicted = [word if scored else "." for word, scored in zip(targets, arranged.scored[0], strict=False)]
    reads = layout.symbols(arranged.tokens[0, :count])
    widths = [max(len(one), len(other)) for one, other in zip(reads, predicted, strict=True)]
    for title, words in (("reads   ", reads), ("predicts", predicted)):
        yield _short(" ".join([title, *(word.rjust(width) for word, width in zip(words, widths, strict=True))]))


def _short(line: str) -> str:
    return line if len(line) <= SHOWN else line[: SHOWN - 4] + " ..."


def _baselines(task: Task, lengths: list[int]) -> Iterator[str]:
    found = baselines.compute(task, Causal(task), lengths, EXAMPLES)
    known = {
        "chance": [metrics.rate(row) for row in found.chance],
        "blind": [metrics.rate(row) for row in found.blind],
        **{f"shortcut: {name}": [metrics.rate(row) for row in rows] for name, rows in found.shortcuts.items()},
    }
    yield f"| trivial baseline | {' | '.join(f'length {length}' for length in lengths)} |"
    yield "| --- | --- | --- |"
    ends = any(row.ends for row in found.blind)
    for name, rates in known.items():
        yield f"| {name} | {' | '.join(_shown(rate, ends) for rate in rates)} |"


def _shown(rate: metrics.Rate, ends: bool) -> str:
    values = [rate.exact_match, rate.token_accuracy, *([rate.without_ends] if ends else [])]
    return " / ".join("-" if math.isnan(value) else f"{value:.3f}" for value in values)


if __name__ == "__main__":
    (ROOT / "docs" / "tasks").mkdir(exist_ok=True)
    for path, text in pages().items():
        (ROOT / "docs" / path).write_text(text)
