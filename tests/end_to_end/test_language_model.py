"""A saved network under an extension as lm-evaluation-harness calls it, compared with the library's own computation.

Without lm-evaluation-harness its documented interface stands in (``tests/lm_eval_interface.py``); with it, one of its
own tasks is run too.
"""

import json
import math
from pathlib import Path
from typing import Any

import lm_eval_interface
import pytest
import torch
from saved_networks import CONTEXT, saved, text

from harness.errors import Refused

transformers = pytest.importorskip("transformers")
INSTALLED = lm_eval_interface.installed()
CONTEXTS = ["the cat sat on", "the magic number of kqzu is ", "", text(7, 120)]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("network") / "llama")


def made(network: Path, **options: Any) -> Any:
    from harness.notebook.language_model import ExtendedLanguageModel

    return ExtendedLanguageModel(str(network), device="cpu", local_files_only=True, **options)


def requests(*arguments: tuple[Any, ...]) -> list[Any]:
    return [lm_eval_interface.Instance(one) for one in arguments]


def library(network: Path, scaling: dict[str, Any] | None = None) -> Any:
    config = transformers.AutoConfig.from_pretrained(network)
    if scaling:
        config.rope_parameters = {"rope_theta": 10000.0, **scaling}
    return transformers.AutoModelForCausalLM.from_pretrained(network, config=config, dtype=torch.float32).eval()


@torch.no_grad()
def expected(model: Any, tokens: list[int], count: int) -> float:
    logits = model(torch.tensor([tokens[:-1]])).logits[0, -count:].log_softmax(-1)
    return float(logits.gather(1, torch.tensor(tokens[-count:])[:, None]).sum())


@pytest.mark.slow
def test_likelihoods_are_the_librarys(network: Path) -> None:
    model, own = made(network), library(network)
    found = model.loglikelihood(requests(*((context, " mat while the dog") for context in CONTEXTS)))
    for context, (nats, greedy) in zip(CONTEXTS, found, strict=True):
        whole = model.tok_encode(context.rstrip() + " " * context.endswith(" ") + " mat while the dog")
        before = model.tok_encode(context.rstrip()) if context else []
        tokens = whole if context else [model.prefix_token_id, *whole]
        assert nats == pytest.approx(expected(own, tokens, len(whole) - len(before)), abs=1e-3)
        assert greedy is False


@pytest.mark.slow
def test_an_extension_is_the_librarys_beyond_its_context_and_nothing_within_it(network: Path) -> None:
    plain, yarn = made(network), made(network, extension="yarn", length=4 * CONTEXT)
    scaled = library(network, {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": CONTEXT})
    short, long = text(1, 60), text(2, 500)
    tokens = yarn.tok_encode(long)[: 3 * CONTEXT]
    near, far = (model.loglikelihood(requests((short, " cat"))) for model in (plain, yarn))
    assert near == far
    (nats, _), (without, _) = (
        model._loglikelihood_tokens([(("", ""), tokens[:-20], tokens[-20:])])[0] for model in (yarn, plain)
    )
    assert abs(nats - without) > 0.01
    assert nats == pytest.approx(expected(scaled, tokens, 20), rel=1e-4)


@pytest.mark.slow
def test_text_is_scored_once_in_windows_as_long_as_possible(network: Path) -> None:
    model, own = made(network, length=CONTEXT + 2), library(network)
    content = text(3, 400)
    tokens = model.tok_encode(content, add_special_tokens=False)
    assert len(tokens) > 2 * (CONTEXT + 2)
    (found,) = model.loglikelihood_rolling(requests((content,)))
    whole, total, start = [model.prefix_token_id, *tokens], 0.0, 0
    while start < len(tokens):
        end = min(start + CONTEXT + 2, len(tokens))
        total += expected(own, whole[max(0, end - CONTEXT - 2) : end + 1], end - start)
        start = end
    assert found == pytest.approx(total, rel=1e-4)


@pytest.mark.slow
def test_answers_are_the_librarys_greedy_ones_up_to_where_they_are_to_stop(network: Path) -> None:
    model, own = made(network), library(network)
    (written,) = model.generate_until(requests((CONTEXTS[0], {"until": [], "max_gen_toks": 12})))
    tokens = torch.tensor([model.tok_encode(CONTEXTS[0])])
    theirs = own.generate(tokens, max_new_tokens=12, do_sample=False, pad_token_id=1)[0, tokens.shape[1] :]
    assert written == model.tokenizer.decode(theirs, skip_special_tokens=True)
    stop = written[3:5]
    (shorter,) = model.generate_until(requests((CONTEXTS[0], {"until": [stop], "max_gen_toks": 12})))
    assert shorter == written[: written.index(stop)]
    with pytest.raises(Refused, match="do_sample"):
        model.generate_until(requests((CONTEXTS[0], {"do_sample": True, "temperature": 0.7})))


@pytest.mark.slow
def test_long_contexts_are_cut_from_the_left(network: Path) -> None:
    model, own = made(network, length=CONTEXT + 2), library(network)
    content = text(5, 300)
    ((nats, _),) = model.loglikelihood(requests((content, " cat")))
    tokens = model.tok_encode(content + " cat")
    count = len(tokens) - len(model.tok_encode(content))
    assert nats == pytest.approx(expected(own, tokens[-(CONTEXT + 3) :], count), abs=1e-3)


@pytest.mark.slow
def test_what_cannot_be_is_refused_in_one_line(network: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="did you mean 'yarn'"):
        made(network, extension="yarnn")
    with pytest.raises(Refused, match="there is no such folder"):
        made(tmp_path / "nowhere")


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason="lm-evaluation-harness is not installed")
def test_a_task_of_lm_evaluation_harness_runs(network: Path, tmp_path: Path) -> None:
    import lm_eval
    from lm_eval.tasks import TaskManager

    lines = [{"question": f"the magic number {number} is", "answer": " cat"} for number in range(4)]
    (tmp_path / "data.json").write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "mine.yaml").write_text(
        f"task: mine\ndataset_path: json\ndataset_kwargs:\n  data_files:\n    test: {tmp_path / 'data.json'}\n"
        "test_split: test\noutput_type: loglikelihood\ndoc_to_text: '{{question}}'\ndoc_to_target: '{{answer}}'\n"
        "metric_list:\n  - metric: perplexity\n"
    )
    manager = TaskManager(include_path=str(tmp_path), include_defaults=False)
    model = made(network, extension="yarn")
    found = lm_eval.simple_evaluate(model=model, tasks=["mine"], task_manager=manager, bootstrap_iters=0)
    (value,) = (number for key, number in found["results"]["mine"].items() if key.startswith("perplexity,"))
    own = model.loglikelihood(requests(*((line["question"], line["answer"]) for line in lines)))
    assert math.log(value) == pytest.approx(-sum(nats for nats, _ in own) / 4, rel=1e-5)
