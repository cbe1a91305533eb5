"""Draw a position encoding and list what training does not cover of it, for a config or for a trained run."""

import argparse
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness import declarations
from harness.composition.arguments import Parser, path
from harness.composition.compose import composer
from harness.config import layer_pattern
from harness.config.options import typed
from harness.config.schema import Run
from harness.errors import Refused
from harness.evaluation.trained_models import built_model, of_record
from harness.files import user_paths

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from harness.dimensions import Dimensions
    from harness.encodings.base import Encoding
    from harness.models.base import Model

EXAMPLES = 16
"""Test examples over which attention is averaged."""


def main(arguments: list[str]) -> int:
    parser = Parser(prog="python -m harness inspect", description=__doc__)
    parser.add_argument("overrides", nargs="*", help="as for a run, for example encoding=rope extension=[ntk,yarn]")
    parser.add_argument("--record", type=path, help="record of a trained run: its config and its weights")
    parser.add_argument("--output", type=path, help="folder for the pictures (default: inspected/<encoding>)")
    parser.add_argument("--config-dir", help="folder with choices of your own")
    parsed = parser.read(arguments)
    run, weights = (
        of_record("--record", parsed.record, parsed.overrides) if parsed.record else (_composed(parsed), None)
    )
    if layer_pattern.modes(run) == ("attention-free",):
        raise Refused(f"{layer_pattern.architecture_label(run)} has no attention that a position could enter")
    output = parsed.output or Path("inspected") / run.encoding.name
    user_paths.make_folder(output, f"--output {output}")
    for name, figure in _on_grid(run) if _needs_a_grid(run) else _in_a_model(run, weights):
        print(_save(figure, output, name))
    return 0


def _composed(parsed: argparse.Namespace) -> Run:
    with composer([] if parsed.config_dir is None else [parsed.config_dir]) as hydra:
        run = hydra.run(parsed.overrides, check=typed)
        return run if _needs_a_grid(run) else hydra.run(parsed.overrides)


def _needs_a_grid(run: Run) -> bool:
    """Whether the encoding needs two numbers per position but the position rule gives one: it is then shown without a
    model."""
    takes, tells = (declarations.lookup(chosen.target).attributes for chosen in (run.encoding, run.positions))
    return takes["channels"] > tells["channels"]


def _in_a_model(run: Run, weights: Path | None) -> "Iterator[tuple[str, Figure]]":
    """Print what training does not cover, and give every figure that applies to the encoding of the model's first
    layer.
    """
    import torch

    from harness.attention.positions import Positions
    from harness.config import identity, instantiation
    from harness.dimensions import Dimensions
    from harness.evaluation import diagnostics
    from harness.evaluation.coverage import uncovered
    from harness.evaluation.scoring import extended, make_questions
    from harness.figures import encodings as draw

    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    longest = max(identity.tested_lengths(run, task))
    train_tokens, test_tokens = layout.span(task, run.lengths.train), layout.span(task, longest)
    model = built_model(run, task, layout, weights)
    rule, extensions = instantiation.rule(run), instantiation.extensions(run)
    title = f"{run.encoding.name}, " + (f"trained on {run.task.name}" if weights else "as initialised")
    print(f"{title}: {train_tokens} tokens in training, {test_tokens} in the longest test")
    reach = {"train_length": run.lengths.train, "test_length": longest}
    for name, lines in uncovered(model, task, layout, rule, extensions, **reach).items():
        print(f"{name}: " + ("; ".join(lines) or "nothing beyond what training covers"))
    dimensions = Dimensions(run.model.dimension, run.model.heads, run.model.layers, train_tokens)
    questions = make_questions(task, layout, rule, longest, EXAMPLES)
    whole = questions.arranged.lengths == questions.arranged.lengths.max()
    tokens = torch.from_numpy(questions.arranged.tokens[whole]).long()
    rows_of_positions = questions.positions[whole] if len(questions.positions) > 1 else questions.positions
    positions = Positions(torch.from_numpy(rows_of_positions), rule.consecutive)
    own = _first(model)
    one_number = own.channels == 1
    if not one_number:
        largest_in_training = rule.maximum_positions(task, run.lengths.train, train_tokens, training=True)
        largest_in_tests = rule.maximum_positions(task, longest, test_tokens, training=False)
        yield from _grid_figures(own, dimensions, max(largest_in_training) + 1, max(largest_in_tests) + 1, title)
        yield from _level_figures(own, dimensions, largest_in_training, largest_in_tests, title)
    turned = own.uses("rotate") and not own.uses("state") and one_number
    before = diagnostics.kernel(_in_window(model, own), dimensions, test_tokens) if turned else None
    kernels, biases, attended = {}, {}, {}
    for name, extension in extensions.items():
        with extended(model, extension, train_tokens, test_tokens) as reader:
            encoding = _first(model)
            attended[name] = diagnostics.attention(model, reader, tokens, positions)
            read = train_tokens if extension.truncates else test_tokens
            if encoding.uses("embed") and one_number:
                rows = diagnostics.vectors(encoding, dimensions, tokens[0, :read])
                yield f"vectors-{name}", draw.vectors(rows, train_tokens, f"{title}: vector of each position, {name}")
                same = diagnostics.similarity(rows)
                yield f"similarity-{name}", draw.similarity(same, train_tokens, f"{title}: similarity, {name}")
            if "frequencies" in encoding.offers:
                turns = diagnostics.phases(encoding.get_buffer("frequencies"), read)
                what = "distance" if encoding.kind == "relative" else "position"
                heading = f"{title}: a {what} as digits, {name}"
                yield f"digits-{name}", draw.digits(turns, train_tokens, heading, what)
            if before is not None:
                kernels[name] = diagnostics.kernel(_in_window(model, encoding), dimensions, read) / max(
                    abs(before[0]), 1e-12
                )
            if one_number and (encoding.uses("bias") or encoding.uses("distance_bias")):
                biases[name] = diagnostics.bias(_in_window(model, encoding), read)
    if before is not None:
        unit = before / max(abs(before[0]), 1e-12)
        yield "kernel", draw.kernel(unit, kernels, train_tokens, f"{title}: rotary kernel")
    if biases:
        yield "bias", draw.bias(biases, train_tokens, f"{title}: bias by distance")
    yield "attention", draw.attention(attended, train_tokens, f"{title}: attention in the first layer")


def _on_grid(run: Run) -> "Iterator[tuple[str, Figure]]":
    """An encoding without a model, on square grids that hold the tokens of training and of the longest test."""
    import torch

    from harness.config import identity, instantiation
    from harness.dimensions import Dimensions

    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    widths = [layout.width(task, n) for n in (run.lengths.train, max(identity.tested_lengths(run, task)))]
    trained, tested = (math.isqrt(width - 1) + 1 for width in widths)
    dimensions = Dimensions(run.model.dimension, run.model.heads, run.model.layers, widths[0])
    torch.manual_seed(run.seed)
    encoding = instantiation.make("encoding", run.encoding, run, dimensions)
    title = f"{run.encoding.name}, as initialised"
    print(f"{title}, shown without a model: positions={run.positions.name} gives no rows and columns")
    print(f"a grid of {trained} x {trained} in training, {tested} x {tested} in the longest test")
    yield from _grid_figures(encoding, dimensions, trained, tested, title)
    yield from _level_figures(encoding, dimensions, [trained - 1] * 2, [tested - 1] * 2, title)


def _grid_figures(
    encoding: "Encoding", dimensions: "Dimensions", trained: int, tested: int, title: str
) -> "Iterator[tuple[str, Figure]]":
    from harness.evaluation import diagnostics
    from harness.figures import encodings as draw

    if encoding.uses("rotate") and not encoding.uses("state"):
        square = diagnostics.grid_kernel(encoding, dimensions, tested - 1)
        label = "logit of equal vectors, relative"
        yield "grid-kernel", draw.grid({"all heads": square}, trained, f"{title}: a cell and all others", label)
    if encoding.uses("bias"):
        heads = {f"head {head}": square for head, square in enumerate(diagnostics.grid_bias(encoding, tested - 1))}
        yield "grid-bias", draw.grid(heads, trained, f"{title}: bias by offset", "added to the logit")


def _level_figures(
    encoding: "Encoding", dimensions: "Dimensions", trained: Sequence[int], tested: Sequence[int], title: str
) -> "Iterator[tuple[str, Figure]]":
    """What each of a position's numbers adds to the embeddings, up to the largest in training or in tests."""
    import torch

    from harness.evaluation import diagnostics
    from harness.figures import encodings as draw

    if not encoding.uses("embed"):
        return
    for level, (before, now) in enumerate(zip(trained, tested, strict=True)):
        count = min(max(before, now) + 1, encoding.longest or math.inf)
        rows = diagnostics.level_vectors(encoding, dimensions, torch.zeros(int(count), dtype=torch.long), level)
        heading, end = f"level {level + 1}", min(before + 1, len(rows))
        yield f"vectors-level-{level + 1}", draw.vectors(rows, end, f"{title}: vector of each position, {heading}")
        same = diagnostics.similarity(rows)
        yield f"similarity-level-{level + 1}", draw.similarity(same, end, f"{title}: similarity, {heading}")


def _first(model: "Model") -> "Encoding":
    from harness.attention.module import Attending

    return next(module for module in model.modules() if isinstance(module, Attending)).encoding


def _in_window(model: "Model", encoding: "Encoding") -> "Encoding":
    """The encoding of the first layer, looking no further than that layer does."""
    from harness.attention.module import Attending
    from harness.extensions.masks import Windowed

    layer = next(module for module in model.modules() if isinstance(module, Attending))
    return Windowed(encoding, layer.window) if layer.window else encoding


def _save(figure: "Figure", folder: Path, name: str) -> str:
    from harness.figures.files import save_figure
    from harness.figures.styles import SCREEN

    return str(save_figure(figure, folder, name, SCREEN)[0])
