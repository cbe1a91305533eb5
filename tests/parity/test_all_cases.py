"""Every golden case is matched, or listed here with the reason why not."""

from pathlib import Path

import pytest
from golden_cases import FOLDER

NOT_MATCHED = {
    "coupling_multiplication_scratchpad_3ch": "multiplication has no scratchpad, and coupled positions have two levels",
}
"""Cases that are not matched, and why."""


@pytest.mark.parametrize("case", sorted(path.stem for path in FOLDER.glob("*.npz")))
def test_a_case_is_matched_or_there_is_a_reason(case: str) -> None:
    files = (path for path in Path(__file__).parent.glob("test_*.py") if path != Path(__file__))
    matched = any(f'"{case}"' in path.read_text() for path in files)
    assert matched != (case in NOT_MATCHED)


def test_no_reason_is_given_for_a_case_that_does_not_exist() -> None:
    assert {path.stem for path in FOLDER.glob("*.npz")} >= set(NOT_MATCHED)
