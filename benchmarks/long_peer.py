"""What one long example costs to evaluate: networks with T5's bias, ALiBi and rotary positions, beside x-transformers.

python benchmarks/long_peer.py [--symbols 1023] [--width 64] [--rounds 5]

x-transformers has to be installed, or ours are timed alone.

One question of copying with its answer (so many symbols, and again as many, are the tokens), through whole networks of
three layers and four heads without gradients, causal, float32, one thread, process time, interleaved rounds.
"""

import argparse
import importlib.util
from collections.abc import Callable
from functools import partial

import torch
from side_by_side import compare, printed
from step import Size, logits_of
from torch import nn

from harness.composition.compose import composer
from harness.config import instantiation, network
from harness.data.training_examples import TrainingData
from harness.system import allocation

PEERS = {"t5": "rel_pos_bias", "alibi": "alibi_pos_bias", "rope": "rotary_pos_emb"}
"""What x-transformers calls each encoding."""
FUSED = "x-transformers, attn_flash"
"""With PyTorch's fused kernel, which is not its default."""
LAYERS, HEADS = 3, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=1023)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    print(f"width {given.width}, {LAYERS} layers, one example of {2 * given.symbols + 2} tokens")
    there = importlib.util.find_spec("x_transformers") is not None
    for name in PEERS:
        peers = ["x-transformers", *([FUSED] if name != "t5" else [])] if there else []  # it refuses T5's bias there
        calls = {who: prepared(name, who, given.symbols, given.width) for who in ("ours", *peers)}
        printed(name, compare(calls, given.rounds))


def prepared(name: str, who: str, symbols: int, width: int) -> Callable[[], object]:
    """A call that evaluates the example, in a process that has all it needs."""
    torch.set_num_threads(1)
    allocation.keep_freed()
    size = Size(width, LAYERS, 1, symbols)
    with composer() as hydra:
        run = hydra.run([*size.settings(), f"lengths.test={symbols + 1}", f"encoding={name}"])
    task = instantiation.task(run)
    layout = instantiation.layout(run, task)
    batch = TrainingData(task, layout, instantiation.rule(run), [symbols], seed=0, batch=1)(0)
    model = network.model(run, task, layout).eval()
    if who == "ours":
        return partial(_without_gradients, lambda: logits_of(model)(batch))
    vocabulary = len(next(model.parameters()))
    from x_transformers import Decoder, TransformerWrapper  # type: ignore[import-not-found]

    options = {"heads": HEADS, "attn_dim_head": width // HEADS, "attn_flash": who == FUSED, PEERS[name]: True}
    layers = Decoder(dim=width, depth=LAYERS, **options)
    peer: nn.Module = TransformerWrapper(
        num_tokens=vocabulary, max_seq_len=2 * symbols + 2, use_abs_pos_emb=False, attn_layers=layers
    ).eval()
    return partial(_without_gradients, lambda: peer(batch[0]).flatten(0, 1)[batch[2]])


def _without_gradients(call: Callable[[], object]) -> object:
    with torch.inference_mode():
        return call()


if __name__ == "__main__":
    main()
