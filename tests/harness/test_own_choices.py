"""Where the user's own choices come from, and that a table or an entry point that is wrong is refused in one line."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import cli
from harness.composition.compose import composer
from harness.config import own_choices, project_table, saved_configs, user_packages
from harness.errors import Refused
from harness.launch import sweep

YAML = "# Mine\n_target_: {package}.far.Far\n"
CLASS = "from harness.encodings.base import Encoding\n\n\nclass Far(Encoding):\n    pass\n"
TABLE = '[tool.harness]\nconfig_dir = "conf"\npackages = ["{package}"]\n'


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(own_choices.VARIABLE, raising=False)


def project(folder: Path, package: str) -> Path:
    """A project with an encoding ``far`` in a package of a name that no other test imports."""
    (folder / "conf" / "encoding").mkdir(parents=True)
    (folder / "conf" / "encoding" / "far.yaml").write_text(YAML.format(package=package))
    (folder / package).mkdir()
    (folder / package / "far.py").write_text(CLASS)
    (folder / "pyproject.toml").write_text(TABLE.format(package=package))
    return folder


def composed(*words: str, folders: tuple[str, ...] = ()) -> list[str]:
    with composer(folders) as hydra:
        run = hydra.run(["encoding=far", *words])
    assert run.encoding.target.endswith(".far.Far")
    return run.packages


def refused(*words: str) -> str:
    with pytest.raises(Refused) as refusal:
        composed(*words)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_table_holds_in_all_folders_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, "own_below")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert composed() == ["own_below"]
    assert composed("packages=[harness]") == ["own_below", "harness"]


def test_the_nearest_pyproject_decides_with_or_without_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, "own_nearest")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    monkeypatch.chdir(tmp_path / "inner")
    assert "unknown encoding 'far'" in refused()


def test_the_environment_comes_before_the_table_and_empty_turns_it_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = project(tmp_path / "one", "own_one")
    other = project(tmp_path / "other", "own_other")
    monkeypatch.chdir(one)
    monkeypatch.setenv(own_choices.VARIABLE, str(other / "conf"))
    assert composed() == ["own_other"], "the table of the project that the variable points into"
    monkeypatch.setenv(own_choices.VARIABLE, "")
    assert "unknown encoding 'far'" in refused()
    monkeypatch.setenv(own_choices.VARIABLE, str(tmp_path / "nowhere"))
    assert refused() == f"HARNESS_CONFIG_DIR={tmp_path / 'nowhere'}: there is no such folder"


def test_the_flag_comes_first_and_names_no_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder from somebody else, with a table beside it, runs no code."""
    theirs = project(tmp_path / "theirs", "own_theirs")
    (theirs / "own_theirs" / "far.py").write_text("raise SystemExit('it was run')\n")
    monkeypatch.chdir(project(tmp_path / "mine", "own_mine"))
    with pytest.raises(Refused, match=r"own_theirs\.far\.Far is not from harness or tasks"):
        composed(folders=(str(theirs / "conf"),))
    assert "own_theirs" not in sys.modules


def test_records_choose_among_the_packages_of_the_project_and_name_none(tmp_path: Path) -> None:
    project(tmp_path, "own_records")
    with composer() as hydra:
        config = hydra.run(["encoding=far"]).model_dump(mode="json", exclude={"results", "force", "retry"})
    with pytest.raises(Refused, match="other packages provide classes only if packages="):
        saved_configs.run(config, [], results="results")
    found = saved_configs.run(config, [], results="results", packages=own_choices.find().packages)
    assert found.encoding.target == "own_records.far.Far"


def test_a_run_of_a_sweep_needs_no_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody may change it while the sweep is at work: its words say where packages lie."""
    project(tmp_path / "mine", "own_sweep")
    (tmp_path / "mine" / "below").mkdir()
    monkeypatch.chdir(tmp_path / "mine" / "below")
    with composer() as hydra:
        run = hydra.run(["encoding=far"])
    words = saved_configs.words(run)
    config = run.model_dump(mode="json", exclude={"results", "force", "retry"})
    (tmp_path / "mine" / "pyproject.toml").write_text("[tool.harness\n")
    user_packages.look_in(None)
    again = saved_configs.run(config, words, results="results", allowed=saved_configs.ALLOWED)
    assert again.packages == ["own_sweep"]
    assert user_packages.project() == tmp_path / "mine"
    assert sweep.resumption([])  # what a sweep says does not read it either


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[tool.harness\n", "this is not TOML: "),
        ("harness = [\n", "this is not TOML: "),
        ("[tool]\nharness = 3\n", "[tool.harness] is a table, with lines such as"),
        ("[tool.harness]\nconf = 'conf'\n", "unknown key of "),
        ("[tool.harness]\nconfig_dir = 3\n", "[tool.harness] config_dir = 3: it is the path of a folder"),
        ("[tool.harness]\nconfig_dir = ''\n", "[tool.harness] config_dir = : it is the path of a folder"),
        ("[tool.harness]\nconfig_dir = 'nowhere'\n", "there is no such folder"),
        ("[tool.harness]\nconfig_dir = '$HOME/conf'\n", "no shell has replaced $HOME"),
        ("[tool.harness]\npackages = 'mine'\n", "[tool.harness] packages = mine: it is a list of names"),
        ("[tool.harness]\npackages = [1]\n", "[tool.harness] packages = [1]: it is a list of names"),
        ("[tool.harness]\npackages = ['../x']\n", "[tool.harness] packages: ../x: the name of a package"),
        ("[tool.harness]\npackages = ['os']\n", "[tool.harness] packages: os: Python has a module of this name"),
        ("[tool.harness]\npackages = ['tasks']\n", "[tool.harness] packages: tasks: the harness has a package"),
        ("[tool.harness]\npackages = ['own_absent']\n", "there is no package own_absent, neither in "),
        ("[tool.harness]\nconfig_dir = 'empty'\n", "it holds no folder called like a group"),
    ],
)
def test_a_wrong_table_is_refused_in_one_line(
    table: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "pyproject.toml").write_text(table)
    for command in (["ls"], ["--help"], ["--cfg", "job"]):
        assert cli.main(command) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(f"error: {tmp_path / 'pyproject.toml'}") or "unknown key of" in line
        assert said in line


def test_other_broken_files_are_none_of_our_business(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_bytes(b"[not toml \xe9")
    with pytest.raises(Refused, match="which is UTF-8"):
        own_choices.find()
    (tmp_path / "pyproject.toml").write_text("[not toml")
    assert own_choices.find().sources == ()


@settings(max_examples=60)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(noise: bytes) -> None:
    Path("pyproject.toml").write_bytes(b"[tool.harness]\n" + noise)
    with contextlib.suppress(Refused):
        own_choices.find()


def test_a_table_of_another_user_is_refused_unless_pointed_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project(tmp_path, "own_foreign")
    other = os.stat(tmp_path / "pyproject.toml").st_uid + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    if other == 1:  # root's own files are trusted
        os.chown(tmp_path / "pyproject.toml", 2, -1)
    assert "the file belongs to another user" in refused()
    monkeypatch.setenv(own_choices.VARIABLE, str(tmp_path / "conf"))
    assert composed() == ["own_foreign"]


def installed(site: Path, distribution: str, package: str, value: str) -> None:
    """A package with an encoding and its entry point, as an installer leaves them."""
    project(site / package, package)
    for path in ((site / package / package).iterdir(), (site / package / "conf").parent.iterdir()):
        for one in list(path):
            if one.name in ("far.py", "conf"):
                shutil.move(str(one), site / package / one.name)
    info = site / f"{distribution}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[harness.choices]\n{package} = {value}\n")


def test_an_entry_point_brings_choices_without_being_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(tmp_path / "site", "own-dist", "own_entry", "own_entry:conf")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    found = own_choices.find()
    assert found.packages == ("own_entry",)
    assert "own_entry" not in sys.modules
    assert composed() == ["own_entry"]


def test_two_packages_with_one_choice_are_refused_with_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for distribution, package in (("first-dist", "own_first"), ("second-dist", "own_second")):
        installed(tmp_path / "site", distribution, package, f"{package}:conf")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    said = refused()
    assert "encoding=far is a choice of first-dist (entry point harness.choices) and of second-dist" in said


@pytest.mark.parametrize("value", ["own_wrong:nowhere", "own_nowhere:conf", "own_wrong:../conf", "os:conf"])
def test_an_entry_point_that_leads_nowhere_is_refused(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(tmp_path / "site", "wrong-dist", "own_wrong", value)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    assert refused().startswith("wrong-dist (entry point harness.choices): ")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[tool.harness]\nconfig_dir = "conf"\npackages = ["mine"]\n'),
        (
            "[project]\nname = 'x'",
            '[project]\nname = \'x\'\n\n[tool.harness]\nconfig_dir = "conf"\npackages = ["mine"]\n',
        ),
        (
            "[tool.harness]  # ours\npackages = ['other',]\n\n[tool.ruff]\n",
            '[tool.harness]  # ours\nconfig_dir = "conf"\npackages = [\'other\', "mine"]\n\n[tool.ruff]\n',
        ),
        ("[tool.harness]", '[tool.harness]\nconfig_dir = "conf"\npackages = ["mine"]\n'),
    ],
)
def test_a_table_is_completed_and_the_rest_left_alone(
    before: str, after: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(before)
    assert project_table.completed(file, "conf", "mine") == after
    file.write_text(after)
    assert project_table.completed(file, "conf", "mine") is None


def test_a_table_that_cannot_be_completed_in_place_is_left_to_the_user(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    for text in ('[tool]\nharness.packages = ["other"]\n', '[tool.harness]\npackages = [\n  "other",  # ]\n]\n'):
        file.write_text(text)
        with pytest.raises(Refused, match=r'by hand: config_dir = "conf", packages = \["other", "mine"\]'):
            project_table.completed(file, "conf", "mine")
        assert file.read_text() == text
