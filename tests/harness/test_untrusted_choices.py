"""A file of choices or a preset, and a value of the command line, say neither whose code runs nor what a secret is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import untrusted
from untrusted import SECRET, refused

import harness
from harness.config.schema import Run
from harness.errors import Refused

ASKED = ["${oc.env:SECRET}", "${oc.decode:SECRET}", "${oc.create:SECRET}", "${hydra:runtime.cwd}", "${now:%Y}",
         "${hydra.runtime.cwd}", "${${a}.env:SECRET}", "${ oc.env:SECRET }", "a ${oc.env:SECRET,b} c",
         "\\${oc.env:SECRET}", "${oc.env: ${seed}}"]  # fmt: skip

FILES = [
    ("logger/x", "_target_: harness.loggers.wandb.WandB\nproject: VALUE\n", "logger=[x]"),
    ("encoding/x", "_target_: VALUE\n", "encoding=x"),
    ("task/x", "# @package _global_\ntask:\n  _target_: tasks.language.text.Text\n  files: [VALUE]\n", "task=x"),
    ("study/x", "# @package _global_\nresults: VALUE\n", "study=x"),
    ("study/x", "# @package _global_\ndefaults:\n  - override /encoding: VALUE\n", "study=x"),
    ("study/x", "# @package _global_\nhydra:\n  sweeper:\n    params:\n      task: VALUE\n", "study=x"),
    ("study/x", "# @package _global_\nhydra:\n  mode: VALUE\n", "study=x"),
    ("study/x", "# @package _global_\n? VALUE\n: 1\n", "study=x"),
]
PAIRS = [(asked, *FILES[(number + shift) % len(FILES)]) for shift in (0, 3) for number, asked in enumerate(ASKED)]
"""Each of these in two of the files, which together are all: what is refused does not depend on where it stands."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return untrusted.folder(tmp_path, monkeypatch)


@pytest.mark.parametrize(("asked", "file", "content", "choice"), PAIRS)
def test_no_file_of_choices_reads_the_environment(
    asked: str, file: str, content: str, choice: str, folder: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("SECRET", SECRET)
    path = folder / "mine" / f"{file}.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(content.replace("VALUE", json.dumps(asked)))
    for show in ((), ("--cfg", "job"), ("-m",)):
        line = refused(capsys, "--config-dir", "mine", choice, *show)
        assert SECRET not in line
        assert f"{file}.yaml: " in line
    assert not (folder / "results").exists()


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("key", ["results", "task.files", "+task.files", "encoding", "train.steps"])
def test_no_value_of_the_command_line_reads_the_environment(
    asked: str, key: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SECRET", SECRET)
    value = f"['{asked}']" if "files" in key else f"'{asked}'"
    line = refused(capsys, f"{key}={value}")
    assert SECRET not in line
    assert "is not read" in line or "needs quotes" in line
    with pytest.raises(Refused):
        harness.run("task=text", f"{key}={value}")


def test_a_value_can_be_that_of_another_key(composed: Callable[..., Run]) -> None:
    assert composed("train.warmup='${train.steps}'").train.warmup == 3500


STUDIES = {
    "packages: [os]\n": "packages: only the command line",
    "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      packages: '[os]'\n": "params: packages: only the command",
    "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      +packages.0: os\n": "packages.0: only the command",
    "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      'packages=[os] ': x\n": "packages",
    "hydra:\n  mode: MULTIRUN\n  sweeper:\n    params:\n      hydra.run.dir: x\n": "hydra.run.dir: only the command",
    "hydra:\n  callbacks:\n    x:\n      _target_: os.system\n      command: touch PWNED\n": (
        "hydra.callbacks: this setting"
    ),
    "hydra:\n  sweeper:\n    _target_: beside.Trap\n": "hydra.sweeper._target_: this setting",
    "hydra:\n  launcher:\n    _target_: beside.Trap\n": "hydra.launcher: this setting",
    "hydra:\n  job:\n    env_copy: [SECRET]\n": "hydra.job: this setting",
    "hydra:\n  job_logging:\n    handlers:\n      x:\n        (): os.system\n": "hydra.job_logging: this setting",
    "defaults:\n  - /logger@packages: csv\n": "unknown group 'logger@packages'",
    "defaults:\n  - override /hydra/launcher: joblib\n": "override /hydra/launcher: joblib: this setting",
}


@pytest.mark.parametrize("content", STUDIES)
def test_a_study_says_neither_whose_code_runs_nor_where(
    content: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine" / "study").mkdir(parents=True)
    (folder / "mine" / "study" / "x.yaml").write_text("# @package _global_\n# A study\n" + content)
    for show in ((), ("--cfg", "job"), ("--info",)):
        assert STUDIES[content] in refused(capsys, "--config-dir", "mine", "study=x", *show)


def test_where_a_file_lands_in_the_config_does_not_matter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "mine" / "model").mkdir(parents=True)
    (folder / "mine" / "model" / "x.yaml").write_text("# @package hydra.callbacks.x\n_target_: os.system\n")
    assert "the first line should be '# @package _group_' and not hydra.callbacks.x" in refused(
        capsys, "--config-dir", "mine", "model=x"
    )


def test_a_file_called_like_a_shipped_choice_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "mine" / "encoding" / "nope.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# None\n_target_: harness.encodings.alibi.ALiBi\n")
    assert "the harness has encoding=nope already" in refused(capsys, "--config-dir", "mine", "encoding=nope")
    path.rename(path.with_name("NoPE.yaml"))
    assert "encoding=NoPE is harness.encodings.nope.NoPE and nothing else" in refused(
        capsys, "--config-dir", "mine", "encoding=NoPE"
    )


@pytest.mark.parametrize(
    "override",
    [
        "encoding._target_=harness.encodings.base.Encoding",
        "task._target_=tasks.language.corpora.read",
        "task._target_=tasks.copying.reverse.Reverse",
        "positions._target_=harness.positions.base.PositionRule",
        "logit._target_=harness.logits.ssmax.SSMax",
        "architecture._target_=harness.models.gru.GRU",
        "extension.extrapolate._target_=harness.extensions.ntk.NTK",
        "logger.csv._target_=harness.loggers.wandb.WandB",
        "logger.csv._target_=harness.loggers.csv.Rows",
    ],
)
def test_a_choice_is_what_it_is_called(override: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert " and nothing else, not " in refused(capsys, override)
