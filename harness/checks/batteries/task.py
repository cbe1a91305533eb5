"""Every task keeps what a task promises."""

import contextlib
import hashlib
import signal
import threading
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from harness.checks.claims import DoesNotApply, Failed, require
from harness.checks.tried import Tried
from harness.config import identity, instantiation
from harness.config.schema import Run
from harness.evaluation import baselines
from harness.rng import generator
from tasks.base import ABSENT, Batch, Task


class Subject(NamedTuple):
    """A task, and a run on it, which says what lengths are trained and tested."""

    run: Run
    task: Task


def subject(tried: Tried) -> Subject:
    """The task of a choice."""
    run = tried.valid()
    return Subject(run, instantiation.task(run))


def lengths(subject: Subject) -> list[int]:
    """Trained and tested lengths, the shortest of all among them."""
    run, task = subject
    both = {*identity.training_lengths(run, task), *identity.tested_lengths(run, task), task.shortest}
    return sorted(length for length in both if task.produces(length))


def words(task: Task, row: np.ndarray) -> list[str]:
    """The tokens of a prompt or an answer."""
    return [task.alphabet[token] for token in row if token != ABSENT]


def said(task: Task, row: np.ndarray) -> list[str]:
    """An answer as :meth:`Task.solve` gives it."""
    if task.form != "labels":
        return words(task, row)
    return ["" if token == ABSENT else task.alphabet[token] for token in row]


def digest(subject: Subject) -> str:
    """What tells the data of a task from any other: of a few examples, at three lengths."""
    run, task = subject
    found = hashlib.sha256()
    for length in (lengths(subject)[0], run.lengths.train, lengths(subject)[-1]):
        batch = task.sample(generator("golden", length), length, 3)
        for array in batch[:3]:
            found.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
    return found.hexdigest()[:16]


def has_a_version(subject: Subject) -> str:
    """It has a version, which rises whenever its data changes"""
    version = getattr(subject.task, "version", None)
    require(type(version) is int and version > 0, f"version = {version!r}, and it should be 1, 2, ...")
    known = subject.task.fingerprint()
    return f"version {version}, " + (f"digest of its data {digest(subject)}" if known is None else f"data {known}")


def unambiguous_alphabet(subject: Subject) -> str:
    """Its alphabet is printable and has no token twice"""
    alphabet = subject.task.alphabet
    require(len(set(alphabet)) == len(alphabet), "a token occurs twice")
    strange = [token for token in alphabet if not (token and token.isprintable())]
    require(not strange, f"{strange[:1]} cannot be printed")
    return f"{len(alphabet)} tokens"


def agrees_with_oracle(subject: Subject) -> str:
    """Samples are what the oracle says"""
    task, counted = subject.task, 0
    if task.form == "stream":
        raise DoesNotApply("running text has no right answer")
    for length in lengths(subject):
        for seed in range(3):
            batch = task.sample(np.random.default_rng(seed), length, 20)
            for prompt, answer in zip(batch.prompt, batch.answer, strict=True):
                question = words(task, prompt)
                right = said(task, answer)[: len(question) if task.form == "labels" else None]
                try:
                    solved = task.solve(question)
                except LookupError as error:
                    raise DoesNotApply("what is right cannot be known from the prompt") from error
                where = f"length {length}: {' '.join(question)}"
                require(solved == right, f"{where} -> {' '.join(right)}, and by the oracle {' '.join(solved)}")
                counted += 1
    return f"{counted} examples"


def well_shaped(subject: Subject) -> str:
    """Batches have the promised lengths, tokens of the alphabet, and something that counts in every example"""
    task = subject.task
    for length in lengths(subject):
        for split in ("train", "test"):
            where = f"length {length}, {split}: "
            batch = task.sample(np.random.default_rng(0), length, 7, split)
            count = len(batch.prompt)
            require(count == len(batch.answer) == len(batch.scored), f"{where}prompt, answer and scored differ in rows")
            require(count == 7 or (split == "test" and count > 0), f"{where}{count} examples, and 7 were asked for")
            for name, tokens, most in (
                ("prompt", batch.prompt, task.prompt_length(length)),
                ("answer", batch.answer, task.answer_length(length)),
            ):
                require(
                    tokens.shape[1] <= most, f"{where}{tokens.shape[1]} tokens of {name}, {name}_length says {most}"
                )
                require(tokens.min(initial=0) >= ABSENT, f"{where}a token of the {name} is below ABSENT")
                require(
                    tokens.max(initial=0) < len(task.alphabet), f"{where}a token of the {name} is not in the alphabet"
                )
            require(batch.scored.shape == batch.answer.shape, f"{where}scored has another shape than answer")
            require(batch.scored.dtype == bool, f"{where}scored is {batch.scored.dtype} and not bool")
            if task.form != "answer":  # the end of an answer counts, even of an empty one
                require(batch.scored.any(axis=1).all(), f"{where}an example in which nothing counts")
            require(not (batch.scored & (batch.answer == ABSENT)).any(), f"{where}what is absent counts")
            for tokens in (batch.prompt,) if task.form == "labels" else (batch.prompt, batch.answer):
                absent = tokens == ABSENT
                require((absent[:, 1:] >= absent[:, :-1]).all(), f"{where}absent tokens that do not come last")
            if task.form == "labels":
                require(batch.answer.shape == batch.prompt.shape, f"{where}labels and prompt differ in shape")
                alone = (batch.answer != ABSENT) & (batch.prompt == ABSENT)
                require(not alone.any(), f"{where}a label without a token")
    return f"lengths {lengths(subject)[0]} to {lengths(subject)[-1]}"


def channels_number_every_token(subject: Subject) -> str:
    """Channels have a number for every token"""
    task = subject.task
    if not task.channels:
        raise DoesNotApply("it has none")
    for length in lengths(subject):
        for split in ("train", "test"):
            batch = task.sample(np.random.default_rng(0), length, 7, split)
            require(set(batch.channels) == set(task.channels), f"{set(batch.channels)} instead of {task.channels}")
            tokens = batch.prompt.shape[1] + (batch.answer.shape[1] if task.form != "labels" else 0)
            for name, numbers in batch.channels.items():
                shapes = ((len(batch.prompt), tokens), (len(batch.prompt), tokens + 1))
                require(numbers.shape in shapes, f"{name}: shape {numbers.shape}, and it should be {shapes[0]}")
                require(numbers.dtype == np.int64, f"{name}: {numbers.dtype} instead of int64")
                require(numbers.min() >= ABSENT, f"{name}: {numbers.min()}")
                most = task.channel_maximum(name, length)
                require(numbers.max() <= most, f"{name}: {numbers.max()}, and channel_maximum says {most}")
    return ", ".join(task.channels)


def axes_in_bins(subject: Subject) -> str:
    """Axes tell scores apart in few combinations"""
    task = subject.task
    if not task.axes:
        raise DoesNotApply("it has none")
    for length in lengths(subject):
        batch = task.sample(np.random.default_rng(0), length, 256, "test")
        require(set(batch.axes) == set(task.axes), f"{set(batch.axes)} instead of {task.axes}")
        for name, values in batch.axes.items():
            shapes = (batch.answer.shape[:1], batch.answer.shape)
            require(values.shape in shapes, f"{name}: shape {values.shape}")
            require(np.issubdtype(values.dtype, np.integer), f"{name}: {values.dtype} is no whole number")
        per_example = [values for values in batch.axes.values() if values.ndim == 1]
        per_token = [values[batch.scored] for values in batch.axes.values() if values.ndim == 2]
        for group in (per_example, per_token):
            if group:
                require(np.min(group) >= 0, "a value is below 0")
                count = len(np.unique(np.stack(group), axis=1).T)
                require(count <= 100, f"{count} combinations at length {length}: wide axes are given in bins")
    return ", ".join(task.axes)


def outputs_occur(subject: Subject) -> str:
    """Scored tokens are among its outputs, and all outputs occur"""
    task = subject.task
    require(set(task.outputs) <= set(task.alphabet), "an output is not in the alphabet")
    require(len(set(task.outputs)) == len(task.outputs) > 0, "an output occurs twice, or there is none")
    met: set[str] = set()
    for seed in range(1, 40):  # some tokens are rare: a cell with eight mines around it
        for length in lengths(subject):
            batch = task.sample(np.random.default_rng(seed), length, 200)
            met |= {task.alphabet[token] for token in np.unique(batch.answer[batch.scored])}
        if len(met) >= min(len(task.outputs), 64):
            break
    require(met <= set(task.outputs), f"{sorted(met - set(task.outputs))[:3]} is scored and no output")
    if task.form != "stream" and len(task.outputs) <= 64:
        missing = sorted(set(task.outputs) - met)
        require(not missing, f"{missing[:3]} never occurs, so a guess by chance is better than chance says")
    return f"{len(task.outputs)} outputs"


def shortcuts_guess_answers(subject: Subject) -> str:
    """Shortcuts guess in the shape of an answer"""
    task = subject.task
    if not task.shortcuts():
        raise DoesNotApply("it knows none")
    for name, shortcut in task.shortcuts().items():
        require(name[:1].isalpha(), f"the name {name!r} should begin with a letter")
        for length in lengths(subject):
            for prompt in task.sample(np.random.default_rng(2), length, 5).prompt:
                question = words(task, prompt)
                guess = shortcut(question)
                require(set(guess) <= {"", *task.alphabet}, f"{name} guesses {guess}")
                require(task.form != "labels" or len(guess) == len(question), f"{name}: a label for every token")
    return ", ".join(task.shortcuts())


def seeded(subject: Subject) -> None:
    """The same generator gives the same data, another one other data"""
    run, task = subject
    length = max(length for length in lengths(subject) if length <= run.lengths.train)

    def draw(seed: int) -> Batch:
        return task.sample(np.random.default_rng(seed), length, 50)

    first, again, other = draw(1), draw(1), draw(2)
    require(np.array_equal(first.prompt, again.prompt), "the same seed gave two prompts: something else is random")
    require(np.array_equal(first.answer, again.answer), "the same seed gave two answers: something else is random")
    same = np.array_equal(first.prompt, other.prompt) and np.array_equal(first.answer, other.answer)
    require(not same, "another seed gave the same examples: the generator that is passed in is not used")


def global_state_alone(subject: Subject) -> None:
    """The global random state is left alone"""
    np.random.seed(0)  # noqa: NPY002 - the state under test
    before = np.random.get_state()[1].copy()  # type: ignore[index] # noqa: NPY002
    subject.task.sample(np.random.default_rng(0), lengths(subject)[0], 10)
    require(np.array_equal(before, np.random.get_state()[1]), "np.random has been used")  # type: ignore[index] # noqa: NPY002


def refuses_other_lengths(subject: Subject) -> str:
    """A length without examples is refused at once"""
    task = subject.task
    require(task.shortest >= 1, f"shortest = {task.shortest}")
    require(not any(task.produces(length) for length in range(task.shortest)), "it has lengths below the shortest")
    missing = [length for length in range(1, task.shortest + 12) if not task.produces(length)]
    for length in {-1, 0, task.shortest - 1, *missing}:
        for split in ("train", "test"):
            try:
                with _soon():
                    task.sample(np.random.default_rng(0), length, 5, split)
            except ValueError as error:
                require(f"has no examples of length {length}" in str(error), f"length {length}: {error}")
            except TimeoutError as error:
                raise Failed(f"length {length}: it looks for an example without end") from error
            else:
                raise Failed(f"length {length}: it gave examples, and produces({length}) is false")
    return f"shortest {task.shortest}"


@contextlib.contextmanager
def _soon() -> Iterator[None]:
    """Raise ``TimeoutError`` after five seconds, where a signal can be waited for."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def too_long(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, too_long)
    try:
        signal.alarm(5)
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def has_baselines(subject: Subject) -> str:
    """Chance and the input-blind predictor can be computed"""
    run, task = subject
    layout = instantiation.layout(run, task)
    tested = identity.tested_lengths(run, task)
    found = baselines.compute(task, layout, [tested[0], tested[-1]], 16)
    for chance in found.chance:
        require(0 <= chance.tokens <= 1, f"chance is {chance.tokens}")
    blind = [counts.correct / max(1, counts.tokens) for counts in found.blind]
    return f"chance {found.chance[-1].tokens:.2f}, blind {blind[-1]:.2f} of the tokens at length {tested[-1]}"


CLAIMS = (
    has_a_version, unambiguous_alphabet, agrees_with_oracle, well_shaped, seeded, global_state_alone,
    refuses_other_lengths, outputs_occur, channels_number_every_token, axes_in_bins, shortcuts_guess_answers,
    has_baselines,
)  # fmt: skip
"""In the order in which they are checked."""
