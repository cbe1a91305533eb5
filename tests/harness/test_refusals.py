"""Bad input gets one line that says what is wrong and what would be right, and nothing is written."""

import subprocess
import sys
from pathlib import Path

import pytest
from support import environment

from harness import cli

REFUSED = {
    ("encoding=ropee",): "unknown encoding 'ropee'; did you mean 'rope'? Choices: alibi, ",
    ("study=huang2025", "study.budget=big"): "unknown study.budget 'big'. Budgets: paper, quick",
    ("study=huang2025", "study.budget=quick,paper"): "a study is run at one budget at a time",
    ("study=huang2025", "study.tasks=sort,parity"): "several are written study.tasks=[one,other]",
    ("study=huang2025", "study.tasks=[srt]"): "unknown study.tasks 'srt'; did you mean 'sort'?",
    ("study=huang2025", "study.bugdet=quick"): "unknown key 'study.bugdet'; did you mean 'study.budget'?",
    ("study=huang2025", "task=copy"): "study=huang2025 has tasks of its own; study.tasks=[...] takes some: bin_",
    ("study=huang2025", "--cfg", "job"): "study=huang2025 is many runs: add -m",
    ("-m", "study=huang2025,core"): "a study with budgets is run alone",
    ("study=six_encodings", "study.budget=quick"): "this is for one of the studies addition, context_extension, core, ",
    ("study.budget=quick",): "this is for one of the studies addition, context_extension, core, ",
    ("study", "huang2024"): "unknown study 'huang2024'; did you mean 'huang2025'? Studies: addition, ",
    ("study", "huang2025", "nowhere"): "nowhere: there is no such folder",
    ("encodng=rope",): "unknown key 'encodng'; did you mean 'encoding'? Keys: architecture, encoding,",
    ("model.heds=4",): "unknown key 'model.heds'; did you mean 'model.heads'? Keys of model: model.dimension,",
    ("encoding=nope", "encoding.base=3"): "unknown key 'encoding.base'. Keys of encoding: none",
    ("encoding.base=3", "encoding=nope"): "unknown key 'encoding.base'. Keys of encoding: none",
    ("task=addition", "task.symbols=4"): "unknown key 'task.symbols'. Keys of task: task.answer,",
    ("architecture=lstm",): "encoding=rope is not defined for architecture=lstm, "
    "which is attention-free. Possible: nope",
    ("architecture=lstm", "encoding=nope", "logit=ssmax"): "logit=ssmax is not defined for architecture=lstm, "
    "which is attention-free. Possible: standard",
    ("architecture=mamba", "encoding=nope", "extension=[extrapolate,window]"): "extension=window is not defined for "
    "architecture=mamba, which is attention-free. Possible: extrapolate, truncate",
    ("architecture=cnn_bidirectional", "encoding=nope", "extension=truncate"): "extension=truncate reads a part of "
    "the text at a time, and architecture=cnn_bidirectional needs all of a question at once",
    ("encoding=nope", "positions=randomized"): "positions=randomized changes nothing with encoding=nope, "
    "which knows no more of positions than the order of the tokens: use positions=sequential",
    ("encoding=fox", "positions=random_offset", "extension=[extrapolate,window]"): "random_offset changes nothing",
    ("architecture=lstm", "encoding=nope", "positions=pose", "extension=truncate"): "positions=pose changes nothing",
    ("encoding=nope", "positions=abacus"): "positions=abacus changes nothing with encoding=nope",
    ("extension=truncate", "positions=randomized", "positions.maximum=202"): "extension=truncate reads a part",
    ("extension=truncate", "positions=randomized"): "extension=truncate reads a part of the text as if it began there, "
    "at positions 0, 1, 2, ..., and positions=randomized gives other ones in tests",
    ("architecture=cnn", "encoding=nope", "architecture.dilation=9"): "dilation=9: it must be at most kernel=5",
    ("encoding=alibi", "extension=ntk"): "extension=ntk changes an encoding's frequencies, "
    "and encoding=alibi has none. Encodings that have: ",
    ("extension=[extrapolate,ntkk]",): "unknown extension 'ntkk'; did you mean 'ntk'?",
    ("encoding.base=abc",): "encoding.base=abc: it should be a valid number",
    ("encoding.base=1.0",): "encoding.base=1.0: it must be 0 or at least 1.01",
    ("encoding.layout=haf",): "encoding.layout=haf: it should be 'interleaved' or 'half'",
    ("+encoding.bse=3",): "unknown option of encoding=rope 'bse'; did you mean 'base'? Options: base, ",
    ("train.steps=abc",): "train.steps=abc: it should be a valid integer",
    ("train.steps=0",): "train.steps=0: architecture=decoder knows nothing without training",
    ("train.steps=-1",): "train.steps=-1: it should be greater than or equal to 0",
    ("encoding=pretrained_rotary",): "is what a saved network was trained with, and architecture=decoder reads none",
    ("train.precision=8",): "train.precision=8: it should be '32-true' or 'bf16-mixed'",
    ("seed=1.5",): "seed=1.5: it should be a valid integer",
    ("seed=-1",): "seed=-1: it should be greater than or equal to 0",
    ("seed=range(3)",): "seed=range(3): several values need a sweep: add -m",
    ("encoding=rope,alibi",): "encoding=rope,alibi: several values need a sweep: add -m",
    ("extension=ntk,yarn",): "add -m to python -m harness, or in one run all: 'extension=[ntk,yarn]'",
    ("cpoy",): "did you mean task=copy?",
    ("model.heads=5",): "model: heads=5 does not divide dimension=64",
    ("model.heads=64",): "encoding=rope: 1 channels of a head do not make pairs: the number must be even",
    ("lengths.test=10",): "lengths: test=10 is not above train=20",
    ("lengths.shortest=30",): "lengths: shortest=30 is above train=20",
    ("lengths.grid=[5,10]",): "lengths.grid=[5, 10]: nothing would be tested beyond lengths.train=20. "
    "The nearest it can: 19 and 21",
    ("lengths.grid=[5,0]",): "lengths.grid.1=0: it should be greater than or equal to 1",
    ("task=scan", "lengths.train=23"): "lengths.train=23: task=scan cannot produce that length. "
    "The nearest it can: 22 and 24",
    ("task=scan", "lengths.grid=[20,24,29]"): "lengths.grid=29: task=scan cannot produce that length. "
    "The nearest it can: 28 and 30",
    ("task=text", "lengths.grid=[64,9999]"): "lengths.grid=9999: task=text cannot produce that length. "
    "The nearest it can: 4096",
    ("task=text", "lengths.shortest=8"): "lengths.shortest=8: task=text has no length below 32",
    ("task=text", "task.files=[nothing*.txt]"): "task.files: no file matches 'nothing*.txt'",
    ("task=copy", "task.symbols=0"): "copy: symbols=0: there are between 1 and 10000",
    ("encoding=learned", "lengths.test=500"): "encoding=learned knows 512 positions, "
    "but at length 260 of task=copy tokens receive positions up to 521: "
    "set encoding.rows=522 or more, or test shorter lengths",
    ("encoding=learned", "extension=[extrapolate,hierarchical]", "lengths.test=500"): "encoding=learned knows 512 "
    "positions with extension=extrapolate, but at length 260 of task=copy tokens receive positions up to 521: "
    "set encoding.rows=522 or more, leave extension=extrapolate out, or test shorter lengths",
    ("encoding=learned", "extension=hierarchical", "lengths.test=1000"): "encoding=learned knows 1764 positions with "
    "extension=hierarchical, but at length 885 of task=copy tokens receive positions up to 1771: "
    "leave extension=hierarchical out, or test shorter lengths",
    ("encoding=learned", "extension=hierarchical", "lengths.train=300", "lengths.test=400"): "encoding=learned knows "
    "512 positions, but at length 300 of task=copy",
    ("encoding=learned", "positions=randomized"): "encoding=learned knows 512 positions, but at length 20",
    ("positions=randomized", "positions.maximum=50"): "positions=randomized: positions.maximum=50: "
    "sequences have up to 52 tokens, "
    "so it must be at least 52",
    ("positions=abacus",): "positions=abacus needs the channels digit of a task, and task=copy has place. "
    "Tasks that have them: addition",
    ("positions=grid", "task=text"): "positions=grid needs the channels row, column of a task, and task=text has none. "
    "Tasks that have them: ",
    ("positions=coupled", "task=scan"): "positions=coupled needs the channels place of a task, and task=scan has none. "
    "Tasks that have them: addition, ",
    ("positions=coupled_levels", "encoding=learned_levels"): "positions=coupled_levels needs the channels place, "
    "segment of a task, and task=copy has place. Tasks that have them: multiple_addition, "
    "multiple_addition_scratchpad. ",
    ("task=multiple_addition_scratchpad", "positions=coupled_levels"): "positions=coupled_levels gives 2 numbers per "
    "token, and encoding=rope takes 1. Encodings for coupled_levels: learned_levels, multi_channel_rope, ",
    (
        "task=multiple_addition_scratchpad",
        "positions=coupled_levels",
        "encoding=multi_channel_rope",
        "encoding.channels=3",
    ): "positions=coupled_levels gives 2 numbers per token, and encoding=multi_channel_rope takes 3. Encodings for "
    "coupled_levels: learned_levels, multi_channel_rope, ",
    ("task=multiple_addition_scratchpad", "encoding=learned_levels"): "positions=sequential gives 1 numbers per token, "
    "and encoding=learned_levels takes 2. ",
    (
        "task=multiple_addition_scratchpad",
        "positions=coupled_levels",
        "encoding=learned_levels",
        "positions.maximum_segment=9",
    ): "positions=coupled_levels: positions.maximum_segment=9: training sequences have segments up to 8, so it must be "
    "at least 10",
    (
        "task=multiple_addition_scratchpad",
        "positions=coupled_levels",
        "encoding=learned_levels",
        "encoding.rows=40",
    ): "encoding=learned_levels knows 40 positions, but at length 8 of task=multiple_addition_scratchpad tokens "
    "receive positions up to 40: set encoding.rows=41",
    ("positions=cape", "encoding=learned"): "positions=cape gives fractions, and encoding=learned knows whole "
    "positions only. Encodings for cape: ",
    ("positions=randomized_floats", "encoding=learned"): "Positions for task=copy and encoding=learned: coupled, pose, "
    "random_offset, randomized, sequential",
    ("positions=coupled", "positions.maximum=20"): "positions=coupled: positions.maximum=20: training sequences have "
    "places up to 20, so it must be at least 22",
    ("positions=coupled", "encoding=learned", "encoding.rows=100"): "encoding=learned knows 100 positions, "
    "but at length 20 of task=copy tokens receive positions up to 202: set encoding.rows=203",
    ("positions=abacus", "task=addition", "encoding=learned", "encoding.rows=60"): "receive positions up to 110: "
    "set encoding.rows=111",
    ("positions=randomized", "positions.scope=batc"): "positions.scope=batc: it should be 'example' or 'batch'",
    ("positions=cape", "positions.global_scale=0.5"): "positions.global_scale=0.5: it must be at least 1",
    ("trainer.devices=2",): "trainer.devices=2 needs trainer=ddp",
    ("trainer=ddp", "train.batch=31"): "train.batch=31 cannot be divided among trainer.devices=2",
    ("trainer=gpu",): "trainer=gpu: there is no GPU here that PyTorch could see; trainer=cpu works everywhere",
    ("trainer.kernel=flash",): "trainer.kernel=flash: it should be 'auto', 'explicit' or 'flex'",
    ("trainer.kernel=flex", "trainer=cpu"): "trainer.kernel=flex: PyTorch sees no GPU here, or "
    "trainer.accelerator=cpu, and FlexAttention trains on a GPU only: use trainer.kernel=auto",
    ("trainer.kernel=flex", "encoding=cope"): "encoding=cope with positions=sequential and logit=standard is more "
    "than that: use trainer.kernel=auto",
    ("trainer.kernel=flex", "encoding=alibi", "positions=cape"): "adds a bias by whole distances, and encoding=alibi "
    "with positions=cape",
    ("trainer.kernel=flex", "logit=scale_invariant"): "encoding=rope with positions=sequential and "
    "logit=scale_invariant is more",
    ("encoding._target_=os.system",): "rope: os.system is not from harness or tasks",
    ("encoding._target_=harness.atomic.write",): "encoding=rope is harness.encodings.rope.RoPE "
    "and nothing else, not harness.atomic.write: give your class a name",
    ("encoding._target_=harness.nowhere.X",): "encoding=rope is harness.encodings.rope.RoPE "
    "and nothing else, not harness.nowhere.X",
    ("results=null",): "results=None: it should be a valid string",
    ("encoding",): "encoding: a choice is written encoding=NAME; python -m harness ls encoding lists them",
    ("zzz",): "zzz: a choice is written group=name, a value key=value. Commands: check, compare, ",
    ("leaderbord",): "did you mean the command 'leaderboard'?",
    ("results=/tmp/ünï",): "a value with such characters needs quotes of its own: \"results='/tmp/ünï'\"",
    ("encoding=null",): "unknown encoding 'None'",
    ("train=5",): "unknown train '5'. Choices: long, paper, quick, standard",
    ("encoding=[rope]",): "unknown encoding '['rope']'",
    ("task=[copy,reverse]",): "unknown task '['copy', 'reverse']'",
    ("encoding=rope.yaml",): "unknown encoding 'rope.yaml'; did you mean 'rope'?",
    ("~encoding=alibi",): "~encoding=alibi: a choice is written encoding=name",
    ("encoding={a:1}",): "unknown encoding '{'a': 1}'",
    ("encoding@foo=rope",): "encoding@foo=rope: a choice is written encoding=name",
    ("+presets.x=a",): "unknown key 'presets'",
    ("--config-name", "foo"): "--config-name, --experimental-rerun and --run are not for this program",
    ("--job",): "--job takes one file, which a sweep writes",
    ("--copies",): "--copies takes the number of a socket",
    ("--copies", "0"): "--copies takes the number of a socket",
    ("train.learning_rate=inf",): "train.learning_rate=inf: it should be a finite number",
    ("train.clip=nan",): "train.clip=nan: it should be a finite number",
    ("encoding.base=inf",): "encoding.base=inf: it should be a finite number",
    ("extension=ntk", "extension.ntk.factor=nan"): "extension.ntk.factor=nan: it should be a finite number",
    ("extension=ntk", "extension.ntk.factor=-1"): "extension.ntk.factor=-1: it must be 0 or at least 1",
    ("encoding=learned", "encoding.deviation=-1"): "encoding.deviation=-1: it must be at least 0",
    ("encoding=learned", "encoding.rows=100000000000"): "encoding.rows=100000000000: it must be at most 4194304",
    ("lengths.test=10000000000",): "lengths.test=10000000000: it should be less than or equal to 1000000",
    (f"lengths.grid=[{','.join(map(str, range(1, 20001)))}]",): "an argument has at most 20000 characters, and this "
    "one 108908",
    ("lengths.test=1000000", "lengths.step=1"): "these are more than 10000 lengths to test: raise step",
    ("lengths.grid=[30,40]",): "nothing would be tested up to train=20, so nobody would know whether training",
    ("task=text", "lengths.test=5000"): "lengths.test=5000: task=text cannot produce that length. "
    "The nearest it can: 4096",
    ("positions=randomized", "extension=ntk"): "extension=ntk is for positions beyond those of training, "
    "and positions=randomized gives up to 2047 in training and up to 2047 in the tests: use extension=extrapolate",
    ("results=",): "results=: it should have at least 1 character",
    ("packages=[nowhere]",): "packages=[nowhere]: there is no package of that name to import",
    ("show", "--count", "0"): "--count 0: give a number from 1 to 1000",
    ("show", "--length", "0"): "--length 0: task=copy cannot produce that length",
    ("show", "--length", "1000000"): "--length 1000000: these are 2000002 tokens; 20000 can be shown",
    ("--foo",): "unknown flag '--foo'; did you mean '--info'?",
    ("--config-dir", "nowhere"): "--config-dir nowhere: there is no such folder",
    ("--config-path", "x"): "--config-dir adds choices of your own",
    ("--cfg", "job", "encoding=ropee"): "unknown encoding 'ropee'; did you mean 'rope'?",
    ("-m", "encoding=rope,alibii"): "unknown encoding 'alibii'; did you mean 'alibi'?",
    ("-m", "encoding=alibi,t5", "extension=ntk"): "no run is left",
    ("leaderboard", "nowhere"): "nowhere: there is no such folder",
    ("leaderboard", "."): "no finished record in .: run something first, for example python -m harness",
    ("show", "task=copi"): "unknown task 'copi'; did you mean 'copy'?",
    ("show", "task=scan", "--length", "23"): "--length 23: task=scan cannot produce that length",
}  # fmt: skip


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_one_clear_line(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    if arguments == ("trainer=gpu",) and torch.cuda.is_available():
        pytest.skip("there is a GPU")
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == 2
    said = capsys.readouterr()
    *left_out, line = said.err.splitlines()
    assert line.startswith("error: ")
    assert REFUSED[arguments] in line
    assert all(line.startswith("left out ") for line in left_out)
    assert said.out == ""
    assert list(tmp_path.rglob("*")) == [], "not even an empty folder"


def test_an_encoding_that_takes_pairs_is_told_no_single_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.py").write_text(
        "from harness.encodings.base import Encoding\n\n\nclass Plane(Encoding):\n    channels = 2\n\n"
        "    def __init__(self, dimensions):\n        super().__init__()\n"
    )
    (tmp_path / "mine" / "encoding").mkdir(parents=True)
    (tmp_path / "mine" / "encoding" / "plane.yaml").write_text("# Nothing, in two dimensions\n_target_: own.Plane\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert cli.main(["--config-dir", "mine", "packages=[own]", "encoding=plane"]) == 2
    line = capsys.readouterr().err
    assert (
        "positions=sequential gives 1 numbers per token, and encoding=plane takes 2. Encodings for sequential:" in line
    )
    assert line.rstrip().endswith("Positions for task=copy and encoding=plane: none")


@pytest.mark.parametrize("arguments", [("encoding=ropee",), ("encoding=alibi", "extension=ntk"), ("lengths.test=10",)])
def test_it_is_said_before_anything_heavy_is_loaded(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        "import sys; from harness import cli; code = cli.main(sys.argv[1:]); "
        "heavy = {'torch', 'pandas', 'pytorch_lightning', 'matplotlib', 'scipy', 'wandb'} & set(sys.modules); "
        "assert not heavy, heavy; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=tmp_path, env=environment()
    )
    assert done.returncode == 2, done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_traceback_is_shown_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ValueError, match="unknown encoding"):
        cli.main(["encoding=ropee"])


def test_ones_own_choices_are_found_and_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine" / "encoding").mkdir(parents=True)
    (tmp_path / "mine" / "encoding" / "far.yaml").write_text(
        "# Rotates slowly\n_target_: harness.encodings.rope.RoPE\nbase: 1000000.0\nlayout: half\n"
    )
    monkeypatch.chdir(tmp_path)
    assert cli.main(["ls", "--config-dir", "mine", "encoding"]) == 0
    assert "Rotates slowly" in capsys.readouterr().out
    assert cli.main(["show", "--config-dir", "mine", "encoding=far"]) == 0
    assert cli.main(["--config-dir", "mine", "encoding=farr"]) == 2
    assert "did you mean 'far'?" in capsys.readouterr().err
