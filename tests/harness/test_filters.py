"""Filters of runs on the command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import near_only, put, record

from harness import cli
from harness.composition.arguments import folders_and_filters
from harness.config.schema import Run
from harness.errors import Refused
from harness.results import filters, frames, run_facts
from harness.results.frames import Frames

Compose = Callable[..., Run]
CHOSEN = [
    ("copy", "rope", 0, 40),
    ("copy", "rope", 1, 40),
    ("copy", "alibi", 0, 60),
    ("reverse", "rope", 0, 40),
    ("reverse", "nope", 2, 60),
    ("dyck", "alibi", 3, 40),
]
ROWS = [{"task": t, "encoding": e, "seed": s, "steps": n, "family": f} for (t, e, s, n), f in zip(
    CHOSEN, ["copying"] * 5 + ["formal"], strict=True)]  # fmt: skip


@pytest.fixture(scope="module")
def found(composed: Compose) -> Frames:
    return frames.of(
        [
            record(composed(f"task={task}", f"encoding={name}", f"seed={seed}", f"train.steps={steps}"), near_only)
            for task, name, seed, steps in CHOSEN
        ]
    )


def comparisons() -> st.SearchStrategy[str]:
    names = {
        "task": ["copy", "reverse", "dyck"],
        "encoding": ["rope", "alibi", "nope"],
        "family": ["copying", "formal"],
    }
    numbers = {"seed": [0, 1, 2, 3], "steps": [40, 50, 60]}
    text = st.sampled_from(sorted(names)).flatmap(
        lambda name: st.one_of(
            st.builds("{} {} {!r}".format, st.just(name), st.sampled_from(["==", "!="]), st.sampled_from(names[name])),
            st.builds(
                "{} {} {!r}".format, st.just(name), st.sampled_from(["in", "not in"]),
                st.lists(st.sampled_from(names[name]), max_size=2),
            ),
        )
    )  # fmt: skip
    order = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    number = st.sampled_from(sorted(numbers)).flatmap(
        lambda name: st.one_of(
            st.builds("{} {} {}".format, st.just(name), order, st.sampled_from(numbers[name])),
            st.builds("{} <= {} < {}".format, st.sampled_from(numbers[name]), st.just(name), st.just(55)),
        )
    )
    return st.one_of(text, number)


EXPRESSIONS = st.recursive(
    comparisons(),
    lambda inner: st.one_of(
        st.builds("({}) {} ({})".format, inner, st.sampled_from(["and", "or", "&", "|"]), inner),
        st.builds("not ({})".format, inner),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(EXPRESSIONS)
def test_a_filter_keeps_the_runs_for_which_python_says_it_holds(found: Frames, text: str) -> None:
    python = text.replace("&", "and").replace("|", "or")
    wanted = [number for number, row in enumerate(ROWS) if eval(python, {"__builtins__": {}}, row)]
    text = text.replace("steps", "train.steps")
    if not wanted:
        with pytest.raises(Refused, match="no run is left"):
            filters.applied(found, [text])
        return
    kept, _ = filters.applied(found, [text])
    assert kept.runs.record.astype(object).tolist() == [found.runs.record[number] for number in wanted]


@pytest.mark.parametrize(
    ("text", "said"),
    {
        '__import__("os").system("touch harm")': "is none of what a filter has",
        "task.__class__.__mro__ == 1": "there is no column 'task.__class__.__mro__'",
        'task.str.contains("c")': "is none of what a filter has",
        '(lambda: 1)() == "x"': "is none of what a filter has",
        "[x for x in task] == task": "is none of what a filter has",
        "seed[0] == 1": "is none of what a filter has",
        "f'{seed}' == task": "is none of what a filter has",
        "seed + 1 == 2": "is none of what a filter has",
        "seed in [0, 10 ** 9]": "is none of what a filter has",
        "task == @harm": "cannot be read as a filter",
        "(" * 500 + "seed == 1" + ")" * 500: "cannot be read as a filter",
        "seed == 1" + " or seed == 1" * 1000: "at most 2000 characters",
        'task = "copy"': 'a filter compares with ==, as in task == "copy"',
        "task == copy": "there is no column 'copy'. Text is written in quotes. Columns: task, family",
        "encodin == 'rope'": "there is no column 'encodin'; did you mean 'encoding'?",
        "score > 0.5": "score is a result: a filter asks what was run",
        "encoding == 'ropee'": "no run is left; no run has encoding 'ropee', did you mean 'rope'?",
        "seed > 8": "no run is left; seed is 0, 1, 2, 3",
        "seed < 'a'": "these cannot be compared",
        "1 < 2": "compares no column",
        "'rope' in encoding": "'in' takes a column and a list",
        "not seed": "seed is not true or false by itself",
    }.items(),
)
def test_what_is_no_filter_is_refused_in_a_line(found: Frames, text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        filters.applied(found, [text])
    assert said in str(refusal.value)
    assert not Path("harm").exists()


def test_text_that_no_run_has_is_said_beside_what_is_left(found: Frames) -> None:
    kept, remarks = filters.applied(found, ["encoding in ['rope', 'aliby']"])
    assert set(kept.runs.encoding) == {"rope"}
    assert remarks == ["encoding in ['rope', 'aliby']: no run has encoding 'aliby', did you mean 'alibi'?"]


def test_methods_are_told_apart_by_filters_that_work(found: Frames) -> None:
    for pair in ([0, 2], [2, 4], [0, 5]):
        ids = found.runs.method_id.astype(object).iloc[pair]
        first, second = (set(filters.applied(found, [way])[0].runs.method_id) for way in run_facts.telling(found, ids))
        assert len(first & set(ids)) == len(second & set(ids)) == 1


def test_a_word_that_is_a_folder_is_no_filter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a == b").mkdir()
    (tmp_path / "results").mkdir()
    assert folders_and_filters(["a == b", "seed == 1"]) == ([Path("a == b")], ["seed == 1"])
    assert folders_and_filters(["not sealed"]) == ([Path("results")], ["not sealed"])
    for word in ("nowhere", "sealed"):
        with pytest.raises(Refused, match=f"{word}: there is no such folder, nor is it a filter"):
            folders_and_filters([word])


@pytest.mark.slow
def test_labels_name_what_differs_among_the_runs_that_are_left(
    composed: Compose, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for steps in (40, 60):
        for name in ("rope", "alibi"):
            put(record(composed(f"encoding={name}", f"train.steps={steps}"), near_only), tmp_path)
    assert cli.main(["leaderboard", str(tmp_path), "--columns", "method"]) == 0
    assert "rope · steps=40" in capsys.readouterr().out
    assert cli.main(["leaderboard", str(tmp_path), "train.steps == 40", "--columns", "method"]) == 0
    out = capsys.readouterr().out
    assert "rope" in out
    assert "steps" not in out
    assert cli.main(["leaderboard", str(tmp_path), 'method == "rope · steps=60"', "--columns", "method,seeds"]) == 0
    assert "rope      1" in capsys.readouterr().out
    assert cli.main(["compare", str(tmp_path)]) == 2
    assert "choose one with a filter: 'train.steps == 40' or 'train.steps == 60'" in capsys.readouterr().err
    assert cli.main(["compare", str(tmp_path), "train.steps == 60"]) == 0
