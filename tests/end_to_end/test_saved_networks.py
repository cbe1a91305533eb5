"""Saved language models from the shell: tested as they are and trained, up to the leaderboard."""

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from support import QUICK

from harness.results import records

transformers = pytest.importorskip("transformers")

Command = Callable[..., subprocess.CompletedProcess[str]]
TEXT = "the cat sat on the mat while the dog ran to the cat and sat there; " * 20


def shuffled(number: int) -> str:
    """The same words in another order, so that no line of one document stands in another."""
    words = TEXT.split()
    random.Random(number).shuffle(words)
    return " ".join(words)


@pytest.fixture
def quiet() -> None:
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def found(folder: Path) -> list[records.Record]:
    return [records.read(path) for path in sorted((folder / "results" / "records").glob("*.json"))]


@pytest.mark.slow
def test_a_pretrained_network_is_tested_as_it_is_on_text_in_its_own_tokens(
    command: Command, tmp_path: Path, quiet: None
) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    (tmp_path / "text").mkdir()
    for number in range(30):
        (tmp_path / "text" / f"{number}.txt").write_text(shuffled(number))
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    letters, special = pre_tokenizers.ByteLevel.alphabet(), ["<s>", "</s>"]
    tokenizer.train_from_iterator(
        [TEXT],
        trainers.BpeTrainer(vocab_size=300, show_progress=False, special_tokens=special, initial_alphabet=letters),
    )
    config = transformers.LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        bos_token_id=0,
        eos_token_id=1,
        initializer_range=0.3,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path / "network")
    tokenizer.save(str(tmp_path / "network" / "tokenizer.json"))
    arguments = [
        *("architecture=huggingface", "architecture.name_or_path=network", "encoding=pretrained_rotary"),
        *("task=text", "task.files=['text/*.txt']", "task.tokenizer=network/tokenizer.json", "task.targets=8"),
        *("task.longest=96", "lengths.shortest=16", "lengths.train=32", "lengths.test=96", "lengths.step=32"),
        *("extension=[extrapolate,yarn,window,truncate]", "evaluation.examples=4", "trainer=cpu", "train.steps=0"),
    ]
    done = command(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    (record,) = found(tmp_path)
    assert record.status == "finished"
    assert record.cost is not None
    assert (record.cost.steps, record.final_loss) == (0, None)
    nats = {(row.extension, row.length): row.nats for row in record.scores}
    assert nats["extrapolate", 32] == nats["yarn", 32] == nats["window", 32]
    assert len({round(nats[name, 96], 6) for name in ("extrapolate", "yarn", "window")}) == 3
    assert command(*arguments).returncode == 0
    assert [again.name for again in found(tmp_path)] == [record.name]
    board = command("leaderboard")
    assert board.returncode == 0, board.stderr
    assert "pretrained_rotary · steps=0 · yarn" in board.stdout or "pretrained_rotary · yarn" in board.stdout


def test_a_drawn_network_learns_and_its_weights_are_tested_again(command: Command, tmp_path: Path, quiet: None) -> None:
    config = transformers.GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=2, n_positions=64)
    config.save_pretrained(tmp_path / "network")
    arguments = [
        *("architecture=huggingface", "architecture.name_or_path=network", "architecture.weights=drawn"),
        *("architecture.tokens=fresh", "encoding=pretrained_table", "encoding.rows=64"),
        *(*QUICK, "lengths.train=6", "lengths.test=12"),
    ]
    first = command(*arguments)
    assert first.returncode == 0, first.stderr
    (record,) = found(tmp_path)
    assert record.final_loss is not None
    assert record.final_loss < 3.0, "a guess among 30 tokens costs 3.4"
    second = command(*arguments, "extension=[extrapolate,truncate]")
    assert second.returncode == 0, second.stderr
    assert "training" not in second.stderr.replace("trained already", "")
    before = {row.length: row.nats for row in record.scores}
    (again,) = [other for other in found(tmp_path) if other.name != record.name]
    assert {row.length: row.nats for row in again.scores if row.extension == "extrapolate"} == before


def test_a_folder_that_cannot_be_used_is_refused_in_one_line(command: Command, tmp_path: Path) -> None:
    done = command("architecture=huggingface", "architecture.name_or_path=./nowhere", "encoding=pretrained_rotary")
    assert done.returncode != 0
    assert done.stderr.strip() == "error: architecture=huggingface: name_or_path=./nowhere: there is no such folder"
