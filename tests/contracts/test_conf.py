"""Every file of conf/: it says what it means, and it lists just what the class takes."""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import ROOT, layers, node

from harness import declarations
from harness.config import catalogue
from harness.config.schema import COMPONENT_GROUPS, LISTED_GROUPS, PLACE_GROUPS, SETTING_GROUPS, Evaluation, Size, Train
from harness.config.schema import TrainerSettings as Trainer

FILES = sorted((ROOT / "conf").glob("*/*.yaml"))
COMPONENTS = [path for path in FILES if path.parent.name in (*COMPONENT_GROUPS, *PLACE_GROUPS, *LISTED_GROUPS)]
SETTINGS = {"model": Size, "train": Train, "evaluation": Evaluation, "trainer": Trainer}
MISREAD = {"none", "null", "na", "nan", "no", "on", "off", "yes", "true", "false", "n/a", "inf", "~"}


def component(path: Path) -> dict:
    return node(path.parent.name, path.stem)


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def options(cls: type) -> dict[str, Any]:
    """The keyword-only parameters of a constructor with their defaults, after those that it hands on to its base."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    handed_on = any(p.kind is p.VAR_KEYWORD for p in parameters) and "__init__" in vars(cls)
    inherits = cls.__mro__[1] if handed_on or "__init__" not in vars(cls) else None
    own = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return (options(inherits) if inherits and inherits is not object else {}) | own


@pytest.mark.parametrize("path", COMPONENTS, ids=name)
def test_yaml_keys_are_the_constructors_options_with_its_defaults(path: Path) -> None:
    content = component(path)
    module, _, cls = content.pop("_target_").rpartition(".")
    keyword_only = options(getattr(importlib.import_module(module), cls))
    assert list(content) == list(keyword_only), "the keys, in the order of the signature"
    siblings = [component(other) for other in COMPONENTS if other.parent == path.parent]
    same_class = [other for other in siblings if other.pop("_target_") == f"{module}.{cls}"]
    defaults = {key: list(value) if isinstance(value, tuple) else value for key, value in keyword_only.items()}
    assert defaults in same_class, "a class has the defaults of one of its choices"


@pytest.mark.parametrize("path", COMPONENTS, ids=name)
def test_what_is_read_from_source_is_what_python_says(path: Path) -> None:
    """The validator trusts declarations that it reads without importing: they must be the real ones."""
    target = component(path)["_target_"]
    module, _, cls = target.rpartition(".")
    real = getattr(importlib.import_module(module), cls)
    declared = declarations.lookup(target)
    assert {key: option.default for key, option in declared.options.items()} == options(real)
    assert list(declared.options) == list(options(real))
    for attribute, value in declared.attributes.items():
        if isinstance(getattr(real, attribute), (str, bool, int, tuple)):
            assert getattr(real, attribute) == value


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name in SETTING_GROUPS], ids=name)
def test_settings_are_complete(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    SETTINGS[path.parent.name].model_validate(content)
    assert list(content) == list(SETTINGS[path.parent.name].model_fields)


@pytest.mark.parametrize("path", [*FILES, *ROOT.glob("conf/*.yaml")], ids=name)
def test_every_key_has_a_comment_and_the_file_a_line_of_meaning(path: Path) -> None:
    lines = path.read_text().splitlines()
    meanings = [line for line in lines if line.startswith("# ") and "@package" not in line]
    assert meanings, "a first line that says what it is"
    assert len(meanings[0]) <= 122
    in_defaults = False
    for line in lines:
        in_defaults = line.startswith("defaults:") or (in_defaults and line.startswith("  "))
        if line.strip() and not in_defaults and not re.match(r"^#|^\s*_target_:|^\s*\w+:$", line):
            assert " # " in line, f"no comment: {line}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_choice_has_a_name_that_yaml_or_csv_readers_turn_into_something_else(path: Path) -> None:
    assert path.stem.lower() not in MISREAD
    assert re.fullmatch(r"[a-z][a-z0-9_]*", path.stem)


def test_the_catalogue_knows_every_group() -> None:
    own = {"callbacks"}  # a group of which there are the user's alone
    read = {"suite"}  # lists of tasks for leaderboards, no choices of a run
    assert set(catalogue.GROUPS) - own == {path.name for path in (ROOT / "conf").iterdir() if path.is_dir()} - read


@pytest.mark.parametrize("size", sorted(path.stem for path in (ROOT / "conf" / "model").glob("*.yaml")))
def test_a_size_has_as_many_parameters_as_its_file_says(size: str) -> None:
    from harness.dimensions import Dimensions
    from harness.encodings.nope import NoPE
    from harness.models.decoder import Decoder

    path = ROOT / "conf" / "model" / f"{size}.yaml"
    said = re.search(r"([\d.]+) (thousand|million) parameters", path.read_text())
    assert said
    number = float(said[1]) * {"thousand": 1e3, "million": 1e6}[said[2]]
    values = yaml.safe_load(path.read_text())
    dimensions = Dimensions(values["dimension"], values["heads"], values["layers"], train_tokens=42)
    import torch

    with torch.device("meta"):
        model = Decoder(dimensions, 30, layers(dimensions, lambda _: NoPE(dimensions)))
    assert sum(p.numel() for p in model.parameters()) == pytest.approx(number, rel=0.05)


def test_importing_the_door_loads_nothing_heavy() -> None:
    """What the command line imports before it knows that a run makes sense."""
    import subprocess
    import sys

    imported = "sys, harness.cli, harness.composition.compose, harness.launch.sweep, harness.composition.help"
    code = f"import {imported}; print(sorted(sys.modules))"
    loaded = ast.literal_eval(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout)
    assert not {"torch", "pytorch_lightning", "pandas", "scipy", "matplotlib", "wandb"} & set(loaded)
