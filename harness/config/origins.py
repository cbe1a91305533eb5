"""What weights that are trained further were trained on before: the lengths, and what extensions made of the encoding.

Such weights come from another run (``weights_from``) or from a saved network (an architecture that reads one). An
encoding whose parameters depend on the training length, and a logit scale that does, are made for the length of the
first training; the extensions with which the weights were trained follow, and last that of the run itself.
"""

from typing import Any, cast

from harness import declarations
from harness.config.schema import TRAIN_EXTENSION, Extended, Run
from harness.layouts.base import Layout
from harness.models import huggingface_folder
from tasks.base import Task


def original_tokens(run: Run, task: Task, layout: Layout) -> int | None:
    """Tokens of the longest sequence that the weights were trained on before this run; ``None`` where they were not, or
    where it changes nothing.
    """
    if run.lengths.original is not None:
        return layout.span(task, run.lengths.original)
    if run.weights_from is not None:
        return run.weights_from.tokens
    if run.train_extension.name != TRAIN_EXTENSION.name:
        return saved_tokens(run)
    return None


def saved_tokens(run: Run) -> int | None:
    """Tokens that a saved network was made for, by its configuration; ``None`` where the run reads none or it does not
    say.
    """
    reads = declarations.lookup(run.architecture.target).attributes["reads"]
    if not reads:
        return None
    return huggingface_folder.context(
        huggingface_folder.folder(*(cast(Any, run.architecture.options[key]) for key in reads))
    )


def built_for(run: Run, task: Task, layout: Layout) -> int:
    """Training tokens that encodings and logit scales are made for."""
    if run.weights_from is not None:
        return run.weights_from.built_for
    return original_tokens(run, task, layout) or layout.span(task, run.lengths.train)


def extended(run: Run, task: Task, layout: Layout) -> list[Extended]:
    """The extensions with which the weights are trained, in the order in which they change the encoding."""
    before = [] if run.weights_from is None else run.weights_from.extended
    trained = original_tokens(run, task, layout)
    if trained is None or run.train_extension.name == TRAIN_EXTENSION.name:
        return before
    # Where nothing becomes longer, a fixed factor or another base is what is wanted: see Extension.alters.
    target = max(layout.span(task, run.lengths.train), trained + 1)
    return [*before, Extended(extension=run.train_extension, trained=trained, target=target)]
