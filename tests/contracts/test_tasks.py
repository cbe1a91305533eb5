"""Every task of conf/task keeps what a task promises."""

import hashlib
import json
import signal

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ROOT, choices

from harness.composition.compose import composer
from harness.config import catalogue, identity, instantiation
from harness.config.schema import Run
from harness.rng import generator
from tasks.base import ABSENT, Batch, Task

VARIANTS = ROOT / "tests" / "contracts" / "task_options"
"""Overrides under which a task is tested, where there is more than its default: ``<task>.yaml``, a list of lists."""


def variants(name: str) -> list[tuple[str, ...]]:
    file = VARIANTS / f"{name}.yaml"
    return [tuple(overrides) for overrides in yaml.safe_load(file.read_text())] if file.exists() else [()]


CASES = [
    pytest.param((name, options), marks=[pytest.mark.slow] if number else [], id=" ".join((name, *options)))
    for name in choices("task")
    for number, options in enumerate(variants(name))
]
DIGESTS = ROOT / "tests" / "golden" / "tasks"


def make(name: str, options: tuple[str, ...] = ()) -> tuple[Run, Task]:
    with composer() as hydra:
        run = hydra.run([f"task={name}", *options])
    return run, instantiation.task(run)


@pytest.fixture(scope="module", params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[Run, Task]:
    return make(*request.param)


def lengths(run: Run, task: Task) -> list[int]:
    """Trained and tested lengths, the shortest of all among them."""
    both = {*identity.training_lengths(run, task), *identity.tested_lengths(run, task), task.shortest}
    return sorted(length for length in both if task.produces(length))


def words(task: Task, row: np.ndarray) -> list[str]:
    return [task.alphabet[token] for token in row if token != ABSENT]


def said(task: Task, row: np.ndarray) -> list[str]:
    """An answer as :meth:`Task.solve` gives it."""
    if task.form != "labels":
        return words(task, row)
    return ["" if token == ABSENT else task.alphabet[token] for token in row]


def test_samples_are_what_the_oracle_says(case: tuple[Run, Task]) -> None:
    run, task = case
    if task.form == "stream":
        pytest.skip("running text has no right answer")
    for length in lengths(run, task):
        for seed in range(3):
            batch = task.sample(np.random.default_rng(seed), length, 20)
            for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
                question = words(task, prompt)
                right = said(task, answer)[: len(question) if task.form == "labels" else None]
                try:
                    solved = task.solve(question)
                except LookupError:
                    pytest.skip("what is right cannot be known from the prompt")
                assert solved == right, f"length {length}: {' '.join(question)}"


def test_the_shape_of_a_batch(case: tuple[Run, Task]) -> None:
    run, task = case
    for length in lengths(run, task):
        for split in ("train", "test"):
            batch = task.sample(np.random.default_rng(0), length, 7, split)
            assert len(batch.prompt) == len(batch.answer) == len(batch.scored)
            assert len(batch.prompt) == 7 or (split == "test" and len(batch.prompt) > 0)
            assert batch.prompt.shape[1] <= task.prompt_length(length)
            assert batch.answer.shape[1] <= task.answer_length(length)
            assert batch.scored.shape == batch.answer.shape
            assert batch.scored.dtype == bool
            if task.form != "answer":  # the end of an answer counts, even of an empty one
                assert batch.scored.any(axis=1).all(), "something counts in every example"
            assert not (batch.scored & (batch.answer == ABSENT)).any(), "what is absent cannot count"
            for tokens in (batch.prompt, batch.answer):
                assert tokens.min(initial=0) >= ABSENT
                assert tokens.max(initial=0) < len(task.alphabet)
            for tokens in (batch.prompt,) if task.form == "labels" else (batch.prompt, batch.answer):
                absent = tokens == ABSENT
                assert (absent[:, 1:] >= absent[:, :-1]).all(), "absent tokens come last"
            if task.form == "labels":
                assert batch.answer.shape == batch.prompt.shape
                assert not ((batch.answer != ABSENT) & (batch.prompt == ABSENT)).any(), "a label belongs to a token"


def test_channels_have_a_number_for_every_token(case: tuple[Run, Task]) -> None:
    run, task = case
    for length in lengths(run, task) if task.channels else []:
        for split in ("train", "test"):
            batch = task.sample(np.random.default_rng(0), length, 7, split)
            assert set(batch.channels) == set(task.channels)
            tokens = batch.prompt.shape[1] + (batch.answer.shape[1] if task.form != "labels" else 0)
            for name, numbers in batch.channels.items():
                assert numbers.shape in ((len(batch.prompt), tokens), (len(batch.prompt), tokens + 1))
                assert numbers.dtype == np.int64
                assert numbers.min() >= ABSENT
                assert numbers.max() <= task.channel_maximum(name, length)


def test_axes_tell_scores_apart_in_few_combinations(case: tuple[Run, Task]) -> None:
    run, task = case
    for length in lengths(run, task) if task.axes else []:
        batch = task.sample(np.random.default_rng(0), length, 256, "test")
        assert set(batch.axes) == set(task.axes)
        for values in batch.axes.values():
            assert values.shape in (batch.answer.shape[:1], batch.answer.shape)
            assert np.issubdtype(values.dtype, np.integer)
        per_example = [values for values in batch.axes.values() if values.ndim == 1]
        per_token = [values[batch.scored] for values in batch.axes.values() if values.ndim == 2]
        for group in (per_example, per_token):
            if group:
                assert np.min(group) >= 0
                assert len(np.unique(np.stack(group), axis=1).T) <= 100, "wide axes are given in bins"


def test_scored_tokens_are_among_the_outputs_and_all_of_these_occur(case: tuple[Run, Task]) -> None:
    run, task = case
    assert set(task.outputs) <= set(task.alphabet)
    assert len(set(task.outputs)) == len(task.outputs) > 0
    met: set[str] = set()
    for seed in range(1, 40):  # some tokens are rare: a cell with eight mines around it
        for length in lengths(run, task):
            batch = task.sample(np.random.default_rng(seed), length, 200)
            met |= {task.alphabet[token] for token in np.unique(batch.answer[batch.scored])}
        if len(met) >= min(len(task.outputs), 64):
            break
    assert met <= set(task.outputs)
    if task.form != "stream" and len(task.outputs) <= 64:
        assert met == set(task.outputs)


def test_shortcuts_guess_in_the_shape_of_an_answer(case: tuple[Run, Task]) -> None:
    run, task = case
    for name, shortcut in task.shortcuts().items():
        assert name[:1].isalpha()
        for length in lengths(run, task):
            for prompt in task.sample(np.random.default_rng(2), length, 5).prompt:
                question = words(task, prompt)
                guess = shortcut(question)
                assert set(guess) <= {"", *task.alphabet}
                assert task.form != "labels" or len(guess) == len(question)


def test_class_names_are_unique() -> None:
    """Data is drawn from generators that are named after the class."""
    classes = {str(choice.target) for choice in catalogue.choices("task")}
    assert len({target.rpartition(".")[2] for target in classes}) == len(classes)


def test_the_alphabet_is_printable_and_unambiguous(case: tuple[Run, Task]) -> None:
    _, task = case
    assert len(set(task.alphabet)) == len(task.alphabet)
    assert all(token.isprintable() and token for token in task.alphabet)


def test_the_same_generator_gives_the_same_data_and_another_gives_other(case: tuple[Run, Task]) -> None:
    run, task = case
    length = max(length for length in lengths(run, task) if length <= run.lengths.train)

    def draw(seed: int) -> Batch:
        return task.sample(np.random.default_rng(seed), length, 50)

    assert np.array_equal(draw(1).prompt, draw(1).prompt)
    assert np.array_equal(draw(1).answer, draw(1).answer)
    assert not (np.array_equal(draw(1).prompt, draw(2).prompt) and np.array_equal(draw(1).answer, draw(2).answer))


def test_global_random_state_is_left_alone(case: tuple[Run, Task]) -> None:
    run, task = case
    np.random.seed(0)  # noqa: NPY002 - the state under test
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    task.sample(np.random.default_rng(0), lengths(run, task)[0], 10)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_no_length_below_the_shortest(case: tuple[Run, Task]) -> None:
    _, task = case
    assert not any(task.produces(length) for length in range(task.shortest))
    assert task.shortest >= 1


def test_a_length_without_examples_is_refused_at_once(case: tuple[Run, Task]) -> None:
    """Asked for one, a sampler of its own may look for an example without end."""
    _, task = case
    missing = [length for length in range(1, task.shortest + 12) if not task.produces(length)]

    def too_long(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    try:
        for length in {-1, 0, task.shortest - 1, *missing}:
            for split in ("train", "test"):
                signal.alarm(5)
                with pytest.raises(ValueError, match=f"has no examples of length {length}"):
                    task.sample(np.random.default_rng(0), length, 5, split)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_data_does_not_change_without_a_new_version(case: tuple[Run, Task], request: pytest.FixtureRequest) -> None:
    """Digests of a few examples, kept with the version: a changed digest is a decision."""
    run, task = case
    if task.fingerprint() is not None:
        pytest.skip("its data belongs to the machine; the fingerprint tells")
    digest = hashlib.sha256()
    for length in (lengths(run, task)[0], run.lengths.train, lengths(run, task)[-1]):
        batch = task.sample(generator("golden", length), length, 3)
        for array in batch[:3]:
            digest.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
    file = DIGESTS / f"{run.task.name}.json"
    key = f"{json.dumps(run.task.options, sort_keys=True)} version {task.version}"
    known = json.loads(file.read_text()) if file.exists() else {}
    if request.config.getoption("--write-digests") and key not in known:
        known[key] = digest.hexdigest()[:16]
        file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")
    entry = json.dumps({key: digest.hexdigest()[:16]})
    assert known.get(key) == digest.hexdigest()[:16], f"if this is meant, put {entry} into {file}"


@settings(max_examples=30, deadline=None)
@given(
    length=st.integers(1, 60),
    seed=st.integers(0, 2**32),
    name=st.sampled_from(["copy", "reverse", "parity", "addition"]),
)
def test_any_length_and_seed(length: int, seed: int, name: str) -> None:
    _, task = CACHED[name]
    batch = task.sample(np.random.default_rng(seed), length, 5)
    for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
        assert task.solve(words(task, prompt)) == words(task, answer)


CACHED = {name: make(name) for name in ("copy", "reverse", "parity", "addition")}


def test_streams_for_training_and_testing_never_meet() -> None:
    """Training and test examples come from generators that differ in more than their state."""
    drawn = {
        generator(*purpose).bytes(16)
        for purpose in (("copy", 1, "train", 0, 5, 0), ("copy", 1, "test", 5), ("copy", 1, "blind", 5))
    }
    assert len(drawn) == 3
    assert generator("a", 1).bytes(8) != generator("a", "1").bytes(8)
    assert generator("a", "b/c").bytes(8) != generator("a", "b", "c").bytes(8)
