"""What a training step costs with each encoding, and in other libraries where they are installed.

python benchmarks/step.py [--size small|larger] [--encodings rope t5 ...] [--steps 3] [--rounds 7]

The same tokens, loss, clipping and AdamW for all; float32, one thread, process time, rounds in turn, ratios to nope.
Peers are of the same width, depth, heads and feed-forward width: x-transformers with rotary positions, and Llama,
GPT-NeoX and GPT-2 of transformers. The last lines say how fast this machine multiplies matrices of the feed-forward
layers' shapes in the same process, and which share of that a step of nope reaches. Matrix products are counted three
times forward: attention as if it were dense, embeddings not at all.
"""

import argparse
import importlib.util
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from side_by_side import compare, printed
from torch import Tensor, nn

from harness.composition.compose import Composer, composer
from harness.config import identity, instantiation, network
from harness.data.training_examples import TrainingBatch, TrainingData
from harness.models.base import Model
from harness.system import allocation

MULTIPLICATIONS = 20


class Size(NamedTuple):
    width: int
    layers: int
    batch: int
    longest: int
    """Symbols of the longest training example of copy: twice as many and two more are tokens."""

    def settings(self) -> list[str]:
        return [
            f"model.dimension={self.width}", "model.heads=4", f"model.layers={self.layers}",
            f"train.batch={self.batch}", f"lengths.train={self.longest}", "task=copy", "trainer=cpu",
        ]  # fmt: skip


SIZES = {"small": Size(64, 3, 32, 20), "larger": Size(128, 4, 64, 23)}
ENCODINGS = ("nope", "rope", "alibi", "t5", "fire", "shaw", "transformer_xl", "cope", "deberta", "path")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--encodings", nargs="+", default=list(ENCODINGS))
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    allocation.keep_freed()
    size = SIZES[arguments.size]
    variants: dict[str, Callable[[], object]] = {}
    batches: list[TrainingBatch] = []
    vocabulary = 0
    with composer() as hydra:
        for name in dict.fromkeys(["nope", *arguments.encodings]):
            model, own = network_and_data(hydra, name, size, arguments.steps)
            batches = batches or own
            vocabulary = len(next(model.parameters()))  # that of the embedding
            variants[name] = stepping(model, logits_of(model), batches)
    for name, peer, logits in _peers(size, vocabulary):

        def theirs(batch: TrainingBatch, peer: nn.Module = peer, logits: Callable[..., Tensor] = logits) -> Tensor:
            return logits(peer(batch[0])).flatten(0, 1)[batch[2]]

        variants[name] = stepping(peer, theirs, batches)
    tokens = batches[0][0].numel()
    a, b = torch.randn(tokens, size.width), torch.randn(size.width, 4 * size.width)
    variants["matrix products"] = lambda: [a @ b for _ in range(MULTIPLICATIONS)]
    medians = compare(variants, arguments.rounds)
    multiplied = medians.pop("matrix products")
    length = batches[0][0].shape[1]
    printed(
        f"per step: width {size.width}, {size.layers} layers, {size.batch} x {length} tokens",
        {name: seconds / arguments.steps for name, seconds in medians.items()},
    )
    speed = 2 * MULTIPLICATIONS * a.numel() * b.shape[1] / multiplied
    scored = sum(int(batch[3].numel()) for batch in batches) / len(batches)
    layer = tokens * (12 * size.width**2 + 2 * length * size.width)
    step = 6 * (size.layers * layer + scored * size.width * vocabulary)
    reached = step * arguments.steps / medians["nope"]
    print(f"matrix products alone {speed / 1e9:.0f} GFLOP/s, a step of nope {reached / 1e9:.0f}: {reached / speed:.0%}")


def network_and_data(hydra: Composer, name: str, size: Size, steps: int) -> tuple[Model, list[TrainingBatch]]:
    """The network with the encoding of this name, and the batches of its first steps."""
    run = hydra.run([*size.settings(), f"encoding={name}"])
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    lengths = identity.training_lengths(run, task)
    data = TrainingData(task, layout, instantiation.rule(run), lengths, seed=0, batch=size.batch)
    return network.model(run, task, layout), [data(step) for step in range(steps)]


def logits_of(model: Model) -> Callable[[TrainingBatch], Tensor]:
    """What gives the logits of the scored tokens of a batch."""
    return lambda batch: model.readout(model(batch[0], batch[1]).flatten(0, 1)[batch[2]])


def stepping(
    model: nn.Module, logits: Callable[[TrainingBatch], Tensor], batches: list[TrainingBatch]
) -> Callable[[], None]:
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

    def steps() -> None:
        for batch in batches:
            F.cross_entropy(logits(batch), batch[3]).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()

    return steps


def _peers(size: Size, vocabulary: int) -> Iterator[tuple[str, nn.Module, Callable[..., Tensor]]]:
    """The networks of other libraries, and what takes the logits from what they return."""
    if importlib.util.find_spec("x_transformers"):
        from x_transformers import Decoder, TransformerWrapper  # type: ignore[import-not-found]

        layers = Decoder(dim=size.width, depth=size.layers, heads=4, attn_dim_head=size.width // 4, rotary_pos_emb=True)
        wrapped = TransformerWrapper(num_tokens=vocabulary, max_seq_len=512, use_abs_pos_emb=False, attn_layers=layers)
        yield "x-transformers, rotary", wrapped, lambda given: given
    if importlib.util.find_spec("transformers"):
        import transformers

        common = {"vocab_size": vocabulary, "use_cache": False}
        sizes = {"hidden_size": size.width, "num_hidden_layers": size.layers, "num_attention_heads": 4}
        llama = transformers.LlamaConfig(**common, **sizes, intermediate_size=-(-8 * size.width // 3 // 8) * 8)
        neox = transformers.GPTNeoXConfig(**common, **sizes, intermediate_size=4 * size.width)
        gpt2 = transformers.GPT2Config(
            **common, n_embd=size.width, n_layer=size.layers, n_head=4, embd_pdrop=0.0, attn_pdrop=0.0, resid_pdrop=0.0
        )
        for name, config in {"Llama": llama, "GPT-NeoX": neox, "GPT-2": gpt2}.items():
            model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
            yield f"transformers, {name}", model.train(), lambda given: given.logits


if __name__ == "__main__":
    main()
