"""docs/encodings.md says what the encodings declare."""

import csv
import importlib.util

from golden_cases import FOLDER
from support import ROOT


def test_the_page_is_what_its_script_writes() -> None:
    spec = importlib.util.spec_from_file_location("make_encodings", ROOT / "docs" / "make_encodings.py")
    assert spec
    assert spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.page() == (ROOT / "docs" / "encodings.md").read_text(), "run python docs/make_encodings.py"


def test_differences_are_measured_for_every_case_that_is_matched() -> None:
    from parity.test_all_cases import NOT_MATCHED

    with (FOLDER.parent / "parity.csv").open(newline="") as file:
        measured = {row["case"] for row in csv.DictReader(file)}
    assert measured | set(NOT_MATCHED) == {path.stem for path in FOLDER.glob("*.npz")}, (
        "pytest tests/parity --write-parity"
    )
