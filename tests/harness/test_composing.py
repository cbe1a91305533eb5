"""Composing the cells of a sweep from shared parts gives the runs, and the refusals, that Hydra gives one by one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.composition.compose import Composer, composer
from harness.config import catalogue
from harness.config.schema import LISTED_GROUPS, Run
from harness.errors import Refused

BRIEF = """# @package _global_
# A preset
defaults:
  - override /task: reverse
  - override /train: quick
train:
  steps: 7
lengths:
  test: 30
hydra:
  mode: MULTIRUN
  sweeper:
    params:
      model.layers: 1,2
      seed: 3
"""
OWN = {
    "encoding/mine.yaml": "# Mine\n_target_: harness.encodings.rope.RoPE\nbase: 5.0\n",
    "encoding/referring.yaml": "# A reference\n_target_: harness.encodings.rope.RoPE\nbase: ${train.clip}\n",
    "extension/zoom.yaml": "# @package extension.zoom\n# Mine\n_target_: harness.extensions.ntk.NTK\n",
    "train/longer.yaml": "# Includes another\ndefaults: [standard, _self_]\nsteps: 90000\n",
    "study/brief.yaml": BRIEF,
}
WORDS = (
    *("train.steps=20", "train.steps=-1", "train.steps=1.5", "train.steps=${train.warmup}", "train.steps=null"),
    *("train.learning_rate=1e-4", "train.learning_rate=-0.0", "train.learning_rate=[1]", "train={steps: 3}"),
    *("lengths.grid=[5,30]", "lengths.grid=[]", "lengths.grid=5", "lengths.grid.0=5", "lengths.test=${seed}"),
    *("encoding.base=100", "encoding.base=high", "encoding.unknown=1", "+encoding.unknown=1", "~encoding.base"),
    *("task.symbols=5", "task._target_=tasks.copying.reverse.Reverse", "task=null", "model.heads=3", "model=5"),
    *("pattern=[attention]", "results=there", "results=''", "results=???", "force=true", "packages=[json]"),
    *("trainer.max_time=1", "presets=1", "++presets.model=a", "launcher.slots=2", "weights_from=nowhere.json"),
    *("extension=[]", "callbacks=[]", "logger=[]", "encoding/rope=alibi", "encoding@there=rope", "extension=null"),
)
SEEDS = ("0", "1", "4294967295", "4294967296", "-1", "1.0", "true", "null", "x", "'1'")
GROUPS = [group for group in catalogue.GROUPS if group not in ("task", "study")]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("choices")
    for name, text in OWN.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def prepared(own: Path) -> Iterator[Composer]:
    with composer([str(own)]) as hydra:
        hydra.cells(["seed=0,1"])
        yield hydra


@st.composite
def cells(draw: st.DrawFn, folder: Path) -> list[str]:
    names = catalogue.names([catalogue.CONF, folder])
    words = []
    for group in draw(st.lists(st.sampled_from(["task", "study", "encoding", *GROUPS]), max_size=4)):
        if not names[group]:
            continue
        name = draw(st.sampled_from([*names[group], "brief"] if group == "study" else names[group]))
        listed = group in LISTED_GROUPS and draw(st.booleans())
        words.append(f"{group}=[{name},{draw(st.sampled_from(names[group]))}]" if listed else f"{group}={name}")
    words += draw(st.lists(st.sampled_from(WORDS), max_size=2))
    words += [f"seed={seed}" for seed in draw(st.lists(st.sampled_from(SEEDS), max_size=1))]
    return list(draw(st.permutations(words)))


def slowly(hydra: Composer, words: list[str]) -> Run | Refused:
    try:
        return hydra.run(words)
    except Refused as refusal:
        return refusal


def said(attempt: Run | Refused) -> str:
    return f"refused: {attempt}" if isinstance(attempt, Refused) else attempt.model_dump_json()


@pytest.mark.slow
@settings(
    max_examples=8,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_cell_is_what_hydra_composes(data: st.DataObject, own: Path, prepared: Composer) -> None:
    words = data.draw(cells(own))
    fast = [prepared.attempt(words), prepared.attempt([*words, "seed=5"]), prepared.attempt(words)]
    slow = [slowly(prepared, words), slowly(prepared, [*words, "seed=5"])]
    assert [*map(said, fast)] == [*map(said, [*slow, slow[0]])]


@pytest.mark.parametrize(
    "words",
    [
        ["encoding=rope", "task=copy", "train.steps=5"],
        ["architecture=gpt2", "extension=[ntk,extrapolate]", "encoding.base=7"],
        ["study=brief", "encoding=mine", "lengths.grid=[3,30]"],
        ["logger=[csv]", "launcher=slurm", "mixer=[mamba,attention]"],
    ],
)
def test_the_usual_cells_need_no_hydra(words: list[str], prepared: Composer, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = said(slowly(prepared, words))
    monkeypatch.setattr(prepared, "_hydras", None)
    assert said(prepared.attempt(words)) == expected
    assert not expected.startswith("refused")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["study=brief", "encoding=rope,alibi"],
        ["encoding=rope,alibi", "train.stepz=1,2"],
        ["encoding=rope,alibi", "encoding.layout=half"],
        ["lengths.grid=[5],[30]", "seed=0,1"],
    ],
)
def test_the_cells_of_a_sweep_are_those_that_hydra_finds(words: list[str], own: Path) -> None:
    def found(hydra: Composer) -> list[list[str]] | str:
        try:
            return hydra.cells(words)
        except Refused as refusal:
            return str(refusal)

    with composer([str(own)]) as hydra:
        fast = found(hydra)
    with composer([str(own)]) as hydra:
        hydra.cells(["seed=0,1"])
        assert hydra._assembly is not None
        hydra._assembly._works = False
        assert fast == found(hydra)


def test_a_pattern_stands_for_all_choices_that_match_it(tmp_path: Path) -> None:
    folder = tmp_path / "encoding"
    folder.mkdir()
    (folder / "rope_of_mine.yaml").write_text("# Rotates slowly\n_target_: harness.encodings.rope.RoPE\nbase: 1e6\n")
    with composer([str(tmp_path)]) as hydra:
        found = hydra.cells(["encoding=glob(rope*)", "seed=0,1"])
        every = hydra.cells(["encoding=glob(*)"])
        with pytest.raises(Refused, match=r"encoding=glob\(zz\*\): there is no such value"):
            hydra.cells(["encoding=glob(zz*)"])
        with pytest.raises(Refused, match="seed is no group"):
            hydra.cells(["seed=glob(*)"])
    names = ["rope", "rope_nope", "rope_of_mine"]
    assert found == [[f"encoding={name}", f"seed={seed}"] for name in names for seed in (0, 1)]
    assert len(every) == len(list((catalogue.CONF / "encoding").glob("*.yaml"))) + 1
