"""docs/encodings.md says what the encodings declare."""

import csv

from golden_cases import FOLDER
from support import ROOT, written_page


def test_the_page_is_what_its_script_writes() -> None:
    assert written_page("make_encodings") == (ROOT / "docs" / "encodings.md").read_text(), (
        "run python docs/make_encodings.py"
    )


def test_differences_are_measured_for_every_case_that_is_matched() -> None:
    from parity.test_all_cases import NOT_MATCHED

    with (FOLDER.parent / "parity.csv").open(newline="") as file:
        measured = {row["case"] for row in csv.DictReader(file)}
    assert measured | set(NOT_MATCHED) == {path.stem for path in FOLDER.glob("*.npz")}, (
        "pytest tests/parity --write-parity"
    )
