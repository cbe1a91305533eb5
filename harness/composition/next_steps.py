"""What could be done after a run: three commands, made of its own words."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from harness.composition.compose import Composer
from harness.config.schema import Run
from harness.errors import Refused
from harness.results import metrics
from harness.results.records import Record

EXTENSIONS = ("ntk", "yarn", "interpolate", "window")
"""Test-time extensions that are proposed, as far as they are possible: those that most papers compare."""
ENCODINGS = ("rope", "alibi", "nope")
"""Encodings of which another one is proposed."""
MOST = 2
"""Extensions that are proposed at once."""


def commands(
    hydra: Composer, words: Sequence[str], run: Run, record: Record, path: Path, options: Sequence[str] = ()
) -> list[tuple[str, str]]:
    """Three commands that make sense after a run of these words, and what each does. ``options`` are those that every
    command needs, such as ``--config-dir``.

    A run that has not converged is trained longer; one that has is extended at test time, where its encoding can be,
    or shown at work. Then comes the comparison with another encoding over seeds, and the leaderboard.
    """
    words = [word for word in words if _key(word) not in ("force", "retry")]
    own = (
        _longer(hydra, words, run, record, options)
        or _extended(hydra, words, run, options)
        or (_command(["show", "--model", str(path)]), "what the trained model answers")
    )
    ranked = (_command(["leaderboard", run.results]), "tables and figures of all runs so far")
    return [own, _swept(hydra, words, run, options), ranked]


def _longer(
    hydra: Composer, words: Sequence[str], run: Run, record: Record, options: Sequence[str]
) -> tuple[str, str] | None:
    """More steps, if the training lengths are not learned."""
    near = [summary.in_distribution for summary in metrics.summaries(record)]
    if not near or not max(near) < metrics.CONVERGED or not run.train.steps:  # running text has NaN
        return None
    longer = _with(words, f"train.steps={2 * run.train.steps}")
    return (_command([*options, *longer]), "train longer: it has not converged") if _possible(hydra, longer) else None


def _extended(hydra: Composer, words: Sequence[str], run: Run, options: Sequence[str]) -> tuple[str, str] | None:
    """The same weights with extensions that were not tried, if the run can have them."""
    found = list(run.extension)
    for name in EXTENSIONS:
        if name not in found and len(found) < len(run.extension) + MOST:
            found += [name] if _possible(hydra, _with(words, _listed([*found, name]))) else []
    if len(found) == len(run.extension):
        return None
    return _command([*options, *_with(words, _listed(found))]), "the same weights, extended at test time"


def _swept(hydra: Composer, words: Sequence[str], run: Run, options: Sequence[str]) -> tuple[str, str]:
    """Several seeds, of another encoding too unless the run sets options of its own. Extensions are left out, which
    differ between encodings.
    """
    words = [word for word in words if _key(word) != "extension" and not word.startswith("extension.")]
    other = next(
        (
            name
            for name in ENCODINGS
            if name != run.encoding.name
            and not any(word.startswith("encoding.") for word in words)
            and _possible(hydra, _with(words, f"encoding={name}"))
        ),
        None,
    )
    seeds = _with(words, "seed=range(3)")
    if other is None:
        return _command([*options, "-m", *seeds]), "three seeds: how far scores vary"
    both = _with(seeds, f"encoding={run.encoding.name},{other}")
    return _command([*options, "-m", *both]), "against another encoding, three seeds each"


def _listed(extensions: Sequence[str]) -> str:
    return f"extension=[{','.join(extensions)}]"


def _with(words: Sequence[str], word: str) -> list[str]:
    """The words with this one in the place of those of its key, or at the end."""
    found = [word if _key(one) == _key(word) else one for one in words]
    return list(dict.fromkeys(found if word in found else [*found, word]))


def _key(word: str) -> str:
    return word.partition("=")[0]


def _possible(hydra: Composer, words: Sequence[str]) -> bool:
    return not isinstance(hydra.attempt(words), Refused)


def _command(words: Sequence[str]) -> str:
    return shlex.join(["python", "-m", "harness", *words])
