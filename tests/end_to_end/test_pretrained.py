"""Which extension suits a saved network: families of networks, needles in their own tokens, and training further."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from saved_networks import CONTEXT, FAMILIES, documents, saved
from shell import Command
from support import QUICK

from harness import cli
from harness.config.schema import Run
from harness.models import huggingface_folder
from harness.results import records
from tasks.base import ABSENT
from tasks.language.needle import Needle

transformers = pytest.importorskip("transformers")


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_one_command_gives_one_table_of_each_task_and_one_figure(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "network", family)
    documents(tmp_path / "text")
    asked = "truncate,hierarchical" if family == "GPT2" else "extrapolate,yarn,window"
    words = ["--longest", "192", "--examples", "4", "--extensions", asked, "trainer=cpu", "task.files=['text/*.txt']"]
    assert cli.main(["pretrained", "network", *words]) == 0
    out = capsys.readouterr().out
    for name in ("text: bits per byte", "passkey: exact match, given the length of the answer"):
        assert out.count(f"{name}, 95 % interval") == 1
    for name in asked.split(","):
        assert len(re.findall(rf"^{name} +[\d.]", out, re.M)) == 2
    assert max(len(line) for line in out.splitlines() if not line.startswith(("figure", "text: best"))) <= 80
    found = {record.task.name: record for record in map(records.read, Path("results/records").iterdir())}
    assert set(found) == {"text", "passkey"}
    for record in found.values():
        near = {
            tuple(row.nats for row in record.scores if row.extension == name and row.length <= CONTEXT)
            for name in asked.split(",")
        }
        assert len(near) == 1, "within its context an extension changes nothing"
        assert record.train_length == CONTEXT
    beyond = {row.extension: row.nats for row in found["text"].scores if row.length == 192}
    assert len({round(nats, 6) for nats in beyond.values()}) == len(beyond)
    assert {path.name for path in Path("results/figures").iterdir()} == {
        f"pretrained-network.{ending}" for ending in ("png", "svg", "pdf")
    }


@pytest.mark.slow
def test_without_a_choice_those_are_tried_that_the_network_can_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.composition import extension_tests
    from harness.composition.compose import composer

    monkeypatch.chdir(tmp_path)
    for family, wanted in {
        "Llama": set(extension_tests.EXTENSIONS) - {"hierarchical"},
        "GPT2": {"hierarchical"},
    }.items():
        network = extension_tests.saved(str(saved(tmp_path / family, family)), None, local_files_only=True)
        with composer() as hydra:
            found = extension_tests.possible(hydra, network, ["passkey"], 2 * CONTEXT, 4, [])
        assert wanted <= set(found)
        assert ("truncate" in found) == ("extrapolate" not in found)


@pytest.mark.slow
def test_a_saved_network_is_trained_further_with_an_extension(command: Command, tmp_path: Path) -> None:
    saved(tmp_path / "network")
    words = [
        *("architecture=huggingface", "architecture.name_or_path=network", "encoding=pretrained_rotary"),
        *(*QUICK, "task=copy", "lengths.train=80", "lengths.test=100", "lengths.grid=[80,100]", "train.steps=3"),
        *("train.batch=4", "evaluation.examples=4", "model=nano"),
    ]
    done = command(*words, "train_extension=yarn")
    assert done.returncode == 0, done.stderr
    assert "initial weights from the saved network, trained on up to 128 tokens, extended with yarn" in done.stdout
    plain = command(*words)
    assert plain.returncode == 0, plain.stderr
    names = {path.name for path in (tmp_path / "results" / "records").iterdir()}
    assert len(names) == 2, "with an extension it is another training"
    first, second = (records.read(tmp_path / "results" / "records" / name) for name in names)
    assert [row.nats for row in first.scores] != [row.nats for row in second.scores]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["nowhere"], "there is no such folder"),
        ([], "name one model"),
        (["network", "--tasks", "text,copy"], "unknown task 'copy'. Tasks in the tokens of a network: needle"),
        (["network", "--longest", "100"], "was made for 128 tokens"),
        (["network", "--extensions", "yarnn"], "did you mean 'yarn'"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    wrong: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if "network" in wrong:
        saved(tmp_path / "network")
    assert cli.main(["pretrained", *wrong, "architecture.local_files_only=true"]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_a_plan_starts_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "network")
    documents(tmp_path / "text")
    words = ["network", "--longest", "192", "--extensions", "yarn,window", "task.files=['text/*.txt']", "--dry-run"]
    assert cli.main(["pretrained", *words]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^to do +2\nslots +1, one run after the other$", said, re.M)
    assert "the first   task=text extension=[yarn,window]" in said
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            '{"text_config": {"hidden_size": 8}, "vision_config": {}}',
            r"several networks \(text_config, vision_config\)",
        ),
        ('{"hidden_size": 8, "quantization_config": {"quant_method": "gptq"}}', r"quantised \(gptq\)"),
    ],
)
def test_models_that_are_more_or_less_than_a_plain_one_say_why(config: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(ValueError, match=said):
        huggingface_folder.size(huggingface_folder.folder(str(tmp_path), "main", True))


@pytest.mark.parametrize(("keys", "values", "queries"), [(1, 1, 1), (4, 1, 1), (1, 3, 1), (3, 2, 2)])
@pytest.mark.parametrize("haystack", ["noise", "text"])
def test_needles_in_the_tokens_of_a_network(
    haystack: str, keys: int, values: int, queries: int, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    folder = saved(tmp_path / "network")
    files = [str(documents(tmp_path / "text") / "*.txt")]
    task = Needle(
        haystack=haystack,  # type: ignore[arg-type]
        keys=keys,
        values=values,
        queries=queries,
        files=files,
        held_out=0.3,
        tokenizer=str(folder / "tokenizer.json"),
    )
    own = AutoTokenizer.from_pretrained(folder)
    length = next(n for n in range(1, 2000) if task.produces(n)) + 40
    batch = task.sample(np.random.default_rng(0), length, 12, "test")
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        asked, right = (row[row != ABSENT] for row in (prompt, answer))
        assert len(asked) == task.prompt_length(length)
        assert len(right) <= task.answer_length(length)
        assert task.prompt_length(length) + task.answer_length(length) + 3 == length, "all of the sequence is counted"
        text = own.decode(asked.tolist())
        question = text[text.rindex("\nWhat") :]
        named = re.findall(r"[a-z]{4}", question.rpartition(" of ")[2])
        said = re.findall(r" The magic number of ([a-z]{4}) is (\d{5})\.", text)
        assert len(said) == keys * values
        expected = ", ".join(value for key in named for name, value in said if name == key)
        assert own.decode(right.tolist()) == f" {expected}"
        whole = own.encode(f"{question}: {expected}", add_special_tokens=False)
        assert whole[-len(right) :] == right.tolist(), "as the tokenizer cuts it behind a colon"
        assert [task.alphabet[n] for n in right] == task.solve([task.alphabet[n] for n in asked])
        hay = re.sub(r" The magic number of [a-z]{4} is \d{5}\.", "\0", text[: text.rindex("\nWhat")])
        assert not re.search(r"[a-z]\0[a-z]", hay), "between words"


def test_a_separator_of_the_networks_own_is_the_row_of_that_character(
    composed: Callable[..., Run], tmp_path: Path
) -> None:
    from harness.config import instantiation, network

    folder = saved(tmp_path / "network")
    words = [
        *("architecture=huggingface", f"architecture.name_or_path='{folder}'", "encoding=pretrained_rotary"),
        *("task=passkey", f"task.tokenizer='{folder / 'tokenizer.json'}'", "lengths.grid=[128,160]"),
        *("lengths.train=128", "lengths.shortest=128", "lengths.test=160", "train.steps=0"),
    ]
    known = transformers.AutoTokenizer.from_pretrained(folder).get_vocab()
    for separator, row in {"colon": known[":"], "newline": known["\u010a"], "drawn": len(known)}.items():
        run = composed(*words, f"architecture.separator={separator}")
        task = instantiation.task(run)
        model = network.model(run, task, instantiation.layout(run, task))
        place = instantiation.layout(run, task).vocabulary.index("[SEP]")
        assert int(model.rows[place]) == row
        assert bool(model.impossible[place])
