"""Small saved networks with a tokenizer of their own, as a user has them: made offline, with random weights."""

import random
from pathlib import Path
from typing import Any

FAMILIES: dict[str, dict[str, Any]] = {
    "Llama": {"num_key_value_heads": 2},
    "Qwen3": {"num_key_value_heads": 2, "head_dim": 16},
    "Gemma": {"num_key_value_heads": 1, "head_dim": 16},
    "GPT2": {},
}
"""Families, and what a small network of each needs besides its sizes."""
CONTEXT = 128
WORDS = (
    *("the", "cat", "sat", "on", "mat", "while", "dog", "ran", "to", "and", "there", "magic", "number", "of", "is"),
    *("what", "are", "grass", "green", "sky", "blue"),
)


def text(number: int, words: int = 900) -> str:
    """Lines of words, others for each number."""
    drawn = random.Random(number)
    return "\n".join(" ".join(drawn.choices(WORDS, k=9)) + "." for _ in range(words // 9))


def documents(folder: Path, count: int = 24) -> Path:
    """A folder of texts."""
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_text(text(number))
    return folder


def saved(folder: Path, family: str = "Llama") -> Path:
    """A network of a family with a byte-level tokenizer, as the library saves it."""
    import torch
    import transformers
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=340, show_progress=False, special_tokens=["<s>", "</s>"], initial_alphabet=letters
    )
    tokenizer.train_from_iterator([text(-1), "The magic number of kqzu is 40731. What Here yellow again."], trainer)
    size = tokenizer.get_vocab_size()
    common = {"vocab_size": size, "bos_token_id": 0, "eos_token_id": 1, "initializer_range": 0.3}
    if family == "GPT2":
        config: Any = transformers.GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=CONTEXT, **common)
    else:
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
        made = getattr(transformers, f"{family}Config")
        config = made(**sizes, **common, max_position_embeddings=CONTEXT, **FAMILIES[family])
    torch.manual_seed(0)
    name = "GPT2LMHeadModel" if family == "GPT2" else f"{family}ForCausalLM"
    getattr(transformers, name)(config).save_pretrained(folder)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>")
    fast.save_pretrained(folder)
    return folder
