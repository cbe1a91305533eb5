"""Draw a position encoding and say what of it training never reaches, from a config or from a trained run."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.composition import composer
from harness.config import Run
from harness.suggest import Refused

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.encodings.base import Encoding
    from harness.layouts import Causal
    from harness.models.base import Model
    from tasks.base import Task

FORMATS = {"png": {"dpi": 150}, "svg": {"metadata": {"Date": None}}}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m harness inspect", description=__doc__)
    parser.add_argument("overrides", nargs="*", help="as for a run, for example encoding=rope extension=[ntk,yarn]")
    parser.add_argument("--record", type=Path, help="record of a trained run: its config and its weights")
    parser.add_argument("--output", type=Path, help="folder for the pictures (default: inspected/<encoding>)")
    parser.add_argument("--config-dir", help="folder with choices of your own")
    parsed = parser.parse_args(arguments)
    if parsed.record and parsed.overrides:
        raise Refused("--record brings its own config: leave out " + " ".join(parsed.overrides))
    run, weights = _trained(parsed.record) if parsed.record else (_composed(parsed), None)
    from harness import build, identity
    from harness.novelty import novelty

    task = build.task(run)
    layout = build.layout(run, task)
    longest = max(identity.tested_lengths(run, task))
    train_tokens, test_tokens = layout.width(task, run.lengths.train), layout.width(task, longest)
    model = _built(run, task, layout, weights)
    rule, extensions = build.rule(run), build.extensions(run)
    reach = {"train_length": run.lengths.train, "test_length": longest}
    title = f"{run.encoding.name}, " + (f"trained on {run.task.name}" if weights else "as initialised")
    print(f"{title}: {train_tokens} tokens in training, {test_tokens} in the longest test")
    for name, lines in novelty(model, task, layout, rule, extensions, **reach).items():
        print(f"{name}: " + ("; ".join(lines) or "nothing that training did not have"))
    output = parsed.output or Path("inspected") / run.encoding.name
    for name, figure in _figures(run, model, train_tokens, test_tokens, title):
        print(_save(figure, output, name))
    return 0


def _composed(parsed: argparse.Namespace) -> Run:
    with composer([parsed.config_dir] if parsed.config_dir else []) as hydra:
        return hydra.run(parsed.overrides)


def _trained(path: Path) -> tuple[Run, Path]:
    """The run of a record and its weights."""
    from harness import records

    record = records.read(path)
    run = Run.model_validate({**record.config, "results": str(path.parent.parent)})
    where = records.places(run.results, record.name, record.training_name)
    if not where.weights.exists():
        raise Refused(f"{where.weights}: the weights of this run are not here")
    return run, where.weights


def _built(run: Run, task: "Task", layout: "Causal", weights: Path | None) -> "Model":
    import torch

    from harness import build
    from harness.weights import load

    torch.manual_seed(run.seed)
    model = build.model(run, task, layout)
    if weights:
        load(model, weights)
    return model.eval()


def _figures(
    run: Run, model: "Model", train_tokens: int, test_tokens: int, title: str
) -> "Iterator[tuple[str, Figure]]":
    """Every picture that says something about the encoding of the first layer."""
    from harness import build, diagnostics
    from harness.evaluation import extended
    from harness.figures import encodings as draw
    from harness.shape import Shape

    shape = Shape(run.model.dimension, run.model.heads, run.model.layers, train_tokens)
    kernels, biases = {}, {}
    for name, extension in build.extensions(run).items():
        with extended(model, extension, train_tokens, test_tokens):
            encoding = _first(model)
            if encoding.channels > 1:
                raise Refused(
                    f"encoding={run.encoding.name} has positions of {encoding.channels} numbers: not drawn yet"
                )
            if encoding.uses("embed"):
                rows = diagnostics.vectors(encoding, shape, test_tokens)
                yield f"vectors-{name}", draw.vectors(rows, train_tokens, f"{title}: vector of each position, {name}")
                same = diagnostics.similarity(rows)
                yield f"similarity-{name}", draw.similarity(same, train_tokens, f"{title}, {name}")
            if "frequencies" in encoding.offers:
                turns = diagnostics.phases(encoding.get_buffer("frequencies"), test_tokens)
                yield f"digits-{name}", draw.digits(turns, train_tokens, f"{title}: a position as digits, {name}")
            if encoding.uses("rotate") and encoding.kind == "rotary":
                kernels[name] = diagnostics.kernel(encoding, shape, test_tokens)
            if encoding.uses("bias") or encoding.uses("distance_bias"):
                biases[name] = diagnostics.bias(encoding, test_tokens)
    if kernels:
        yield "kernel", draw.kernel(kernels, train_tokens, f"{title}: rotary kernel")
    if biases:
        yield "bias", draw.bias(biases, train_tokens, f"{title}: bias by distance")


def _first(model: "Model") -> "Encoding":
    from harness.attention import Attending

    return next(module for module in model.modules() if isinstance(module, Attending)).encoding


def _save(figure: "Figure", folder: Path, name: str) -> str:
    import matplotlib as mpl

    from harness.figures.curves import STYLE

    folder.mkdir(parents=True, exist_ok=True)
    for ending, options in FORMATS.items():
        with mpl.rc_context(STYLE):
            figure.savefig(folder / f"{name}.{ending}", **options)  # type: ignore[arg-type]
    return str(folder / f"{name}.png")
