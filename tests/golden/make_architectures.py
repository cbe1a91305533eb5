"""Small models of Hugging Face transformers with random weights, and what they answer: the cases of
tests/parity/test_architectures.py. Run in an environment of its own:

    pip install torch==2.13.0 transformers==5.23.0 numpy
    python tests/golden/make_architectures.py

A file holds the weights under their names there, as float16, in which they are exact, the tokens, and the outputs.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from torch import Tensor, nn

FOLDER = Path(__file__).parent / "architectures"
VOCABULARY, WIDTH, HEADS, LAYERS, LENGTH = 20, 16, 2, 2, 12
BOS, SEP = 1, 2


def drawn(model: nn.Module) -> nn.Module:
    """Every parameter away from where it starts, so that none can be forgotten: scales around 1, others around 0."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            scale = "norm" in name.lower() or ".ln_" in name
            numbers = 0.3 * torch.randn_like(parameter) + (1.0 if scale and name.endswith("weight") else 0.0)
            parameter.copy_(numbers.half())
    return model.eval()


def tokens(count: int, length: int) -> Tensor:
    return torch.randint(4, VOCABULARY, (count, length), generator=torch.Generator().manual_seed(1))


def save(case: str, model: nn.Module, **arrays: Tensor) -> None:
    FOLDER.mkdir(exist_ok=True)
    weights = {name: value.detach().half().numpy() for name, value in model.named_parameters()}  # a tied matrix once
    answers = {name: value.numpy() for name, value in arrays.items()}
    np.savez_compressed(FOLDER / f"{case}.npz", **weights, **answers)  # type: ignore[arg-type]


def translated(model: Any, row: list[int]) -> Tensor:
    """The logits of an encoder-decoder for the part of ``[BOS] prompt [SEP] answer`` from ``[SEP]`` on."""
    at = row.index(SEP)
    return model(input_ids=torch.tensor([row[:at]]), decoder_input_ids=torch.tensor([row[at:]])).logits[0]


def translate(case: str, model: Any) -> None:
    """Two rows with prompts of different lengths, of the same length with their answers."""
    read = tokens(2, LENGTH)
    read[:, 0] = BOS
    read[0, 4] = read[1, 7] = SEP
    save(case, model, tokens=read, **{f"logits_{n}": translated(model, row) for n, row in enumerate(read.tolist())})


@torch.no_grad()
def main() -> None:
    read = tokens(2, LENGTH)
    size = {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS}
    gpt2: Any = drawn(
        transformers.GPT2LMHeadModel(
            transformers.GPT2Config(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=32)
        )
    )
    save("gpt2", gpt2, tokens=read, logits=gpt2(read).logits)
    llama: Any = drawn(transformers.LlamaForCausalLM(transformers.LlamaConfig(**size, intermediate_size=48)))
    save("llama", llama, tokens=read, logits=llama(read).logits)
    gemma2: Any = drawn(
        transformers.Gemma2ForCausalLM(
            transformers.Gemma2Config(
                **size,
                intermediate_size=20,
                num_key_value_heads=HEADS,
                head_dim=WIDTH // HEADS,
                hidden_activation="gelu",
                query_pre_attn_scalar=1,
                attn_logit_softcapping=None,
                final_logit_softcapping=None,
                attn_implementation="eager",
            )
        )
    )
    save("gemma2", gemma2, tokens=read, logits=gemma2(read).logits)

    bert: Any = drawn(
        transformers.BertForPreTraining(
            transformers.BertConfig(
                **size, intermediate_size=4 * WIDTH, max_position_embeddings=32, layer_norm_eps=1e-5
            )
        )
    )
    read = tokens(2, LENGTH)
    read[:, 0] = BOS  # [CLS]
    read[0, 5] = read[0, 11] = SEP
    read[1, 3] = read[1, 8] = SEP
    read[1, 9:] = 0
    shown = torch.arange(LENGTH) < torch.tensor([[12], [9]])
    ends = (read == SEP).long()
    kinds = (ends.cumsum(1) - ends).clamp(max=1)
    said = bert(read, attention_mask=shown.long(), token_type_ids=kinds)
    save("bert", bert, tokens=read, shown=shown, masked=said.prediction_logits, next=said.seq_relationship_logits)

    translate(
        "t5",
        drawn(
            transformers.T5ForConditionalGeneration(
                transformers.T5Config(
                    vocab_size=VOCABULARY,
                    d_model=WIDTH,
                    d_kv=WIDTH // HEADS,
                    d_ff=4 * WIDTH,
                    num_layers=LAYERS,
                    num_heads=HEADS,
                    relative_attention_num_buckets=8,
                    relative_attention_max_distance=16,
                )
            )
        ),
    )
    translate(
        "bart",
        drawn(
            transformers.BartForConditionalGeneration(
                transformers.BartConfig(
                    vocab_size=VOCABULARY,
                    d_model=WIDTH,
                    encoder_layers=LAYERS,
                    decoder_layers=LAYERS,
                    encoder_attention_heads=HEADS,
                    decoder_attention_heads=HEADS,
                    encoder_ffn_dim=4 * WIDTH,
                    decoder_ffn_dim=4 * WIDTH,
                    max_position_embeddings=32,
                    pad_token_id=0,
                    bos_token_id=BOS,
                    eos_token_id=3,
                    decoder_start_token_id=SEP,
                    forced_eos_token_id=None,
                )
            )
        ),
    )


if __name__ == "__main__":
    main()
