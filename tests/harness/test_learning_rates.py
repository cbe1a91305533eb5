"""What is known of a method holds for one with another learning rate, as if that had been parsed and checked itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_records import same
from support import ROOT, put, sample

from harness.config.schema import Run
from harness.files import sealed_json
from harness.results import cutting, descriptions, frames, learning_rates, portions, records, seedless
from harness.results.cutting import Unusual
from harness.results.seedless import Split

RECORDS = sorted(ROOT.glob("results/*/records/*-seed0-*.json"))[::9]
WORDS = (
    *["0.001", "0.0003", "3e-05", "5e-324", "1e+300", "1e+22", "123.25", "0.0", "-0.0", "-0.001", "1", "0", "01.5"],
    *["1e-3", "0.0010", "1E-5", "NaN", "Infinity", "1e999", "null", "true", '"0.001"', "[]", "8.070450532247929e-05"],
)


def splits(path: Path) -> tuple[Split, Split]:
    """Science and config of a record, as they are cut from its text."""
    members = cutting.members(path.read_bytes())
    return seedless.cut(members["science"])[0], seedless.cut(members["config"])[0]


def with_rate(text: Split, word: str) -> Split:
    """A science or config with another rate wherever it says one."""

    def changed(part: str) -> str:
        return learning_rates.RATE.sub(lambda found: found[0].replace(found[1], word), part)

    before, behind = text
    return changed(before), changed(behind)


def said(method: Callable[[Split, Split], Any], science: Split, config: Split) -> Any:
    """All that a method says; the kind of what it raises where it is none."""
    try:
        return method(science, config)
    except Unusual:
        return "unusual"
    except (ValueError, KeyError, TypeError):
        return "wrong"


@settings(max_examples=60, deadline=None)
@given(
    path=st.sampled_from(RECORDS),
    word=st.sampled_from(WORDS) | st.floats(0, 10, exclude_min=True).map(repr),
    other=st.sampled_from(WORDS) | st.none(),
)
def test_a_method_with_another_rate_is_what_it_is_by_itself(path: Path, word: str, other: str | None) -> None:
    science, config = splits(path)
    here, there = with_rate(science, word), with_rate(config, word if other is None else other)
    learning_rates.method(science, config)
    assert said(learning_rates.method, here, there) == said(seedless.method, here, there)


def test_methods_of_a_search_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    science, config = splits(RECORDS[0])
    learning_rates.method(science, config)
    expected = seedless.method(with_rate(science, "0.07"), with_rate(config, "0.07"))
    monkeypatch.delattr(seedless, "method")
    found = learning_rates.method(with_rate(science, "0.07"), with_rate(config, "0.07"))
    assert found == expected
    assert found.values[0]["training"]["train"]["learning_rate"] == 0.07
    assert {one.id for one in found.methods.values()} == {
        one.id for one in descriptions.methods(found.values[0]).values()
    }


@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rates=st.lists(st.floats(1e-5, 1.0), min_size=3, max_size=3, unique=True))
def test_records_of_a_search_are_read_as_each_by_itself(
    rates: list[float], composed: Callable[..., Run], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("results")
    runs = [composed(f"train.learning_rate={rate}", f"seed={seed}") for rate in rates for seed in range(2)]
    paths = sorted((put(sample(run), folder) for run in runs), key=lambda path: path.stem)
    spoiled = json.loads(paths[0].read_text())
    spoiled["config"]["train"]["learning_rate"] = 0.125  # not that of the science, and sealed again
    spoiled["seal"] = sealed_json.seal(spoiled)
    paths[0].write_text(json.dumps(spoiled, indent=1) + "\n")
    packed, (reason,) = portions.read(paths)
    assert "its config has another train than its science" in reason
    found = frames.made(packed)
    order = found.runs.record.astype(object).argsort(kind="stable").to_numpy()
    same(frames.take(found, order), frames.of([records.read(path) for path in paths[1:]]))
