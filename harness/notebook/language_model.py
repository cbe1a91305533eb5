"""A saved network under a test-time extension, as lm-evaluation-harness calls models: so its tasks, RULER and LongBench
among them, run under every extension here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from harness import progress
from harness.attention.positions import Positions
from harness.composition import extension_tests
from harness.composition.compose import composer
from harness.config import instantiation
from harness.config.instantiation import make
from harness.dimensions import Dimensions
from harness.errors import Refused
from harness.evaluation import scoring
from harness.models import huggingface_folder
from harness.models.base import Cache, Layers, Model

try:
    from lm_eval.api.model import TemplateLM
except ImportError:  # said where a model is made
    TemplateLM = object

LONGEST_ANSWER = 256
"""Tokens that are written where a task does not say how many."""
CHUNK = 512
"""Tokens whose logits are computed at once: with a vocabulary of 128,000 these are 260 MB."""


class ExtendedLanguageModel(TemplateLM):
    """A causal language model in Hugging Face's format under one test-time extension::

        import lm_eval
        from harness.notebook.language_model import ExtendedLanguageModel

        model = ExtendedLanguageModel("/models/llama", extension="yarn", length=32768)
        lm_eval.simple_evaluate(model=model, tasks=["niah_single_1"], metadata={"max_seq_lengths": [32768]})

    ``trained`` is the number of tokens it was pretrained on (default: what its config.json states) and ``length`` the
    longest input that it is extended for (default: four times that); longer ones are cut from the left. Inputs up to
    ``trained`` tokens are read without the extension; longer ones all with the extension for ``length``, as one that is
    fixed before its use. ``words`` are further overrides, such as ``extension.yarn.beta_fast=16``. Answers are greedy,
    whatever a task asks for, and sampling is refused.

    Raises ``harness.errors.Refused`` for a network, a tokenizer or an extension that cannot be used.
    """

    def __init__(
        self,
        name_or_path: str,
        *,
        extension: str = "extrapolate",
        length: int | None = None,
        trained: int | None = None,
        words: Sequence[str] = (),
        local_files_only: bool = False,
        device: str | None = None,
        dtype: str = "float32",
    ) -> None:
        if TemplateLM is object:
            raise Refused(
                "lm-evaluation-harness is needed: pip install 'length-generalization-harness[huggingface,lm-eval]'"
            )
        super().__init__()
        network = extension_tests.saved(name_or_path, trained, local_files_only=local_files_only)
        self.trained = network.context
        self._length = length or 4 * network.context
        tested = [network.context, max(self._length, network.context + 1)]
        with composer() as hydra:
            run = hydra.run(extension_tests.words(network, "text", tested, [extension], 1, words))
        self._extension = instantiation.extensions(run)[extension]
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        dimensions = Dimensions(run.model.dimension, run.model.heads, run.model.layers, network.context)
        encoding = make("encoding", run.encoding, run, dimensions)
        layers = Layers(
            dimensions,
            lambda: encoding.for_layers(lambda _: encoding, dimensions.n_layers),
            lambda here: make("logit", run.logit, run, here),
            [],
        )
        size = huggingface_folder.config(network.folder).get("vocab_size", 0)
        self._model: Model = make("architecture", run.architecture, run, dimensions, size, layers)
        self._model.to(self._device, getattr(torch, dtype)).eval()
        self.tokenizer = _tokenizer(network.folder)

    @property
    def max_length(self) -> int:
        return self._length

    @property
    def max_gen_toks(self) -> int:
        return LONGEST_ANSWER

    @property
    def tokenizer_name(self) -> str:
        return str(self.tokenizer.name_or_path).replace("/", "__")

    @property
    def eot_token_id(self) -> int:
        return self.tokenizer.eos_token_id

    @property
    def prefix_token_id(self) -> int:
        begin = self.tokenizer.bos_token_id
        return self.eot_token_id if begin is None else begin

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **others: Any) -> list[int]:
        begun = self.tokenizer.bos_token is not None and string.startswith(self.tokenizer.bos_token)
        special = not begun if add_special_tokens is None else add_special_tokens
        return self.tokenizer.encode(string, add_special_tokens=special)

    def apply_chat_template(self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        return self.tokenizer.apply_chat_template(
            chat_history,
            tokenize=False,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
        )

    @torch.inference_mode()
    def loglikelihood_rolling(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[float]:
        found = []
        for request in requests:
            tokens = self.tok_encode(request.args[0], add_special_tokens=False)
            pairs = list(self._windows(tokens))
            scored = self._loglikelihood_tokens([(("", ""), *pair) for pair in pairs], disable_tqdm=True)
            found.append(sum(nats for nats, _ in scored))
        return found

    @torch.inference_mode()
    def _loglikelihood_tokens(
        self,
        requests: Sequence[tuple[tuple[str, str], list[int], list[int]]],
        disable_tqdm: bool = False,
        **others: Any,
    ) -> list[tuple[float, bool]]:
        found = []
        with progress.shown("scoring", len(requests)) as shown:
            for number, (_, context, continuation) in enumerate(requests, start=1):
                tokens = [*context, *continuation][-(self._length + 1) :]
                count = min(len(continuation), len(tokens) - 1)
                found.append(self._scored(tokens, count))
                shown(number)
        return found

    @torch.inference_mode()
    def generate_until(self, requests: Sequence[Any], disable_tqdm: bool = False) -> list[str]:
        found = []
        with progress.shown("writing", len(requests)) as shown:
            for number, request in enumerate(requests, start=1):
                found.append(self._written(request.args[0], dict(request.args[1])))
                shown(number)
        return found

    def _windows(self, tokens: list[int]) -> Iterator[tuple[list[int], list[int]]]:
        """Each token once, in windows that are as long as possible."""
        whole = [self.prefix_token_id, *tokens]
        for start in range(0, len(tokens), self._length):
            end = min(start + self._length, len(tokens))
            yield whole[max(0, end - self._length) : start + 1], whole[start + 1 : end + 1]

    def _scored(self, tokens: list[int], count: int) -> tuple[float, bool]:
        """The log-likelihood of the last ``count`` tokens, and whether each is the likeliest."""
        read = torch.tensor([tokens[:-1]], device=self._device)
        targets = torch.tensor(tokens[-count:], device=self._device)
        with self._extended(len(tokens) - 1) as model:
            hidden = model(read, self._positions(read.shape[1]))[0, -count:]
            nats, greedy = 0.0, True
            for part, wanted in zip(hidden.split(CHUNK), targets.split(CHUNK), strict=True):
                logits = model.readout(part).float()
                nats -= float(F.cross_entropy(logits, wanted, reduction="sum"))
                greedy = greedy and bool((logits.argmax(dim=-1) == wanted).all())
        return nats, greedy

    def _written(self, context: str, wanted: dict[str, Any]) -> str:
        until = wanted.get("until") or []
        stops = [until] if isinstance(until, str) else list(until)
        if wanted.get("do_sample") and float(wanted.get("temperature", 1.0)) > 0:
            raise Refused("do_sample: answers are greedy here, so that they can be repeated")
        most = int(wanted.get("max_gen_toks") or wanted.get("max_new_tokens") or LONGEST_ANSWER)
        tokens = self.tok_encode(context)[-max(1, self._length - most) :]
        written: list[int] = []
        read = torch.tensor([tokens], device=self._device)
        with self._extended(len(tokens) + most) as model:
            cached = model.can_cache()
            cache: Cache | None = None
            for _ in range(most):
                positions = self._positions(read.shape[1])
                if cached:
                    hidden, cache = model.forward_with_cache(read, positions, cache)
                else:
                    hidden = model(read, positions)
                likeliest = int(model.readout(hidden[:, -1]).argmax())
                if likeliest == self.eot_token_id:
                    break
                written.append(likeliest)
                text = self.tokenizer.decode(written, skip_special_tokens=True)
                if found := [text.index(stop) for stop in stops if stop and stop in text]:
                    return text[: min(found)]
                read = torch.cat([read, read.new_tensor([[likeliest]])], dim=1)
        return self.tokenizer.decode(written, skip_special_tokens=True)

    def _extended(self, tokens: int) -> Any:
        """The network as it reads so many tokens."""
        return scoring.extended(
            self._model, self._extension, self.trained, self._length if tokens > self.trained else tokens
        )

    def _positions(self, length: int) -> Positions:
        return Positions(torch.arange(length, device=self._device)[None], True)


def _tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    except Exception as error:  # the library raises what it likes
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise Refused(f"{folder}: its tokenizer cannot be loaded: {reason}") from error
