"""Every Transformer of conf/architecture looks where it says and nowhere else, with every encoding that it can have."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from support import choices, component, layers, node
from torch import Tensor

from harness import declarations, layouts
from harness.attention.positions import Positions
from harness.config import instantiation, network
from harness.config.schema import Run
from harness.dimensions import Dimensions
from harness.encodings.base import Encoding
from harness.errors import Refused
from harness.evaluation import scoring
from harness.layouts.base import Layout
from harness.layouts.special_tokens import BOS, PAD, SEP
from harness.mixers.attention import Attention
from harness.models.base import Model

DIMENSIONS = Dimensions(d_model=32, n_heads=4, n_layers=2, train_tokens=24)
VOCABULARY = 12
FIRST = 5
"""The first token that is no special one in any layout."""


def target(group: str, name: str) -> str:
    return node(group, name)["_target_"]


def kinds(architecture: str) -> set[str]:
    """The kinds of attention in it."""
    attributes = declarations.lookup(target("architecture", architecture)).attributes
    return {attributes["mode"], *attributes["further_modes"]}


def layout_of(architecture: str) -> type[Layout]:
    return getattr(layouts, declarations.lookup(target("architecture", architecture)).attributes["layout"])


def saved(architecture: str) -> bool:
    """Whether it is read from files, which tests/harness/test_huggingface.py makes."""
    return bool(declarations.lookup(target("architecture", architecture)).attributes["reads"])


def fits(architecture: str, encoding: str) -> bool:
    attributes = declarations.lookup(target("encoding", encoding)).attributes
    return kinds(architecture) <= set(attributes["modes"]) and attributes["channels"] == 1


TRANSFORMERS = [n for n in choices("architecture") if kinds(n) <= {"causal", "bidirectional"} and not saved(n)]
ONE_PER_CLASS = list({target("architecture", name): name for name in TRANSFORMERS}.values())
"""Choices of one class differ in norms, activations and what is tied, which no encoding sees."""
LOOK_BOTH_WAYS = [name for name in TRANSFORMERS if layout_of(name).bidirectional]
WRITE = [name for name in TRANSFORMERS if not layout_of(name).bidirectional]
TRANSLATE = [name for name in WRITE if layout_of(name) is layouts.Translation]


def made(architecture: str, encoding: str = "nope") -> Model:
    """Without dropout, with all weights away from special initial values."""
    torch.manual_seed(0)
    shared = component("encoding", encoding, DIMENSIONS)

    def own(number: int) -> Encoding:
        return component("encoding", encoding, replace(DIMENSIONS, layer=number)) if shared.per_layer else shared

    model: Model = component("architecture", architecture, DIMENSIONS, VOCABULARY, layers(DIMENSIONS, own))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return model.eval()


def rows(count: int, length: int, *, separator: int | None = None) -> Tensor:
    """Rows that begin as all layouts' with a first token do."""
    tokens = torch.randint(FIRST, VOCABULARY, (count, length), generator=torch.Generator().manual_seed(length))
    tokens[:, 0] = BOS
    if separator is not None:
        tokens[:, separator] = SEP
    return tokens


def told(length: int, lengths: Tensor | None = None) -> Positions:
    visible = None if lengths is None else torch.arange(length) < lengths[:, None]
    return Positions(torch.arange(length)[None], True, visible)


def logits(model: Model, tokens: Tensor, lengths: Tensor | None = None) -> Tensor:
    return model.readout(model(tokens, told(tokens.shape[1], lengths)))


@pytest.fixture(params=TRANSFORMERS)
def architecture(request: pytest.FixtureRequest) -> str:
    return request.param


def test_there_are_some_of_each_kind() -> None:
    assert {"decoder", "gpt2", "llama", "looped", "universal"} <= set(WRITE) - set(TRANSLATE)
    assert {"encoder", "chomsky_encoder", "bert"} <= set(LOOK_BOTH_WAYS)
    assert {"encoder_decoder", "vaswani", "t5", "bart"} <= set(TRANSLATE)


@pytest.mark.parametrize("encoding", ["nope", "rope", "alibi", "deberta", "sinusoidal"])
@torch.no_grad()
def test_neither_padding_behind_nor_companions_change_anything(architecture: str, encoding: str) -> None:
    model = made(architecture, encoding)
    alone = logits(model, rows(1, 12, separator=7))
    padded = torch.cat([rows(1, 12, separator=7), torch.full((1, 9), PAD)], dim=1)
    together = torch.cat([rows(3, 21, separator=4), padded])
    lengths = torch.tensor([21, 21, 21, 12]) if architecture in LOOK_BOTH_WAYS else None
    first = 7 if architecture in TRANSLATE else 0
    assert torch.allclose(logits(model, together, lengths)[-1:, first:12], alone[:, first:], atol=1e-4)


@pytest.mark.parametrize("architecture", LOOK_BOTH_WAYS)
@pytest.mark.parametrize("encoding", ["nope", "rope", "t5"])
@torch.no_grad()
def test_without_an_encoding_outputs_move_with_inputs_and_with_one_they_do_not(
    architecture: str, encoding: str
) -> None:
    model = made(architecture, encoding)
    tokens, order = rows(2, 15), torch.cat([torch.zeros(1, dtype=torch.long), 1 + torch.randperm(14)])
    same = torch.allclose(logits(model, tokens)[:, order], logits(model, tokens[:, order]), atol=1e-4)
    assert same == (encoding == "nope")


@pytest.mark.parametrize("architecture", TRANSLATE)
@pytest.mark.parametrize("encoding", ["nope", "rope", "t5"])
@torch.no_grad()
def test_without_an_encoding_a_prompt_is_a_bag_of_tokens_and_with_one_it_is_not(
    architecture: str, encoding: str
) -> None:
    model = made(architecture, encoding)
    tokens, order = rows(2, 20, separator=12), torch.arange(20)
    order[1:12] = 1 + torch.randperm(11)
    same = torch.allclose(logits(model, tokens)[:, 12:], logits(model, tokens[:, order])[:, 12:], atol=1e-4)
    assert same == (encoding == "nope")


@pytest.mark.parametrize("architecture", WRITE)
@torch.no_grad()
def test_no_later_token_is_seen_where_the_answer_is_written(architecture: str) -> None:
    model = made(architecture, "rope")
    first = 6 if architecture in TRANSLATE else 0
    tokens = rows(2, 18, separator=6)
    whole = logits(model, tokens)
    for length in range(max(first, 1), 18):
        part = logits(model, tokens[:, :length])
        assert torch.allclose(whole[:, first:length], part[:, first:], atol=1e-4)


@torch.no_grad()
def test_every_token_of_prompt_and_answer_counts(architecture: str) -> None:
    """Another token anywhere changes what is written last, or read out anywhere else."""
    model = made(architecture, "rope")
    tokens = rows(1, 14, separator=8)
    before = logits(model, tokens)
    for place in [*range(1, 8), *range(9, 14)]:
        changed = tokens.clone()
        changed[0, place] = FIRST + (changed[0, place] - FIRST + 1) % (VOCABULARY - FIRST)
        after = logits(model, changed)
        seen = [-1] if architecture in WRITE else [0, 7, 13]
        assert all(not torch.allclose(before[0, other], after[0, other], atol=1e-5) for other in seen), place


@pytest.mark.parametrize("architecture", ONE_PER_CLASS)
@pytest.mark.parametrize("encoding", choices("encoding"))
def test_every_encoding_that_declares_its_kinds_of_attention_trains_in_it(architecture: str, encoding: str) -> None:
    if not fits(architecture, encoding):
        pytest.skip("refused, as another test shows")
    model = made(architecture, encoding).train()
    tokens = rows(2, 40, separator=18)
    out = logits(model, tokens)
    out[:, 18:].square().mean().backward() if architecture in TRANSLATE else out.square().mean().backward()
    assert torch.isfinite(out).all()
    for module in {module.encoding for module in model.modules() if isinstance(module, Attention)}:
        grads = [parameter.grad for parameter in module.parameters()]
        assert not grads or any(grad is not None and grad.abs().sum() > 0 for grad in grads)
    for name, parameter in model.named_parameters():
        if ".encoding." not in name:
            assert parameter.grad is not None, name
            assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize("choice", ["architecture=encoder", "architecture=encoder_decoder"])
@pytest.mark.parametrize("encoding", ["cope", "fire", "xpos"])
def test_encodings_for_one_direction_are_refused_in_one_line(
    choice: str, encoding: str, composed: Callable[..., Run]
) -> None:
    with pytest.raises(Refused) as refused:
        composed(choice, f"encoding={encoding}", "task=reverse")
    message = str(refused.value)
    assert message.startswith(f"encoding={encoding} is not defined for {choice}, which is bidirectional")
    assert "Possible: " in message
    assert "\n" not in message
    assert encoding not in message.partition("Possible: ")[2].split(", ")


def built(run: Run) -> Model:
    task = instantiation.task(run)
    return network.model(run, task, instantiation.layout(run, task))


REFUSED = {
    ("architecture=encoder_decoder", "encoding=swin", "task=reverse"): "which is bidirectional and causal",
    ("architecture=encoder_decoder", "task=running_parity"): "does not fit architecture=encoder_decoder: its "
    "answer is a label for each token",
    ("architecture=encoder", "task=text"): "running text is predicted from left to right",
    ("architecture=bert", "task=reverse"): "its answers have several tokens, and this architecture reads one out",
    (
        "architecture=encoder",
        "extension=truncate",
    ): "extension=truncate reads a part of the text at a time, and architecture=encoder needs all of a question",
    (
        "architecture=encoder_decoder",
        "extension=truncate",
    ): "extension=truncate reads a part of the text at a time, and architecture=encoder_decoder needs all",
    ("architecture=bert", "task=next_sentence", "encoding=learned"): "encoding=learned knows 512 positions, but at "
    "length 512 of task=next_sentence tokens receive positions up to 514: set encoding.rows=515 or more",
    (
        "architecture=encoder",
        "task=minesweeper",
        "positions=grid",
        "encoding=swin",
        "encoding.window=15",
    ): "encoding=swin knows "
    "distances below 15, but at length 15 of task=minesweeper positions reach up to 15: set encoding.window=16 or more",
    ("architecture=looped", "architecture.per_token=-1.0"): "per_token=-1.0: it must be at least 0",
    ("architecture=looped", "architecture.steps=-1"): "steps=-1: it must be at least 0",
    (
        "architecture=decoder",
        "architecture.norm=both",
    ): "architecture.norm=both: it should be 'pre', 'post' or 'sandwich'",
}


@pytest.mark.parametrize("overrides", REFUSED, ids=" ".join)
def test_what_makes_no_sense_is_refused(overrides: tuple[str, ...], composed: Callable[..., Run]) -> None:
    with pytest.raises(Refused) as refused:
        built(composed(*overrides))
    assert REFUSED[overrides] in str(refused.value)
    assert "\n" not in str(refused.value)


def test_boards_that_a_window_holds_are_not_refused(composed: Callable[..., Run]) -> None:
    composed("architecture=encoder", "task=minesweeper", "positions=grid", "encoding=swin", "encoding.window=16")


@pytest.mark.parametrize("extension", ["hierarchical", "truncate"])
def test_bert_reads_beyond_its_table_with_two_digits_or_in_parts(extension: str, composed: Callable[..., Run]) -> None:
    composed("architecture=bert", "task=next_sentence", "encoding=learned", f"extension={extension}")


@pytest.mark.parametrize("architecture", ONE_PER_CLASS)
@pytest.mark.parametrize("extension", [name for name in choices("extension") if name != "truncate"])
@torch.no_grad()
def test_extensions_act_on_all_self_attention(architecture: str, extension: str) -> None:
    """Each on an encoding that it can extend, on a row twice as long as training's, padding and a short prompt too."""
    needs = declarations.lookup(target("extension", extension)).attributes["needs"]
    encoding = "learned" if needs == "table" else "rope"
    model = made(architecture, encoding)
    tokens = rows(2, 48, separator=30)
    tokens[1, 3] = SEP
    tokens[1, 40:] = PAD
    lengths = torch.tensor([48, 40]) if architecture in LOOK_BOTH_WAYS else None
    before = logits(model, tokens, lengths)
    own = [module.encoding for module in model.modules() if isinstance(module, Attention)]
    with scoring.extended(model, component("extension", extension), DIMENSIONS.train_tokens, 48) as reader:
        after = logits(reader, tokens, lengths)
        assert not any(
            module.encoding is mine
            for module, mine in zip([m for m in model.modules() if isinstance(m, Attention)], own, strict=True)
        )
    assert torch.isfinite(after).all()
    assert torch.equal(before, after) == (extension == "extrapolate")
    assert torch.equal(logits(model, tokens, lengths), before)
